//! Tests of cookies, redirects, authorisation and work after the response.

use super::*;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::test::TestRequest;
use route_runtime::Mode;
use route_runtime::testing::Outcome;
use serde_json::json;

#[actix_web::test]
async fn a_theme_is_stored_in_a_cookie() {
    for mode in MODES {
        let app = tutorial(mode).await;
        assert_eq!(json(&app.get("/api/theme").await), json!({ "theme": null }));

        let request = TestRequest::post().uri("/api/theme?theme=dark%20blue");
        let response = app.send(request).await;
        assert_eq!(json(&response), json!({ "theme": "dark blue" }));
        let cookie = response.header("set-cookie").expect("a cookie");
        assert_eq!(cookie, "theme=dark%20blue; Path=/");

        let sent = (header::COOKIE, "theme=dark%20blue");
        let request = TestRequest::with_uri("/api/theme").insert_header(sent.clone());
        assert_eq!(
            json(&app.send(request).await),
            json!({ "theme": "dark blue" })
        );

        let request = TestRequest::delete().uri("/api/theme").insert_header(sent);
        let response = app.send(request).await;
        assert_eq!(json(&response), json!({ "theme": null }));
        let cookie = response.header("set-cookie").expect("a cookie");
        assert!(
            cookie.starts_with("theme=; ") && cookie.contains("Max-Age=0"),
            "{cookie}"
        );

        let missing = TestRequest::post().uri("/api/theme");
        assert_eq!(app.send(missing).await.status(), StatusCode::BAD_REQUEST);
    }
}

#[actix_web::test]
async fn a_redirect_has_a_status_and_a_location() {
    for mode in MODES {
        let response = tutorial(mode).await.get("/api/redirect").await;
        assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(response.header("location"), Some("/about"));
    }
}

#[actix_web::test]
async fn a_cached_response_is_only_for_clients_with_the_token() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let with = |token: &'static str| {
            let request = TestRequest::with_uri("/api/admin");
            app.send(request.insert_header((header::AUTHORIZATION, token)))
        };
        let allowed = with("Bearer tutorial").await;
        assert_eq!(allowed.status(), StatusCode::OK);
        let kept = match mode {
            Mode::Production => Outcome::Hit,
            Mode::Development => Outcome::Bypass,
        };
        assert_eq!(allowed.outcome(), Some(kept));
        for refused in [with("Bearer guess").await, app.get("/api/admin").await] {
            assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
            assert_eq!(refused.outcome(), None);
            assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
            assert_eq!(json(&refused)["status"], 401);
        }
    }
}

#[actix_web::test]
async fn a_visit_is_counted_after_its_response() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let visits = async || json(&app.get("/api/after").await)["visits"].as_u64();
        assert_eq!(visits().await, Some(0));
        // Nothing signals that the visit was counted. The requests meanwhile count as visits, too.
        let mut seen = 0;
        while seen == 0 {
            seen = visits().await.expect("a number");
        }
    }
}
