//! The part that a store has in keeping content: what the program lists stays, what requests make has
//! bounds of its own, and `store = false` keeps a route or a function out.

use std::sync::atomic::AtomicU32;

use actix_web::web::{Data, Query};
use futures_util::future::join_all;
use route_runtime::build::Build;
use route_runtime::store::FileStore;
use route_runtime::testing::{Outcome, TestApp};
use route_runtime::{FetchError, RevalidateError, Routes, cached, fetch, revalidate_tag, route};
use serde::Deserialize;
use tests::{Directory, SECOND, Upstream, next, production};

const POSTS: u32 = 20;

#[derive(Deserialize)]
struct Asked {
    q: String,
}

#[cached(revalidate = 3600)]
async fn found(q: String) -> String {
    format!("found {q}")
}

#[route("/keeping/search")]
async fn search(asked: Query<Asked>) -> String {
    found(asked.into_inner().q).await
}

#[cached(revalidate = 3600)]
async fn headline() -> String {
    "news".into()
}

#[route("/keeping/front", revalidate = 3600)]
async fn front() -> String {
    headline().await
}

#[cached(revalidate = 3600)]
async fn author(id: u32) -> String {
    format!("author {id}")
}

async fn posts() -> Vec<u32> {
    (0..POSTS).collect()
}

#[route("/keeping/posts/[id]", revalidate = 3600, static_params = posts)]
async fn post(id: u32) -> String {
    author(id).await
}

#[route("/keeping/authors/[id]", dynamic = "force-dynamic")]
async fn dynamic_author(id: u32) -> String {
    author(id).await
}

fn listing() -> Routes {
    let routes = [search::ROUTE, front::ROUTE, post::ROUTE];
    production(routes.into_iter().chain([dynamic_author::ROUTE]))
}

/// Returns the numbers of listed and of other entries in the files of a store.
fn parts(directory: &Directory) -> (usize, usize) {
    let files = directory.files(".");
    let entries = files.iter().filter_map(|file| {
        let mut folders = file.rsplit('/').skip(2);
        let scope = folders.next()?;
        let is_scope = scope.starts_with("app") || scope.starts_with("b-");
        is_scope.then(|| scope.ends_with("-other"))
    });
    let (others, listed): (Vec<_>, Vec<_>) = entries.partition(|is_other| *is_other);
    (listed.len(), others.len())
}

#[actix_web::test]
async fn random_keys_of_a_cached_search_displace_nothing_that_the_program_lists() {
    const ENTRIES: u64 = 100;
    let directory = Directory::new("keeping-search");
    let routes = || {
        let store = FileStore::options().entries(ENTRIES);
        listing().store(store.open(directory.path()))
    };
    let first = TestApp::new(routes()).await.unwrap();
    let listed = 1 + 1 + 2 * POSTS;
    assert_eq!(parts(&directory), (listed as usize, 0));

    for hundred in 0..20 {
        let paths = (0..100).map(|number| format!("/keeping/search?q={}", 100 * hundred + number));
        let paths: Vec<_> = paths.collect();
        join_all(paths.iter().map(|path| first.get(path))).await;
        // Paths that no `static_params` lists are no better.
        let paths =
            (0..10).map(|number| format!("/keeping/posts/{}", POSTS + 10 * hundred + number));
        let paths: Vec<_> = paths.collect();
        join_all(paths.iter().map(|path| first.get(path))).await;
        first.settled().await;
    }

    let second = first.beside(routes()).await.unwrap();
    for id in 0..POSTS {
        let path = format!("/keeping/posts/{id}");
        assert_eq!(second.get(&path).await.outcome(), Some(Outcome::Hit));
        second.get(&format!("/keeping/authors/{id}")).await;
    }
    assert_eq!(second.get("/keeping/front").await.text(), "news");
    assert_eq!(second.routes().stats().renders, 0);
    assert_eq!(parts(&directory).0, listed as usize);
    // Each process counts its own writes. One more makes it look.
    for number in 0.. {
        if parts(&directory).1 <= (ENTRIES / 2) as usize {
            break;
        }
        assert!(number < 10_000, "{:?}", parts(&directory));
        second.get(&format!("/keeping/search?q=last{number}")).await;
        second.settled().await;
    }
}

#[actix_web::test]
async fn everything_that_a_build_renders_is_listed_and_so_is_the_data_of_it() {
    let directory = Directory::new("keeping-build");
    let built = Build::of(&listing()).write(directory.path()).await.unwrap();
    assert_eq!(built.responses, 1 + POSTS as usize);
    assert_eq!(parts(&directory), (2 + 2 * POSTS as usize, 0));
}

static MADE: AtomicU32 = AtomicU32::new(0);

#[cached(store = false, tags = ["keeping-own"])]
async fn own_value(id: u32) -> u32 {
    id * 1000 + next(&MADE)
}

#[route("/keeping/own", store = false, tags = ["keeping-own"])]
async fn own() -> String {
    next(&MADE).to_string()
}

#[route("/keeping/own/[id]", revalidate = 3600, store = false)]
async fn own_of(id: u32) -> String {
    own_value(id).await.to_string()
}

#[route("/keeping/values/[id]", dynamic = "force-dynamic")]
async fn value(id: u32) -> String {
    own_value(id).await.to_string()
}

#[route(POST, "/keeping/invalidate")]
async fn invalidate() -> Result<&'static str, RevalidateError> {
    revalidate_tag("keeping-own").await?;
    Ok("invalidated")
}

#[actix_web::test]
async fn content_with_store_false_is_in_no_store_and_invalidations_reach_it() {
    let directory = Directory::new("keeping-own");
    let routes = || {
        let routes = [own::ROUTE, own_of::ROUTE, value::ROUTE, invalidate::ROUTE];
        production(routes).store(FileStore::open(directory.path()))
    };
    let one = TestApp::new(routes()).await.unwrap();
    let two = one.beside(routes()).await.unwrap();
    // Each renders it ahead.
    for app in [&one, &two] {
        let outcome = app.get("/keeping/own").await.outcome();
        assert_eq!(outcome, Some(Outcome::Hit));
    }
    for path in ["/keeping/own", "/keeping/own/7", "/keeping/values/8"] {
        let (first, other) = (one.get(path).await, two.get(path).await);
        assert_ne!(first.text(), other.text(), "{path}");
        assert_eq!(one.get(path).await.text(), first.text(), "{path}");

        let post = actix_web::test::TestRequest::post().uri("/keeping/invalidate");
        assert_eq!(two.send(post).await.text(), "invalidated");
        one.advance(2 * SECOND);
        assert!(one.caught_up().await && two.caught_up().await);
        let anew = one.get(path).await;
        let old = [first.text(), other.text()];
        assert!(!old.contains(&anew.text()), "{path}");
    }
    one.settled().await;
    two.settled().await;
    assert_eq!(parts(&directory), (0, 0));

    let built = Build::of(&routes()).write(directory.path()).await.unwrap();
    assert_eq!(
        (built.responses, built.in_memory),
        (0, vec!["/keeping/own".into()])
    );
    assert_eq!(parts(&directory), (0, 0));
}

#[route("/keeping/fetched/[id]", revalidate = 3600, store = false)]
async fn fetched(id: u32, upstream: Data<Upstream>) -> Result<String, FetchError> {
    Ok(fetch(upstream.url(&format!("/count/{id}"))).await?.text())
}

#[actix_web::test]
async fn data_that_is_fetched_for_content_with_store_false_is_in_no_store_either() {
    let directory = Directory::new("keeping-fetched");
    let upstream = Upstream::start();
    let routes = || {
        let routes = production([fetched::ROUTE]).data(upstream.clone());
        routes.store(FileStore::open(directory.path()))
    };
    let one = TestApp::new(routes()).await.unwrap();
    let two = one.beside(routes()).await.unwrap();
    for (app, count) in [(&one, "1"), (&two, "2"), (&one, "1")] {
        assert_eq!(app.get("/keeping/fetched/7").await.text(), count);
        app.settled().await;
    }
    assert_eq!(parts(&directory), (0, 0));
}
