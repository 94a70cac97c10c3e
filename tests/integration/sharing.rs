//! Several instances of one app that share a store, and the next run of a program.

use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::test::TestRequest;
use actix_web::web::Data;
use futures_util::future::join;
use route_runtime::cache::OnPartition;
use route_runtime::store::{
    EntryKey, Invalidation, Invalidations, Mark, MemoryStore, Recorded, Store, StoreError,
    StoreFuture, StoredEntry, Tag,
};
use route_runtime::testing::{Outcome, TestApp, TestResponse};
use route_runtime::{
    RevalidateError, RouteDescriptor, Routes, revalidate_path, revalidate_tag, route,
};
use tests::{Gate, Runs, SECOND, production};
use tokio::sync::watch;

/// A store: the line of one instance to a memory that all instances share.
#[derive(Clone)]
struct Line {
    memory: Arc<MemoryStore>,
    news: Arc<watch::Sender<u64>>,
    cut: Arc<AtomicBool>,
    /// Makes a cut line hang, instead of answering with an error.
    hangs: bool,
    /// The gate that each read over the cut line opens.
    read: Arc<Gate>,
}

impl Line {
    fn new() -> Self {
        Self {
            memory: Arc::new(MemoryStore::new(10_000_000)),
            news: Arc::new(watch::Sender::new(0)),
            cut: Arc::default(),
            hangs: false,
            read: Arc::default(),
        }
    }

    /// Returns another line to the same memory.
    fn another(&self) -> Self {
        Self {
            cut: Arc::default(),
            read: Arc::default(),
            ..self.clone()
        }
    }

    fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }

    fn go<'a, T: Send + 'a>(
        &'a self,
        act: impl FnOnce(&'a MemoryStore) -> StoreFuture<'a, T>,
    ) -> StoreFuture<'a, T> {
        match (self.is_cut(), self.hangs) {
            (false, _) => act(&self.memory),
            (true, true) => Box::pin(pending()),
            (true, false) => Box::pin(ready(Err(StoreError::new("the line is cut")))),
        }
    }
}

impl Store for Line {
    fn read<'a>(&'a self, key: EntryKey<'a>, seen: Mark) -> StoreFuture<'a, Option<StoredEntry>> {
        if self.is_cut() {
            self.read.open();
        }
        self.go(|memory| memory.read(key, seen))
    }

    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, bool> {
        self.go(|memory| memory.write(key, entry))
    }

    fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()> {
        self.go(|memory| memory.remove(key))
    }

    fn invalidate<'a>(
        &'a self,
        tags: &'a [Tag],
        how: Invalidation,
        seen: Mark,
    ) -> StoreFuture<'a, Recorded> {
        self.go(|memory| {
            let recorded = memory.invalidate(tags, how, seen);
            self.news.send_modify(|news| *news += 1);
            recorded
        })
    }

    fn invalidations(&self, seen: Mark, own: Option<Mark>) -> StoreFuture<'_, Invalidations> {
        self.go(|memory| memory.invalidations(seen, own))
    }

    fn changed(&self) -> StoreFuture<'_, ()> {
        let mut news = self.news.subscribe();
        Box::pin(async move {
            let told = news.changed().await;
            told.map_err(|_| StoreError::new("nobody is left to tell"))
        })
    }
}

#[route("/sharing/item/[id]", revalidate = 10, tags = ["sharing-items"])]
async fn item(id: String, runs: Data<Runs>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.append_header(("x-order", "b"));
    response.append_header(("x-order", "a"));
    let opaque = HeaderValue::from_bytes(b"\xfe\xff opaque").unwrap();
    response.append_header(("x-opaque", opaque));
    response.content_type("text/plain");
    response.body(format!("{id} {}", runs.next()))
}

#[route("/sharing/home", revalidate = 10, cdn = true)]
async fn home(runs: Data<Runs>) -> String {
    format!("home {}", runs.next())
}

#[route(POST, "/sharing/write")]
async fn write() -> Result<HttpResponse, RevalidateError> {
    revalidate_tag("sharing-items").await?;
    revalidate_path("/sharing/home").await?;
    Ok(HttpResponse::NoContent().finish())
}

fn routes(line: &Line, runs: &Runs) -> Routes {
    these([item::ROUTE, home::ROUTE, write::ROUTE], line, runs)
}

fn these(routes: impl IntoIterator<Item = RouteDescriptor>, line: &Line, runs: &Runs) -> Routes {
    let routes = production(routes).data(runs.clone());
    routes.build_id("test").store(line.clone())
}

fn status(response: &TestResponse) -> &str {
    response.header("cache-status").unwrap_or("none")
}

async fn post(app: &TestApp) -> StatusCode {
    let request = TestRequest::post().uri("/sharing/write");
    app.send(request).await.status()
}

#[actix_web::test]
async fn an_instance_serves_what_another_has_rendered() {
    let (line, runs) = (Line::new(), Runs::default());
    let one = TestApp::new(routes(&line, &runs)).await.unwrap();
    let first = one.get("/sharing/item/a").await;
    assert_eq!(status(&first), "route; fwd=miss; stored");
    one.settled().await;
    one.advance(3 * SECOND);

    let two = one.beside(routes(&line, &runs)).await.unwrap();
    let second = two.get("/sharing/item/a").await;
    assert_eq!(status(&second), "route; hit; ttl=7");
    assert_eq!(second.header("age"), Some("3"));
    assert_eq!(second.body(), first.body());
    for name in [
        "x-order",
        "x-opaque",
        "content-type",
        "etag",
        "cache-control",
    ] {
        let values = |response: &TestResponse| {
            let values = response.headers().get_all(name);
            values
                .map(|value| value.as_bytes().to_vec())
                .collect::<Vec<_>>()
        };
        assert!(!values(&first).is_empty(), "{name}");
        assert_eq!(values(&second), values(&first), "{name}");
    }
    let stats = two.routes().stats();
    assert_eq!((stats.renders, stats.adopted), (0, 2));
    assert_eq!(runs.count(), 2);
}

#[actix_web::test]
async fn no_instance_serves_what_another_has_invalidated() {
    let (line, runs) = (Line::new(), Runs::default());
    let one = TestApp::new(routes(&line, &runs)).await.unwrap();
    let two = one.beside(routes(&line.another(), &runs)).await.unwrap();
    assert_eq!(one.get("/sharing/item/a").await.text(), "a 2");
    one.settled().await;
    assert_eq!(two.get("/sharing/item/a").await.text(), "a 2");

    assert_eq!(post(&two).await, StatusCode::NO_CONTENT);
    // The invalidation holds here at once, and there once it has arrived, although no clock moves.
    let here = two.get("/sharing/item/a").await;
    assert_eq!(
        (status(&here), here.text()),
        ("route; fwd=stale; stored", "a 3")
    );
    two.settled().await;
    loop {
        let there = one.get("/sharing/item/a").await;
        if there.text() == "a 3" {
            break;
        }
        assert_eq!(there.text(), "a 2");
        tokio::task::yield_now().await;
    }

    let marked = one.routes().revalidate_tag("sharing-items").stale();
    marked.await.unwrap();
    assert!(two.caught_up().await);
    assert_eq!(
        two.get("/sharing/item/a").await.outcome(),
        Some(Outcome::Stale)
    );
}

#[route(POST, "/sharing/forget")]
async fn forget() -> Result<HttpResponse, RevalidateError> {
    revalidate_tag("sharing-items").await?;
    Ok(HttpResponse::NoContent().finish())
}

#[actix_web::test]
async fn an_instance_that_caches_nothing_invalidates_for_others() {
    let (line, runs) = (Line::new(), Runs::default());
    let one = TestApp::new(these([item::ROUTE], &line, &runs));
    let one = one.await.unwrap();
    assert_eq!(one.get("/sharing/item/a").await.text(), "a 1");
    let writer = these([forget::ROUTE], &line.another(), &runs);
    let writer = one.beside(writer).await.unwrap();
    let request = TestRequest::post().uri(&forget::path());
    let response = writer.send(request).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert!(one.caught_up().await);
    assert_eq!(one.get("/sharing/item/a").await.text(), "a 2");
}

#[actix_web::test]
async fn the_next_run_keeps_entries_invalidations_and_ages_of_the_last() {
    let (line, runs) = (Line::new(), Runs::default());
    let old = TestApp::new(routes(&line, &runs)).await.unwrap();
    old.get("/sharing/item/a").await;
    old.get("/sharing/item/b").await;
    old.settled().await;
    let invalidated = old.routes().revalidate_path("/sharing/item/b");
    invalidated.await.unwrap();
    old.advance(4 * SECOND);

    let new = old.beside(routes(&line, &runs)).await.unwrap();
    drop(old);
    assert_eq!(new.routes().stats().renders, 0);
    let home = new.get("/sharing/home").await;
    assert_eq!(
        (status(&home), home.text()),
        ("route; hit; ttl=6", "home 1")
    );
    assert_eq!(new.get("/sharing/item/a").await.text(), "a 2");
    assert_eq!(new.get("/sharing/item/b").await.text(), "b 4");
    assert_eq!(
        new.get("/sharing/item/b").await.outcome(),
        Some(Outcome::Hit)
    );

    // By the wall clock the entry is stale: the first request gets it once more and refreshes it.
    new.advance(20 * SECOND);
    let last = new.beside(routes(&line, &runs)).await.unwrap();
    last.settled().await;
    assert_eq!(runs.count(), 4);
    let home = last.get("/sharing/home").await;
    assert_eq!(
        (status(&home), home.text()),
        ("route; hit; ttl=-14", "home 1")
    );
    last.settled().await;
    assert_eq!(last.get("/sharing/home").await.text(), "home 5");
}

#[actix_web::test]
async fn another_build_renders_for_itself_and_invalidates_for_both() {
    let (line, runs) = (Line::new(), Runs::default());
    let old = TestApp::new(routes(&line, &runs)).await.unwrap();
    assert_eq!(old.get("/sharing/home").await.text(), "home 1");
    let next = routes(&line, &runs).build_id("next");
    let next = old.beside(next).await.unwrap();
    assert_eq!(next.get("/sharing/home").await.text(), "home 2");
    // An invalidation reaches both builds.
    post(&next).await;
    assert!(old.caught_up().await);
    assert_eq!(old.get("/sharing/home").await.text(), "home 3");
}

#[actix_web::test]
async fn a_store_that_fails_fails_no_read_and_every_invalidation() {
    let (line, runs) = (Line::new(), Runs::default());
    line.cut(true);
    let app = TestApp::new(routes(&line, &runs)).await.unwrap();
    let home = app.get("/sharing/home").await;
    assert_eq!(status(&home), "route; hit; ttl=10; detail=unverified");
    let item = app.get("/sharing/item/a").await;
    assert_eq!(status(&item), "route; fwd=miss; stored");
    assert_eq!(item.text(), "a 2");
    // An invalidation is an error, because the other instances will not hear of it.
    assert_eq!(post(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    let failed = app.routes().revalidate_path("/sharing/home").await;
    assert!(matches!(failed, Err(RevalidateError::Store(_))));

    line.cut(false);
    assert!(app.caught_up().await);
    let home = app.get("/sharing/home").await;
    assert_eq!(
        (status(&home), home.text()),
        ("route; hit; ttl=10", "home 1")
    );
    assert_eq!(post(&app).await, StatusCode::NO_CONTENT);
    assert_eq!(app.get("/sharing/home").await.text(), "home 3");
}

#[actix_web::test]
async fn a_store_that_hangs_delays_one_request_by_fifty_milliseconds() {
    hangs(50, |routes| routes).await;
}

#[actix_web::test]
async fn a_store_that_hangs_delays_one_request_by_its_configured_limit() {
    hangs(200, |routes| routes.store_limit(SECOND / 5)).await;
}

async fn hangs(milliseconds: u64, with: impl FnOnce(Routes) -> Routes) {
    let (mut line, runs) = (Line::new(), Runs::default());
    line.hangs = true;
    let app = TestApp::new(with(routes(&line, &runs))).await.unwrap();
    line.cut(true);
    let limit = async {
        line.read.pass().await;
        app.advance(Duration::from_millis(milliseconds - 1));
        // Leave time for a wrong limit to end the call.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(runs.count(), 1, "only what was rendered ahead");
        // The limit may begin a little after the call that it applies to.
        while runs.count() == 1 {
            app.advance(Duration::from_millis(1));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let (item, ()) = join(app.get("/sharing/item/a"), limit).await;
    assert_eq!(
        (status(&item), item.text()),
        ("route; fwd=miss; stored", "a 2")
    );
    // The clock no longer moves, so a further delay would hang.
    for id in ["b", "c", "d"] {
        let item = app.get(&item::path(id)).await;
        assert_eq!(status(&item), "route; fwd=miss; stored");
    }
    assert_eq!(app.get("/sharing/home").await.outcome(), Some(Outcome::Hit));
}

#[actix_web::test]
async fn an_instance_cut_off_from_the_store_serves_entries_as_unverified() {
    let (line, runs) = (Line::new(), Runs::default());
    let one = TestApp::new(routes(&line, &runs)).await.unwrap();
    let cut = line.another();
    let two = one.beside(routes(&cut, &runs)).await.unwrap();
    one.get("/sharing/item/a").await;
    one.settled().await;
    two.get("/sharing/item/a").await;
    cut.cut(true);
    assert_eq!(post(&one).await, StatusCode::NO_CONTENT);
    assert_eq!(one.get("/sharing/home").await.text(), "home 3");
    two.advance(SECOND);
    assert_eq!(status(&two.get("/sharing/home").await), "route; hit; ttl=9");
    two.advance(Duration::from_millis(1));
    let home = two.get("/sharing/home").await;
    assert_eq!(status(&home), "route; hit; ttl=8; detail=unverified");
    assert_eq!(
        (home.text(), home.outcome()),
        ("home 1", Some(Outcome::Hit))
    );
    // Shared caches must not keep such a response.
    assert_eq!(home.header("cdn-cache-control"), Some("max-age=0"));
    let item = two.get("/sharing/item/a").await;
    assert_eq!(status(&item), "route; hit; ttl=8; detail=unverified");
    assert_eq!(two.routes().stats().unverified, 2);

    cut.cut(false);
    assert!(two.caught_up().await);
    one.settled().await;
    assert_eq!(two.get("/sharing/home").await.text(), "home 3");
    assert_eq!(two.get("/sharing/item/a").await.text(), "a 4");
    assert_eq!(two.routes().stats().unverified, 2);
}

#[actix_web::test]
async fn an_instance_cut_off_from_the_store_renders_if_configured_to() {
    let (line, runs) = (Line::new(), Runs::default());
    let routes = routes(&line, &runs).on_partition(OnPartition::Render);
    let app = TestApp::new(routes.staleness_bound(5 * SECOND));
    let app = app.await.unwrap();
    line.cut(true);
    app.advance(5 * SECOND);
    assert_eq!(app.get("/sharing/home").await.text(), "home 1");
    app.advance(SECOND);
    for run in 2..5 {
        let home = app.get("/sharing/home").await;
        assert_eq!(status(&home), "route; fwd=stale; stored");
        assert_eq!(home.text(), format!("home {run}"));
    }
    line.cut(false);
    assert!(app.caught_up().await);
    let home = app.get("/sharing/home").await;
    assert_eq!(
        (status(&home), home.text()),
        ("route; hit; ttl=10", "home 4")
    );
}
