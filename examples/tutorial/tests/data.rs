//! Tests that a cached function's result is cached for every caller, in both modes.

use super::*;
use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use route_runtime::testing::Outcome;

#[actix_web::test]
async fn primes_are_counted_once_until_they_are_invalidated() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let get = async |below: u32| app.get(&format!("/api/primes/{below}")).await;
        let first = get(1000).await;
        assert_eq!(json(&first)["count"], 168, "{mode:?}");
        assert_eq!(first.outcome(), Some(Outcome::Bypass), "{mode:?}");
        let second = get(1000).await;
        assert_eq!(json(&second)["computed"], json(&first)["computed"]);
        assert_ne!(json(&second)["data"], json(&first)["data"]);
        let other = get(0).await;
        assert_eq!(json(&other)["count"], 0);
        assert_ne!(json(&other)["computed"], json(&first)["computed"]);

        let forget = TestRequest::delete().uri("/api/primes/1000");
        assert_eq!(json(&app.send(forget).await)["forgotten"], 1000);
        let anew = get(1000).await;
        assert_ne!(json(&anew)["computed"], json(&first)["computed"]);
        let still = get(0).await;
        assert_eq!(json(&still)["computed"], json(&other)["computed"]);

        assert_eq!(get(10_000_001).await.status(), StatusCode::BAD_REQUEST);
    }
}
