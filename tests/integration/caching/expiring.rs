//! The time for which a stale entry is still served.

use actix_web::web::Data;
use route_runtime::route;
use tests::Runs;

use super::*;

#[route("/caching/expiring", revalidate = 10, expire = 60)]
async fn expiring(runs: Data<Runs>) -> String {
    runs.next().to_string()
}

#[route("/caching/expiring/error", dynamic = "error")]
async fn error(runs: Data<Runs>) -> String {
    runs.next().to_string()
}

#[actix_web::test]
async fn a_request_for_an_expired_entry_waits_for_a_render() {
    let routes = production([expiring::ROUTE, error::ROUTE]).data(Runs::default());
    let app = TestApp::new(routes).await.unwrap();
    let first = app.get("/caching/expiring").await.text().to_owned();
    app.advance(59 * SECOND);
    let stale = app.get("/caching/expiring").await;
    assert_eq!(
        (stale.header("cache-status"), stale.text()),
        (Some("route; hit; ttl=-49"), &*first)
    );
    app.settled().await;
    app.advance(60 * SECOND);
    let expired = app.get("/caching/expiring").await;
    assert_eq!(
        expired.header("cache-status"),
        Some("route; fwd=stale; stored")
    );
    assert_ne!(expired.text(), first);
    // An entry of a route with `dynamic = "error"` is fresh for ever, also a year later.
    app.advance(Duration::from_secs(31_536_000));
    let for_ever = app.get("/caching/expiring/error").await;
    assert_eq!(for_ever.header("cache-status"), Some("route; hit"));
    assert_eq!(for_ever.header("age"), Some("31536119"));
}
