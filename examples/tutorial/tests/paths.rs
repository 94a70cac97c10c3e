//! Tests of paths, queries and methods.

use super::*;
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use serde_json::json;

#[actix_web::test]
async fn handlers_get_the_path_the_query_and_the_parameters() {
    check(
        "/home?name=lee",
        json!({ "pathname": "/home", "name": "lee" }),
    )
    .await;
    check("/home", json!({ "pathname": "/home", "name": null })).await;
    check(
        "/home?name=a+b%26&name=c",
        json!({ "pathname": "/home", "name": "a b&" }),
    )
    .await;
    check("/dashboard/1", json!({ "team": "1" })).await;
    check("/dashboard/a%2Fb", json!({ "team": "a/b" })).await;
    check("/shop/1/2", json!({ "tag": "1", "item": "2" })).await;
    check("/blog/1/2", json!({ "slug": ["1", "2"] })).await;
    check("/docs", json!({ "slug": [] })).await;
    check("/docs/a/b", json!({ "slug": ["a", "b"] })).await;
}

#[actix_web::test]
async fn an_unknown_path_is_a_404_and_a_trailing_slash_redirects() {
    for mode in MODES {
        let app = tutorial(mode).await;
        for path in [
            "/blog",
            "/dashboard",
            "/shop/1",
            "/shop/1/2/3",
            "/api",
            "/zzz",
        ] {
            let response = app.get(path).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path} {mode:?}");
        }
        let response = app.get("/docs/a/?q=1").await;
        assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(response.header("location"), Some("/docs/a?q=1"));
    }
}

#[actix_web::test]
async fn every_method_has_its_own_response() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let send = |method| app.send(TestRequest::with_uri("/api/methods").method(method));
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            let response = send(method.clone()).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(json(&response), json!({ "method": method.as_str() }));
        }
        let head = send(Method::HEAD).await;
        assert_eq!((head.header("x-method"), head.text()), (Some("HEAD"), ""));

        let allow = Some("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
        let options = send(Method::OPTIONS).await;
        assert_eq!(options.status(), StatusCode::NO_CONTENT);
        assert_eq!(options.header("allow"), allow);
        let trace = send(Method::TRACE).await;
        assert_eq!(trace.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(trace.header("allow"), allow);
    }
}
