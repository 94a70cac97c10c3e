//! Cookies, from the request to the response, whichever that is.

use actix_web::cookie::Cookie;
use actix_web::dev::{Payload, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::test::{self, TestRequest};
use actix_web::{FromRequest, HttpRequest, HttpResponse, error};
use futures_util::future::LocalBoxFuture;
use route_runtime::{Cookies, Problem, Routes, page, route};

use super::app;

const DELETED: &str = "Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

fn set_cookies(response: &ServiceResponse) -> Vec<&str> {
    let values = response.headers().get_all(header::SET_COOKIE);
    values.map(|value| value.to_str().unwrap()).collect()
}

/// An extractor that sets a cookie before the handler runs.
struct Session;

impl FromRequest for Session {
    type Error = error::Error;
    type Future = LocalBoxFuture<'static, Result<Self, error::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let cookies = Cookies::extract(request);
        let is_refused = request.query_string() == "refused";
        Box::pin(async move {
            cookies.await?.set(("session", "seen"));
            match is_refused {
                true => Err(error::ErrorUnauthorized("no session")),
                false => Ok(Self),
            }
        })
    }
}

#[route("/cookies/shared")]
async fn shared(_session: Session, cookies: Cookies, again: Cookies) -> String {
    cookies.set(("count", "2"));
    again.delete("old");
    format!("{:?}", again.iter().collect::<Vec<_>>())
}

#[actix_web::test]
async fn a_cookie_that_was_set_is_read_at_once_and_sent_once() {
    let app = app([shared::ROUTE]).await;
    let request = TestRequest::with_uri("/cookies/shared")
        .insert_header((header::COOKIE, "count=1; old=x; kept=a%20b"))
        .to_request();
    let response = test::call_service(&app, request).await;
    let expected = [
        "session=seen; Path=/",
        "count=2; Path=/",
        &format!("old=; {DELETED}"),
    ];
    assert_eq!(set_cookies(&response), expected);
    assert_eq!(
        test::read_body(response).await,
        r#"[("count", "2"), ("kept", "a b"), ("session", "seen")]"#
    );
}

#[actix_web::test]
async fn the_value_of_a_cookie_comes_back_as_it_was_set() {
    #[route(POST, "/cookies/echo")]
    async fn write(body: String, cookies: Cookies) -> HttpResponse {
        cookies.set(("text", body));
        HttpResponse::NoContent().finish()
    }
    #[route(GET, "/cookies/echo")]
    async fn read(cookies: Cookies) -> Option<String> {
        cookies.get("text")
    }
    let app = app([write::ROUTE, read::ROUTE]).await;
    let text = "a;b, \"c\"=d%20é\r\n";
    let request = TestRequest::post().uri("/cookies/echo").set_payload(text);
    let response = test::call_service(&app, request.to_request()).await;
    let pair = set_cookies(&response)[0].split(';').next().unwrap();
    let request = TestRequest::with_uri("/cookies/echo").insert_header((header::COOKIE, pair));
    assert_eq!(
        test::call_and_read_body(&app, request.to_request()).await,
        text
    );
}

#[route(POST, "/cookies/ends/[how]")]
async fn ends(how: String, cookies: Cookies) -> Result<HttpResponse, actix_web::Error> {
    cookies.set(("a", "set"));
    cookies.set(("b", "set"));
    match &*how {
        "error" => Err(error::ErrorConflict("no"))?,
        "problem" => Err(Problem::new(StatusCode::GONE))?,
        "panic" => panic!("with a cookie set"),
        "own" => Ok(HttpResponse::Ok()
            .cookie(Cookie::new("own", "1"))
            .cookie(Cookie::new("b", "own"))
            .finish()),
        _ => Ok(HttpResponse::SeeOther()
            .insert_header((header::LOCATION, "/"))
            .finish()),
    }
}

#[actix_web::test]
async fn cookies_are_sent_however_the_handler_ends() {
    let app = app([ends::ROUTE]).await;
    let both = ["a=set; Path=/", "b=set; Path=/"];
    for (how, status, expected) in [
        ("error", StatusCode::CONFLICT, &both[..]),
        ("problem", StatusCode::GONE, &both),
        ("panic", StatusCode::INTERNAL_SERVER_ERROR, &both),
        ("redirect", StatusCode::SEE_OTHER, &both),
        ("own", StatusCode::OK, &["own=1", "b=own", "a=set; Path=/"]),
    ] {
        let request = TestRequest::post().uri(&ends::path(how));
        let response = test::call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), status, "{how}");
        assert_eq!(set_cookies(&response), expected, "{how}");
    }
}

#[actix_web::test]
async fn cookies_set_before_an_argument_fails_are_sent() {
    #[page("/cookies/refused")]
    async fn refused(_session: Session) -> String {
        String::new()
    }
    let app = app([refused::ROUTE]).await;
    let request = TestRequest::with_uri("/cookies/refused?refused").to_request();
    let response = test::call_service(&app, request).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(set_cookies(&response), ["session=seen; Path=/"]);
}

#[actix_web::test]
async fn a_response_to_head_sets_cookies_too() {
    let app = app([shared::ROUTE]).await;
    let request = TestRequest::with_uri("/cookies/shared").method(actix_web::http::Method::HEAD);
    let response = test::call_service(&app, request.to_request()).await;
    assert_eq!(set_cookies(&response).len(), 3);
}

#[actix_web::test]
async fn a_force_static_handler_sees_no_cookies() {
    #[route("/cookies/blank", dynamic = "force-static")]
    async fn blank(cookies: Cookies) -> String {
        format!("{:?}", cookies.get("a"))
    }
    let app = app([blank::ROUTE]).await;
    let request = TestRequest::with_uri("/cookies/blank").insert_header((header::COOKIE, "a=1"));
    assert_eq!(
        test::call_and_read_body(&app, request.to_request()).await,
        "None"
    );
}

#[test]
fn cookies_make_a_route_dynamic() {
    let routes = Routes::from_iter([shared::ROUTE]).unwrap();
    assert!(routes.iter().all(|route| !route.rendering().is_cached()));
}
