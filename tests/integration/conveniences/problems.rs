//! Tests of `not_found`, `forbidden` and `unauthorized`, and of a body with a status.

use actix_web::Responder;
use actix_web::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::test::{self, TestRequest};
use actix_web::web::Json;
use route_runtime::{Problem, forbidden, not_found, page, route, unauthorized};
use serde_json::json;

use super::app;

fn of(status: u16) -> Problem {
    match status {
        401 => unauthorized(),
        403 => forbidden(),
        _ => not_found().detail("gone <astray>"),
    }
}

#[route("/problems/route/[status]")]
async fn returned(status: u16) -> Problem {
    of(status)
}

#[route(POST, "/problems/route/[status]")]
async fn carried(status: u16) -> actix_web::Result<String> {
    Err(of(status))?
}

#[page("/problems/page/[status]")]
async fn page_returned(status: u16) -> Problem {
    of(status)
}

#[page("/problems/page/[status]/carried")]
async fn page_carried(status: u16) -> Result<String, Problem> {
    Err(of(status))
}

#[actix_web::test]
async fn a_problem_is_json_from_a_route_and_html_from_a_page() {
    let routes = [returned::ROUTE, carried::ROUTE];
    let pages = [page_returned::ROUTE, page_carried::ROUTE];
    let app = app(routes.into_iter().chain(pages)).await;
    for (status, title) in [
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "Not Found"),
    ] {
        let mut problem = json!({ "type": "about:blank", "title": title, "status": status });
        let mut html = format!("<h1>{status} {title}</h1>");
        if status == 404 {
            problem["detail"] = "gone <astray>".into();
            html.push_str("<p>gone &lt;astray&gt;</p>");
        }
        for (method, path, content_type) in [
            (
                Method::GET,
                returned::path(status),
                "application/problem+json",
            ),
            (
                Method::POST,
                carried::path(status),
                "application/problem+json",
            ),
            (
                Method::GET,
                page_returned::path(status),
                "text/html; charset=utf-8",
            ),
            (
                Method::GET,
                page_carried::path(status),
                "text/html; charset=utf-8",
            ),
        ] {
            let request = TestRequest::with_uri(&path).method(method).to_request();
            let response = test::call_service(&app, request).await;
            assert_eq!(response.status(), status, "{path}");
            assert_eq!(
                response.headers().get(CONTENT_TYPE).unwrap(),
                content_type,
                "{path}"
            );
            let body = test::read_body(response).await;
            let text = std::str::from_utf8(&body).unwrap();
            if path.contains("/page/") {
                assert!(text.contains(&html), "{path}: {text}");
            } else {
                let json: serde_json::Value = serde_json::from_str(text).unwrap();
                assert_eq!(json, problem, "{path}");
            }
        }
    }
}

#[actix_web::test]
async fn a_header_added_to_a_problem_stays_on_a_page() {
    #[page("/problems/asking")]
    async fn asking() -> impl Responder {
        let challenge = (WWW_AUTHENTICATE, "Basic realm=\"page\"");
        unauthorized().customize().insert_header(challenge)
    }
    let app = app([asking::ROUTE]).await;
    let request = TestRequest::with_uri("/problems/asking").to_request();
    let response = test::call_service(&app, request).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        response.headers().get(WWW_AUTHENTICATE).unwrap(),
        "Basic realm=\"page\""
    );
    assert_eq!(
        response.headers().get(CONTENT_TYPE).unwrap(),
        "text/html; charset=utf-8"
    );
    let body = test::read_body(response).await;
    assert!(body.starts_with(b"<!doctype html>"), "{body:?}");
}

#[actix_web::test]
async fn a_handler_can_return_a_body_with_a_status() {
    #[route(POST, "/problems/created")]
    async fn created(body: Json<u32>) -> impl Responder {
        (Json(json!({ "data": body.0 })), StatusCode::CREATED)
    }
    let app = app([created::ROUTE]).await;
    let request = TestRequest::post()
        .uri("/problems/created")
        .set_json(7)
        .to_request();
    let response = test::call_service(&app, request).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(
        response.headers().get(CONTENT_TYPE).unwrap(),
        "application/json"
    );
    assert_eq!(test::read_body(response).await, r#"{"data":7}"#);
}
