//! Tests of `redirect` and `permanent_redirect`, from routes, pages and arguments.

use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode, header};
use actix_web::test::{self, TestRequest};
use actix_web::web::Json;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::{Ready, ready};
use route_runtime::{Redirect, page, permanent_redirect, redirect, route};

use super::app;

const NOWHERE: &str = "/\r\nSet-Cookie: a=b";

#[route("/redirects/returned/[how]")]
async fn returned(how: String) -> Redirect {
    match &*how {
        "temporary" => redirect("../relative?a=b"),
        "permanent" => permanent_redirect("https://example.com/"),
        _ => redirect(NOWHERE),
    }
}

/// A route whose error is actix-web's own, so that any error goes through `?` beside a redirect.
#[route(POST, "/redirects/carried/[how]")]
async fn carried(how: String) -> actix_web::Result<Json<u32>> {
    match &*how {
        "temporary" => Err(redirect("../relative?a=b"))?,
        "permanent" => Err(permanent_redirect("https://example.com/"))?,
        "nowhere" => Err(redirect(NOWHERE))?,
        _ => {}
    }
    Ok(Json(1))
}

#[page("/redirects/page/[how]")]
async fn page_returned(how: String) -> Result<String, Redirect> {
    Err(match &*how {
        "temporary" => redirect("../relative?a=b"),
        "permanent" => permanent_redirect("https://example.com/"),
        _ => redirect(NOWHERE),
    })
}

struct User;

impl FromRequest for User {
    type Error = Redirect;
    type Future = Ready<Result<Self, Redirect>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let location = match request.query_string() {
            "nowhere" => NOWHERE,
            _ => "../relative?a=b",
        };
        ready(Err(redirect(location)))
    }
}

#[page("/redirects/argument")]
async fn argument(_user: User) -> String {
    unreachable!("the argument redirects")
}

#[actix_web::test]
async fn values_errors_and_arguments_redirect_alike() {
    let routes = [returned::ROUTE, carried::ROUTE, page_returned::ROUTE];
    let app = app(routes.into_iter().chain([argument::ROUTE])).await;
    let (temporary, permanent) = ("../relative?a=b", "https://example.com/");
    for (method, path, status, location) in [
        (Method::GET, returned::path("temporary"), 307, temporary),
        (Method::GET, returned::path("permanent"), 308, permanent),
        (Method::HEAD, returned::path("permanent"), 308, permanent),
        (Method::POST, carried::path("temporary"), 307, temporary),
        (Method::POST, carried::path("permanent"), 308, permanent),
        (
            Method::GET,
            page_returned::path("temporary"),
            307,
            temporary,
        ),
        (
            Method::GET,
            page_returned::path("permanent"),
            308,
            permanent,
        ),
        (Method::GET, argument::path(), 307, temporary),
    ] {
        let request = TestRequest::with_uri(&path).method(method).to_request();
        let response = test::call_service(&app, request).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(
            response.headers().get(header::LOCATION).unwrap(),
            location,
            "{path}"
        );
        assert!(
            !response.headers().contains_key(header::CONTENT_TYPE),
            "{path}"
        );
        assert!(test::read_body(response).await.is_empty(), "{path}");
    }
}

#[actix_web::test]
async fn a_redirect_to_an_invalid_location_is_a_500_problem() {
    let routes = [returned::ROUTE, carried::ROUTE, page_returned::ROUTE];
    let app = app(routes.into_iter().chain([argument::ROUTE])).await;
    let json = "application/problem+json";
    let html = "text/html; charset=utf-8";
    for (method, path, content_type) in [
        (Method::GET, returned::path("nowhere"), json),
        (Method::POST, carried::path("nowhere"), json),
        (Method::GET, page_returned::path("nowhere"), html),
        (Method::GET, "/redirects/argument?nowhere".into(), html),
    ] {
        let request = TestRequest::with_uri(&path).method(method).to_request();
        let response = test::call_service(&app, request).await;
        assert_eq!(
            response.status(),
            StatusCode::INTERNAL_SERVER_ERROR,
            "{path}"
        );
        assert_eq!(
            response.headers().get(header::CONTENT_TYPE).unwrap(),
            content_type,
            "{path}"
        );
        assert!(!response.headers().contains_key(header::LOCATION), "{path}");
        assert!(
            !response.headers().contains_key(header::SET_COOKIE),
            "{path}"
        );
    }
}
