//! Tests of the example, with actix-web's own test tools.

use actix_web::body::to_bytes;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, web::Bytes};
use route_runtime::Routes;

use super::{hello, sum};

async fn answer(request: TestRequest) -> (StatusCode, Bytes) {
    let routes = Routes::collect().expect("the routes fit together");
    let app = init_service(App::new().service(routes)).await;
    let response = call_service(&app, request.to_request()).await;
    let status = response.status();
    let body = to_bytes(response.into_body()).await;
    (status, body.expect("the body is whole"))
}

#[actix_web::test]
async fn home_and_hello_greet() {
    let (status, body) = answer(TestRequest::get()).await;
    assert_eq!((status, &*body), (StatusCode::OK, &b"Hello!\n"[..]));

    let (status, body) = answer(TestRequest::get().uri(&hello::path("Jürgen"))).await;
    assert_eq!(
        (status, &*body),
        (StatusCode::OK, "Hello, Jürgen!\n".as_bytes())
    );
}

#[actix_web::test]
async fn sum_adds_numbers_and_rejects_text() {
    let request = TestRequest::post().uri(&sum::path());
    let (status, body) = answer(request.set_json([1.5, 2.0])).await;
    assert_eq!((status, &*body), (StatusCode::OK, &b"3.5"[..]));

    let request = TestRequest::post().uri(&sum::path());
    let (status, _) = answer(request.set_json(["one"])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[test]
fn the_readme_contains_this_program() {
    let program = include_str!("main.rs").split("\n#[cfg(test)]").next();
    let program = program.unwrap_or_default();
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&format!("```rust,no_run\n{program}```\n")));
}
