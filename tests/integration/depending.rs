//! Cached data in an app with a store, and the cached routes that use it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::web::Data;
use route_runtime::store::MemoryStore;
use route_runtime::testing::{Outcome, TestApp};
use route_runtime::{FetchError, cache, cached, fetch, route};
use tests::Upstream;

use crate::fetching::routes;

#[derive(Default)]
struct Runs(AtomicU32);

#[cached(skip(runs))]
async fn value(runs: Data<Runs>) -> u32 {
    runs.0.fetch_add(1, Ordering::SeqCst) + 1
}

#[route("/depending/function", revalidate = false)]
async fn function(runs: Data<Runs>) -> String {
    value(runs).await.to_string()
}

#[route("/depending/fetched", revalidate = false)]
async fn fetched(upstream: Data<Upstream>) -> Result<String, FetchError> {
    let data = fetch(upstream.url("/count/depending")).force_cache();
    Ok(data.await?.text())
}

#[cached(tags = ["{tag}"])]
async fn tagged(tag: String) -> usize {
    tag.len()
}

#[route("/depending/imitating", revalidate = false)]
async fn imitating(runs: Data<Runs>) -> String {
    cache::tag("\0path /depending/function");
    tagged("\0pattern /depending/fetched".into()).await;
    value(runs).await.to_string()
}

async fn behind_a_store(upstream: &Upstream) -> TestApp {
    let store = Arc::new(MemoryStore::new(1_000_000));
    let routes = routes(
        upstream,
        [function::ROUTE, fetched::ROUTE, imitating::ROUTE],
    );
    let app = TestApp::new(routes.data(Runs::default()).store(store));
    let app = app.await.unwrap();
    app.settled().await;
    app
}

async fn answer(app: &TestApp, path: &str) -> (u16, String, Option<Outcome>) {
    let found = app.get(path).await;
    app.settled().await;
    let text = found.text().to_owned();
    (found.status().as_u16(), text, found.outcome())
}

#[actix_web::test]
async fn an_invalidated_path_is_rendered_with_new_data() {
    let upstream = Upstream::start();
    let app = behind_a_store(&upstream).await;
    for path in [function::path(), fetched::path()] {
        for expected in ["2", "3"] {
            app.routes().revalidate_path(&*path).await.unwrap();
            let miss = (200, expected.into(), Some(Outcome::Miss));
            assert_eq!(answer(&app, &path).await, miss, "{path}");
            let hit = (200, expected.into(), Some(Outcome::Hit));
            assert_eq!(answer(&app, &path).await, hit, "{path}");
        }
    }
    assert_eq!(upstream.asked("/count/depending"), 3);
}

#[actix_web::test]
async fn a_path_marked_stale_is_refreshed_with_new_data() {
    let upstream = Upstream::start();
    let app = behind_a_store(&upstream).await;
    for path in [function::path(), fetched::path()] {
        let marked = app.routes().revalidate_path(&*path).stale();
        marked.await.unwrap();
        let stale = (200, "1".into(), Some(Outcome::Stale));
        assert_eq!(answer(&app, &path).await, stale, "{path}");
        let hit = (200, "2".into(), Some(Outcome::Hit));
        assert_eq!(answer(&app, &path).await, hit, "{path}");
    }
}

#[actix_web::test]
async fn a_tag_that_imitates_an_internal_one_has_no_effect() {
    let upstream = Upstream::start();
    let app = behind_a_store(&upstream).await;
    let routes = app.routes();
    routes.revalidate_path("/depending/function").await.unwrap();
    let pattern = routes.revalidate_pattern("/depending/fetched");
    pattern.await.unwrap();
    let kept = (200, "1".into(), Some(Outcome::Hit));
    assert_eq!(answer(&app, &imitating::path()).await, kept);
}
