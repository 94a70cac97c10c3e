//! HEAD, OPTIONS, and methods that a path does not answer.

use actix_web::body::BodyStream;
use actix_web::{HttpRequest, HttpResponse, web::Bytes};
use route_runtime::{page, route};
use tests::Server;

#[route("/methods/[id]")]
async fn get(id: u8, request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("x-method", request.method().as_str()))
        .body(format!("this is {id}"))
}

#[route("/methods/[id]")]
async fn delete(_request: HttpRequest) -> HttpResponse {
    HttpResponse::NoContent().finish()
}

#[route("/methods/[id]")]
async fn put(id: u8) -> String {
    format!("put {id}")
}

#[test]
fn head_is_answered_as_get_without_the_body() {
    let server = Server::of([get::ROUTE]);
    let mut connection = server.connect();
    let head = connection.send(&tests::request("HEAD", &get::path(7), &[], ""));
    // The server sent nothing but the head, or this would read the rest.
    let get = connection.send(&tests::request("GET", &get::path(7), &[], ""));
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-length"), Some("9"));
    assert_eq!(head.header("content-length"), get.header("content-length"));
    assert_eq!(head.header("content-type"), get.header("content-type"));
    assert_eq!(head.header("x-method"), Some("HEAD"));
    assert_eq!(get.text(), "this is 7");

    let missing = connection.send(&tests::request("HEAD", "/methods/x", &[], ""));
    assert_eq!(missing.status, 404);
    assert_ne!(missing.header("content-length"), Some("0"));
}

#[route("/methods/endless", dynamic = "force-dynamic")]
async fn endless() -> HttpResponse {
    let chunks = futures_util::stream::repeat_with(|| Ok::<_, actix_web::Error>(Bytes::new()));
    HttpResponse::Ok().body(BodyStream::new(chunks))
}

#[test]
fn head_does_not_begin_a_stream() {
    let server = Server::of([endless::ROUTE]);
    let mut connection = server.connect();
    for _ in 0..2 {
        let head = connection.send(&tests::request("HEAD", &endless::path(), &[], ""));
        assert_eq!(head.status, 200);
    }
}

#[route("/methods/both")]
mod both {
    use actix_web::HttpResponse;

    pub async fn GET() -> &'static str {
        "got"
    }

    pub async fn HEAD() -> HttpResponse {
        HttpResponse::Ok().insert_header(("x-by", "HEAD")).finish()
    }

    pub async fn OPTIONS() -> HttpResponse {
        HttpResponse::Ok()
            .insert_header(("x-by", "OPTIONS"))
            .finish()
    }
}

#[test]
fn declared_head_and_options_handlers_answer_themselves() {
    let server = Server::of([both::GET::ROUTE, both::HEAD::ROUTE, both::OPTIONS::ROUTE]);
    let head = server.ask("HEAD", "/methods/both");
    assert_eq!((head.status, head.header("x-by")), (200, Some("HEAD")));
    let options = server.ask("OPTIONS", "/methods/both");
    assert_eq!(
        (options.status, options.header("x-by")),
        (200, Some("OPTIONS"))
    );
    let get = server.get("/methods/both");
    assert_eq!((get.header("x-by"), get.text()), (None, "got"));
}

#[test]
fn options_lists_the_allowed_methods() {
    let server = Server::of([get::ROUTE, delete::ROUTE, put::ROUTE]);
    let options = server.ask("OPTIONS", "/methods/7");
    assert_eq!((options.status, options.text()), (204, ""));
    let allow = options.header("allow");
    assert_eq!(allow, Some("DELETE, GET, HEAD, OPTIONS, PUT"));
    // The response is about the pattern, so the values of parameters do not matter.
    assert_eq!(server.ask("OPTIONS", "/methods/x").status, 204);
}

#[page("/methods/page")]
async fn shown() -> &'static str {
    "page"
}

#[route(POST, "/methods/post")]
async fn posted() -> &'static str {
    "posted"
}

#[route(HEAD, "/methods/head")]
async fn headed() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[test]
fn an_undeclared_method_is_a_405_with_the_allowed_methods() {
    let server = Server::of([
        get::ROUTE,
        delete::ROUTE,
        put::ROUTE,
        shown::ROUTE,
        posted::ROUTE,
        headed::ROUTE,
    ]);
    for (methods, target, allow) in [
        (
            &["POST", "PATCH", "TRACE", "PROPFIND", "QUERY", "LINK"][..],
            "/methods/7",
            "DELETE, GET, HEAD, OPTIONS, PUT",
        ),
        (&["GET", "HEAD", "PUT"], "/methods/post", "OPTIONS, POST"),
        (&["GET", "POST"], "/methods/head", "HEAD, OPTIONS"),
        (
            &["POST", "DELETE", "BREW"],
            "/methods/page",
            "GET, HEAD, OPTIONS",
        ),
    ] {
        for method in methods {
            let response = server.ask(method, target);
            assert_eq!(response.status, 405, "{method} {target}");
            assert_eq!(response.header("allow"), Some(allow), "{method} {target}");
        }
    }
    let route = server.ask("PATCH", "/methods/7");
    let kind = route.header("content-type");
    assert_eq!(kind, Some("application/problem+json"));
    assert_eq!(
        route.text(),
        r#"{"type":"about:blank","title":"Method Not Allowed","status":405}"#
    );
    let page = server.ask("POST", "/methods/page");
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
}
