//! Shared caches outside that are purged of what is invalidated.

mod providers;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::test::TestRequest;
use route_runtime::purge::{Purge, PurgeError, PurgeFuture, Purged};
use route_runtime::store::MemoryStore;
use route_runtime::testing::{Outcome, TestApp};
use route_runtime::{Mode, RevalidateError, Routes, cached, revalidate_tag, route};
use tests::SECOND;
use tokio::sync::Notify;

#[cached(revalidate = false)]
async fn name(id: u32) -> String {
    format!("name {id}")
}

#[route("/purging/[id]", revalidate = 600, tags = ["purging", "purging:{id}"], cdn = true)]
async fn item(id: u32) -> String {
    name(id).await
}

#[route(POST, "/purging/[id]")]
async fn change(id: u32) -> Result<&'static str, RevalidateError> {
    item::revalidate(id).await?;
    Ok("changed")
}

#[route(POST, "/purging-name/[id]")]
async fn rename(id: u32) -> Result<&'static str, RevalidateError> {
    name::revalidate(id).await?;
    Ok("renamed")
}

#[route(POST, "/purging-twice")]
async fn twice() -> &'static str {
    let purged = revalidate_tag("purging").await;
    assert!(matches!(purged, Err(RevalidateError::Purge(_))));
    "twice"
}

/// A shared cache that remembers what it was told, and answers as it is told.
#[derive(Clone, Default)]
struct Told(Arc<ToldInner>);

#[derive(Default)]
struct ToldInner {
    purges: Mutex<Vec<Purged>>,
    changed: Notify,
    does: Mutex<Does>,
}

#[derive(Clone, Copy, Default)]
enum Does {
    #[default]
    Purge,
    Fail,
    Hang,
}

impl Told {
    fn take(&self) -> Vec<Purged> {
        std::mem::take(&mut self.0.purges.lock().unwrap())
    }

    fn does(&self, does: Does) {
        *self.0.does.lock().unwrap() = does;
    }

    /// Waits until it was told something, and returns it.
    async fn next(&self) -> Purged {
        loop {
            let changed = self.0.changed.notified();
            if let Some(first) = self.take().into_iter().next() {
                return first;
            }
            changed.await;
        }
    }
}

impl Purge for Told {
    fn purge<'a>(&'a self, what: &'a Purged) -> PurgeFuture<'a> {
        self.0.purges.lock().unwrap().push(what.clone());
        self.0.changed.notify_one();
        let does = *self.0.does.lock().unwrap();
        Box::pin(async move {
            match does {
                Does::Purge => Ok(()),
                Does::Fail => Err(PurgeError::new("it is full")),
                Does::Hang => std::future::pending().await,
            }
        })
    }
}

fn routes(told: &Told) -> Routes {
    let routes = [item::ROUTE, change::ROUTE, rename::ROUTE, twice::ROUTE];
    let routes = Routes::from_iter(routes).unwrap();
    routes.mode(Mode::Production).purge(told.clone())
}

#[actix_web::test]
async fn what_is_invalidated_is_purged_by_the_names_that_responses_carry() {
    let told = Told::default();
    let app = TestApp::new(routes(&told)).await.unwrap();
    let sent = app.get("/purging/7").await;
    let mut carried: Vec<_> = sent.header("cache-tag").unwrap().split(',').collect();
    carried.sort_unstable();
    let [path, pattern, data, plain, own] = carried[..] else {
        panic!("{carried:?}")
    };
    assert_eq!((path, pattern), ("/purging/7", "/purging/[id]"));
    assert_eq!((plain, own), ("purging", "purging:7"));

    let routes = app.routes();
    routes.revalidate_path("/purging/%37").await.unwrap();
    routes.revalidate_pattern("/purging/[id]").await.unwrap();
    routes.revalidate_tag("purging").stale().await.unwrap();
    routes.revalidate_tag("a b,c").await.unwrap();
    let purges = told.take();
    let tags: Vec<_> = purges.iter().map(|it| it.tags().join(" ")).collect();
    assert_eq!(tags, [path, pattern, plain, "a%20b%2Cc"]);
    let paths: Vec<_> = purges.iter().map(|it| it.paths().join(" ")).collect();
    assert_eq!(paths, [path, "", "", ""]);
    let soft: Vec<_> = purges.iter().map(Purged::is_soft).collect();
    assert_eq!(soft, [false, false, true, false]);

    // From a handler, for a value of a cached function, and under a prefix.
    app.send(TestRequest::post().uri("/purging/7")).await;
    assert_eq!(told.next().await.tags(), [path]);
    let renamed = app.send(TestRequest::post().uri("/purging-name/7")).await;
    assert_eq!(renamed.text(), "renamed");
    assert_eq!(told.next().await.tags(), [data]);
    let behind = TestApp::new(routes.clone().at("/v1").unwrap())
        .await
        .unwrap();
    behind.send(TestRequest::post().uri("/v1/purging/7")).await;
    assert_eq!(told.next().await.paths(), ["/v1/purging/7"]);
}

#[actix_web::test]
async fn an_invalidation_that_means_nothing_is_not_purged() {
    let told = Told::default();
    let app = TestApp::new(routes(&told)).await.unwrap();
    assert!(app.routes().revalidate_path("/nowhere").await.is_err());
    assert!(app.routes().revalidate_tag("").await.is_err());
    assert_eq!(told.take(), []);
}

#[actix_web::test]
async fn a_purge_that_fails_is_an_error_after_the_invalidation_took_effect() {
    let told = Told::default();
    told.does(Does::Fail);
    let app = TestApp::new(routes(&told)).await.unwrap();
    app.get("/purging/8").await;
    let error = app
        .routes()
        .revalidate_path("/purging/8")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("took effect"), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "it is full");
    assert_eq!(app.get("/purging/8").await.outcome(), Some(Outcome::Miss));
    // In a handler it is an error like others, and clients learn nothing of it.
    let answer = app.send(TestRequest::post().uri("/purging/8")).await;
    assert_eq!(answer.status(), 500);
    assert!(!answer.text().contains("full"), "{}", answer.text());
    assert_eq!(
        app.send(TestRequest::post().uri("/purging-twice"))
            .await
            .text(),
        "twice"
    );
}

#[actix_web::test]
async fn a_purge_that_hangs_holds_nobody_up_for_longer_than_two_seconds() {
    let told = Told::default();
    told.does(Does::Hang);
    let app = TestApp::new(routes(&told)).await.unwrap();
    let routes = app.routes().clone();
    let waiting = actix_web::rt::spawn(async move { routes.revalidate_tag("purging").await });
    told.next().await;
    app.advance(2 * SECOND);
    let error = waiting.await.unwrap().unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.contains("did not answer within two seconds"),
        "{cause}"
    );
}

#[actix_web::test]
async fn the_same_purge_is_sent_again_a_second_after_the_staleness_bound() {
    let bound = Duration::from_secs(5);
    let told = Told::default();
    let shared = routes(&told).store(MemoryStore::new(1_000_000));
    let app = TestApp::new(shared.staleness_bound(bound)).await.unwrap();
    app.routes().revalidate_tag("purging").await.unwrap();
    let first = told.take();
    assert_eq!(first.len(), 1);
    app.advance(bound);
    assert_eq!(told.take(), []);
    app.advance(SECOND);
    assert_eq!(told.next().await, first[0]);

    // Without a store, only responses on their way may be older.
    let alone = app.beside(routes(&told)).await.unwrap();
    alone.routes().revalidate_tag("purging").await.unwrap();
    told.take();
    app.advance(SECOND);
    assert_eq!(told.next().await, first[0]);
}

#[actix_web::test]
async fn a_caller_that_goes_away_leaves_the_second_purge() {
    let told = Told::default();
    told.does(Does::Hang);
    let app = TestApp::new(routes(&told)).await.unwrap();
    let routes = app.routes().clone();
    let waiting = actix_web::rt::spawn(async move { routes.revalidate_tag("purging").await });
    let first = told.next().await;
    waiting.abort();
    told.does(Does::Purge);
    app.advance(SECOND);
    assert_eq!(told.next().await, first);
}
