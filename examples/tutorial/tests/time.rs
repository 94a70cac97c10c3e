//! Tests of when a response is rendered, and of invalidation.

use super::*;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::test::TestRequest;
use route_runtime::Mode;
use route_runtime::testing::{Outcome, TestApp, TestResponse};
use std::time::Duration;

#[actix_web::test]
async fn production_renders_cached_routes_once_and_dynamic_ones_each_time() {
    let app = tutorial(Mode::Production).await;
    let frozen = [
        "/api/time",
        "/api/time/force-static",
        "/api/time/error",
        "/api/zones/utc",
    ];
    for path in frozen {
        let first = time(&app, path).await;
        assert_eq!(first.0, Outcome::Hit, "{path} was rendered ahead");
        app.advance(Duration::from_secs(365 * 24 * 3600));
        assert_eq!(time(&app, &format!("{path}?a=1")).await, first, "{path}");
    }
    let moving = [
        "/api/time/force-dynamic",
        "/api/time/search",
        "/api/time/cookies",
        "/api/time/headers",
        "/api/time/with-post",
    ];
    for path in moving {
        let (first, second) = (time(&app, path).await, time(&app, path).await);
        assert_eq!(
            (first.0, second.0),
            (Outcome::Bypass, Outcome::Bypass),
            "{path}"
        );
        assert_ne!(first.1, second.1, "{path}");
    }
}

#[actix_web::test]
async fn development_renders_every_route_for_each_request() {
    let app = tutorial(Mode::Development).await;
    for path in [
        "/api/time",
        "/api/time/revalidate",
        "/api/time/force-dynamic",
        "/api/time/force-static",
        "/api/time/error",
        "/api/time/search",
        "/api/time/cookies",
        "/api/time/headers",
        "/api/time/with-post",
        "/api/stock/acme",
        "/api/zones/utc",
    ] {
        let (first, second) = (time(&app, path).await, time(&app, path).await);
        assert_eq!(
            (first.0, second.0),
            (Outcome::Bypass, Outcome::Bypass),
            "{path}"
        );
        assert_ne!(first.1, second.1, "{path}");
    }
}

#[actix_web::test]
async fn a_time_has_nanoseconds() {
    let app = tutorial(Mode::Production).await;
    let (_, time) = time(&app, "/api/time").await;
    let shape: String = time
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000000Z");
}

#[actix_web::test]
async fn a_dynamic_handler_reads_the_request_and_a_blank_request_has_no_query() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let request = |path| {
            TestRequest::with_uri(path)
                .insert_header((header::COOKIE, "theme=dark"))
                .insert_header((header::USER_AGENT, "test"))
        };
        let get = async |path, member: &str| json(&app.send(request(path)).await)[member].clone();
        assert_eq!(get("/api/time/force-static?a=1", "query").await, "");
        assert_eq!(get("/api/time/search?a=1", "query").await, "a=1");
        assert_eq!(get("/api/time/cookies", "theme").await, "dark");
        assert_eq!(get("/api/time/headers", "userAgent").await, "test");
        let post = TestRequest::post().uri("/api/time/with-post");
        assert!(json(&app.send(post).await)["data"].is_string());
    }
}

#[actix_web::test]
async fn a_cdn_may_cache_a_zone() {
    let app = tutorial(Mode::Production).await;
    let told = async |path| {
        app.get(path)
            .await
            .header("cache-control")
            .map(String::from)
    };
    let for_a_year = "max-age=0, s-maxage=31536000, public";
    assert_eq!(told("/api/zones/utc").await.as_deref(), Some(for_a_year));
    assert_eq!(told("/api/time").await.as_deref(), Some("no-cache"));
}

#[actix_web::test]
async fn an_unlisted_zone_is_a_404() {
    for mode in MODES {
        let response = tutorial(mode).await.get("/api/zones/mars").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{mode:?}");
    }
}

/// Checks the next hour of a response that is fresh for ten seconds from now on.
async fn check_timeline(app: &TestApp, path: &str, first: String, expires: bool) {
    app.advance(Duration::from_millis(9_999));
    assert_eq!(time(app, path).await, (Outcome::Hit, first.clone()));
    app.advance(Duration::from_millis(1));
    assert_eq!(time(app, path).await, (Outcome::Stale, first.clone()));
    app.settled().await;
    let (outcome, second) = time(app, path).await;
    assert_eq!(outcome, Outcome::Hit);
    assert_ne!(second, first);

    // Without a request, nothing is rendered. The next request gets the stale response, however old
    // it is, unless it has expired.
    let before = app.routes().stats();
    app.advance(Duration::from_secs(3600));
    app.settled().await;
    assert_eq!(app.routes().stats().renders, before.renders);
    let (outcome, late) = time(app, path).await;
    if expires {
        assert_eq!(outcome, Outcome::Miss);
        assert_ne!(late, second);
    } else {
        assert_eq!((outcome, late), (Outcome::Stale, second.clone()));
    }
    app.settled().await;
    let (outcome, third) = time(app, path).await;
    assert_eq!(outcome, Outcome::Hit);
    assert_ne!(third, second);
}

#[actix_web::test]
async fn a_response_is_fresh_for_ten_seconds_and_then_stale_at_any_age() {
    let app = tutorial(Mode::Production).await;
    let (outcome, first) = time(&app, "/api/time/revalidate").await;
    assert_eq!(outcome, Outcome::Hit, "it was rendered ahead");
    check_timeline(&app, "/api/time/revalidate", first, false).await;
}

#[actix_web::test]
async fn each_stock_is_fresh_for_ten_seconds_and_expires_after_a_minute() {
    let app = tutorial(Mode::Production).await;
    let (outcome, acme) = time(&app, "/api/stock/acme").await;
    assert_eq!(outcome, Outcome::Miss, "nobody could know it ahead");
    app.advance(Duration::from_secs(5));
    let (outcome, other) = time(&app, "/api/stock/other").await;
    assert_eq!(outcome, Outcome::Miss);
    assert_ne!(acme, other);

    app.advance(Duration::from_secs(5));
    assert_eq!(time(&app, "/api/stock/acme").await, (Outcome::Stale, acme));
    assert_eq!(time(&app, "/api/stock/other").await, (Outcome::Hit, other));
    app.settled().await;
    let (outcome, acme) = time(&app, "/api/stock/acme").await;
    assert_eq!(outcome, Outcome::Hit);
    check_timeline(&app, "/api/stock/acme", acme, true).await;
}

async fn revalidate(app: &TestApp, query: &str) -> TestResponse {
    let uri = format!("/api/revalidate?{query}");
    app.send(TestRequest::post().uri(&uri)).await
}

#[actix_web::test]
async fn an_invalidated_response_is_rendered_again() {
    let app = tutorial(Mode::Production).await;
    let (_, first) = time(&app, "/api/time").await;
    let (_, acme) = time(&app, "/api/stock/acme").await;
    let (_, other) = time(&app, "/api/stock/other").await;

    let response = revalidate(&app, "path=/api/time").await;
    assert_eq!(json(&response)["revalidated"], true);
    let (outcome, second) = time(&app, "/api/time").await;
    assert_eq!(outcome, Outcome::Miss);
    assert_ne!(second, first);
    assert_eq!(time(&app, "/api/time").await, (Outcome::Hit, second));

    revalidate(&app, "tag=stock:acme").await;
    let (outcome, again) = time(&app, "/api/stock/acme").await;
    assert_eq!(outcome, Outcome::Miss);
    assert_ne!(again, acme);
    assert_eq!(time(&app, "/api/stock/other").await, (Outcome::Hit, other));

    revalidate(&app, "tag=stock").await;
    for path in ["/api/stock/acme", "/api/stock/other"] {
        assert_eq!(time(&app, path).await.0, Outcome::Miss, "{path}");
    }
}

#[actix_web::test]
async fn an_invalid_path_or_tag_to_invalidate_is_a_400() {
    for mode in MODES {
        let app = tutorial(mode).await;
        for query in [
            "",
            "path=/nowhere",
            "tag=",
            "tag=a%0Ab",
            "tag=a&path=/api/time",
        ] {
            let response = revalidate(&app, query).await;
            assert_eq!(
                response.status(),
                StatusCode::BAD_REQUEST,
                "{query} {mode:?}"
            );
            assert!(json(&response)["detail"].is_string(), "{query} {mode:?}");
        }
    }
}
