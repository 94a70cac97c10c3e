//! Tests of images: one stays, one changes.

use super::*;
use actix_web::test::TestRequest;
use route_runtime::Mode;
use route_runtime::testing::{Outcome, TestApp};
use std::time::Duration;

#[actix_web::test]
async fn one_image_stays_and_one_changes_after_five_seconds() {
    let (routes, upstream) = routes(Mode::Production);
    let app = TestApp::new(routes).await.expect("no data is missing");
    let calls = async || calls(&upstream).await;
    let image = app.get("/api/image").await;
    assert!(json(&image)["url"].is_string());
    let changing = app.get("/api/image/revalidate").await;
    assert_ne!(image.body(), changing.body());
    assert_eq!(calls().await, 2, "both were rendered ahead");

    app.advance(Duration::from_millis(4_999));
    let still = app.get("/api/image/revalidate").await;
    assert_eq!(
        (still.outcome(), still.body()),
        (Some(Outcome::Hit), changing.body())
    );
    app.advance(Duration::from_millis(1));
    let stale = app.get("/api/image/revalidate").await;
    assert_eq!(
        (stale.outcome(), stale.body()),
        (Some(Outcome::Stale), changing.body())
    );
    app.settled().await;
    let next = app.get("/api/image/revalidate").await;
    assert_eq!(next.outcome(), Some(Outcome::Hit));
    assert_ne!(next.body(), changing.body());
    assert_eq!(app.get("/api/image").await.body(), image.body());
    assert_eq!(calls().await, 3);
}

#[actix_web::test]
async fn fetched_images_are_cached_in_development_too() {
    let (routes, upstream) = routes(Mode::Development);
    let app = TestApp::new(routes).await.expect("no data is missing");
    let image = app.get("/api/image").await;
    let changing = app.get("/api/image/revalidate").await;
    assert_ne!(image.body(), changing.body());
    for _ in 0..3 {
        assert_eq!(app.get("/api/image").await.body(), image.body());
        let still = app.get("/api/image/revalidate").await;
        assert_eq!(still.body(), changing.body());
        assert_eq!(still.outcome(), Some(Outcome::Bypass));
    }
    assert_eq!(calls(&upstream).await, 2);
    app.advance(Duration::from_secs(5));
    let next = app.get("/api/image/revalidate").await;
    assert_ne!(next.body(), changing.body());
    assert_eq!(app.get("/api/image").await.body(), image.body());
    // A browser's forced reload gets another image.
    let reload = TestRequest::get().uri("/api/image");
    let reload = reload.insert_header(("cache-control", "no-cache"));
    assert_ne!(app.send(reload).await.body(), image.body());
}
