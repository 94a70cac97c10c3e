//! Tests of posts: they are listed, shown, added, and fetched no more often than needed.

use super::*;
use crate::session::Visits;
use crate::upstream::Upstream;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::test::TestRequest;
use route_runtime::testing::{Outcome, TestApp};
use route_runtime::{Mode, Routes};
use serde_json::json;

#[actix_web::test]
async fn posts_are_listed() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let response = app.get("/api/posts").await;
        let body = json(&response);
        let posts = body["data"].as_array().expect("a list");
        assert_eq!(posts.len(), 100, "{mode:?}");
        assert_eq!(posts[99]["id"], 100, "{mode:?}");
        assert_eq!(response.outcome(), Some(Outcome::Bypass), "{mode:?}");
    }
}

#[actix_web::test]
async fn a_post_is_shown_whole_or_by_one_field() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let post = json(&app.get("/api/posts/1").await);
        assert_eq!((&post["id"], &post["userId"]), (&json!(1), &json!(1)));
        assert!(post["title"].is_string() && post["body"].is_string());
        let members: Vec<_> = post.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["id", "userId", "title", "body"]);

        let title = app.get("/api/posts/1?dataField=title").await;
        assert_eq!(json(&title), json!({ "title": post["title"] }));
        let unknown = app.get("/api/posts/1?dataField=author").await;
        assert_eq!(unknown.status(), StatusCode::BAD_REQUEST);

        for absent in [
            "9999",
            "0",
            "101",
            "abc",
            "-1",
            "01",
            "1.0",
            "99999999999999999999",
        ] {
            let response = app.get(&format!("/api/posts/{absent}")).await;
            assert_eq!(
                response.status(),
                StatusCode::NOT_FOUND,
                "{absent} {mode:?}"
            );
            assert_eq!(
                response.header("content-type"),
                Some("application/problem+json")
            );
        }
    }
}

#[actix_web::test]
async fn a_new_post_gets_an_id_and_is_listed() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let article = json!({ "title": "New", "body": "Ünïcödé" });
        let request = || TestRequest::post().uri("/api/posts");
        let response = app.send(request().set_json(&article)).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let created = json(&response);
        assert_eq!(created["data"], article);
        let id = created["id"].as_str().expect("an id");
        assert!(id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));

        let again = json(&app.send(request().set_json(&article)).await);
        assert_ne!(again["id"], created["id"]);

        let posts = json(&app.get("/api/posts").await);
        assert_eq!(posts["data"].as_array().map(Vec::len), Some(102));
        assert_eq!(json(&app.get("/api/posts/101").await)["title"], "New");
    }
}

#[actix_web::test]
async fn a_malformed_or_oversized_post_is_refused() {
    for mode in MODES {
        let app = tutorial(mode).await;
        for broken in ["{", "", "[1]", "\"text\"", "{\"a\":}"] {
            let request = TestRequest::post()
                .uri("/api/posts")
                .insert_header((header::CONTENT_TYPE, "application/json"))
                .set_payload(broken);
            let response = app.send(request).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{broken}");
            assert_eq!(json(&response)["status"], 400, "{broken}");
        }
        let request = TestRequest::post()
            .uri("/api/posts")
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .set_payload(vec![b' '; 2 << 20]);
        let response = app.send(request).await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let posts = json(&app.get("/api/posts").await);
        assert_eq!(posts["data"].as_array().map(Vec::len), Some(100));
    }
}

#[actix_web::test]
async fn an_upstream_that_is_down_is_a_bad_gateway() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = gone.local_addr().expect("an address");
    drop(gone);
    let upstream = Upstream::at(format!("http://me:secret@{address}"));
    let routes = Routes::collect().expect("the routes fit together");
    let routes = routes.data(upstream).data(Visits::default());
    let app = TestApp::new(routes.mode(Mode::Production)).await;
    let app = app.expect("what cannot be rendered ahead is left for later");
    for path in ["/api/posts", "/api/posts/1", "/api/image"] {
        let response = app.get(path).await;
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY, "{path}");
        assert!(!response.text().contains("secret"), "{}", response.text());
    }
}

#[actix_web::test]
async fn posts_are_fetched_once_and_again_after_a_new_post() {
    for mode in MODES {
        let (routes, upstream) = routes(mode);
        let app = TestApp::new(routes).await.expect("no data is missing");
        let before = calls(&upstream).await;
        let posts = async || {
            let posts = json(&app.get("/api/posts").await);
            posts["data"].as_array().map(Vec::len)
        };
        for _ in 0..3 {
            assert_eq!(posts().await, Some(100));
            app.get("/api/posts/1").await;
        }
        assert_eq!(calls(&upstream).await - before, 2, "{mode:?}");
        let article = TestRequest::post().uri("/api/posts");
        app.send(article.set_json(json!({ "title": "New" }))).await;
        assert_eq!(posts().await, Some(101));
        assert_eq!(posts().await, Some(101));
        assert_eq!(calls(&upstream).await - before, 4, "{mode:?}");
    }
}
