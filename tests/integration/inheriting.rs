//! Inheritance by cached routes from the data that they use: lifetime, tags, and whether they are
//! cached at all.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use route_runtime::testing::{Outcome, TestApp};
use route_runtime::{
    FetchError, Mode, RevalidateError, context, fetch, revalidate_path, revalidate_tag, route,
};
use tests::{SECOND, Upstream, log};

use crate::fetching::{app, routes, wished};

#[route("/inheriting/image")]
async fn image(upstream: Data<Upstream>) -> Result<String, FetchError> {
    Ok(fetch(upstream.url("/count/image")).await?.text())
}

#[route("/inheriting/image/revalidate")]
async fn image_revalidated(upstream: Data<Upstream>) -> Result<String, FetchError> {
    let image = fetch(upstream.url("/count/new")).revalidate(5);
    Ok(image.await?.text())
}

#[actix_web::test]
async fn a_route_is_fresh_for_as_long_as_its_data() {
    let upstream = Upstream::start();
    let app = app(&upstream, [image::ROUTE, image_revalidated::ROUTE]).await;
    let check = async |path: &str, status: &str, body: &str| {
        let found = app.get(path).await;
        assert_eq!(
            (found.header("cache-status"), found.text()),
            (Some(status), body)
        );
        app.settled().await;
    };
    check(&image::path(), "route; hit", "1").await;
    check(&image_revalidated::path(), "route; hit; ttl=5", "1").await;
    app.advance(5 * SECOND);
    check(&image_revalidated::path(), "route; hit; ttl=-1", "1").await;
    check(&image_revalidated::path(), "route; hit; ttl=5", "2").await;
    app.advance(Duration::from_secs(1_000_000));
    check(&image::path(), "route; hit", "1").await;
    assert_eq!(
        (upstream.asked("/count/image"), upstream.asked("/count/new")),
        (1, 2)
    );
}

#[actix_web::test]
async fn in_development_data_is_cached_and_responses_are_not() {
    let upstream = Upstream::start();
    let routes = routes(&upstream, [image::ROUTE, image_revalidated::ROUTE]);
    let app = TestApp::new(routes.mode(Mode::Development)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(app.get(&image::path()).await.text(), "1");
        assert_eq!(app.get(&image_revalidated::path()).await.text(), "1");
    }
    app.advance(5 * SECOND);
    let found = app.get(&image_revalidated::path()).await;
    // A response that production would keep is not made of stale data.
    assert_eq!(
        (found.text(), found.outcome()),
        ("2", Some(Outcome::Bypass))
    );
    assert_eq!(app.get(&image::path()).await.text(), "1");
}

#[route("/inheriting/ten/[how]", revalidate = 10)]
async fn ten(how: String, upstream: Data<Upstream>) -> Result<String, FetchError> {
    let data = fetch(upstream.url(&format!("/count/ten-{how}")));
    Ok(wished(data, &how).await?.text())
}

#[actix_web::test]
async fn a_route_is_fresh_for_the_shorter_of_its_own_and_its_datas_lifetime() {
    let upstream = Upstream::start();
    let app = app(&upstream, [ten::ROUTE]).await;
    let check = async |how: &str, ttl: &str| {
        app.get(&ten::path(how)).await;
        let found = app.get(&ten::path(how)).await;
        assert_eq!(found.header("cache-status"), Some(ttl), "{how}");
    };
    check("revalidate", "route; hit; ttl=5").await;
    check("plain", "route; hit; ttl=10").await;
    check("force_cache", "route; hit; ttl=10").await;
    // The explicit `revalidate` of the route holds, and each render fetches anew.
    check("no_store", "route; hit; ttl=10").await;
    app.advance(10 * SECOND);
    for how in ["plain", "force_cache", "no_store"] {
        app.get(&ten::path(how)).await;
        app.settled().await;
        let asked = upstream.asked(&format!("/count/ten-{how}"));
        let expected = if how == "force_cache" { 1 } else { 2 };
        assert_eq!(asked, expected, "{how}");
    }
}

#[route("/inheriting/uncached")]
async fn uncached(upstream: Data<Upstream>) -> Result<String, FetchError> {
    Ok(fetch(upstream.url("/count/uncached"))
        .no_store()
        .await?
        .text())
}

#[route("/inheriting/signed")]
async fn signed(upstream: Data<Upstream>) -> Result<String, FetchError> {
    let data = fetch(upstream.url("/count/signed")).header("authorization", "Bearer key");
    Ok(data.await?.text())
}

#[route("/inheriting/forced", dynamic = "force-static")]
async fn forced(upstream: Data<Upstream>) -> Result<String, FetchError> {
    Ok(fetch(upstream.url("/count/forced"))
        .no_store()
        .await?
        .text())
}

#[route("/inheriting/error", dynamic = "error")]
async fn error(upstream: Data<Upstream>) -> String {
    // The handler swallows the error, and the render fails all the same.
    match fetch(upstream.url("/count/error")).no_store().await {
        Ok(found) => found.text(),
        Err(error) => error.to_string(),
    }
}

#[actix_web::test]
async fn uncached_data_makes_an_automatic_route_uncached() {
    let upstream = Upstream::start();
    let app = app(&upstream, [uncached::ROUTE, signed::ROUTE, forced::ROUTE]).await;
    for path in [uncached::path(), signed::path()] {
        // The first response was rendered ahead.
        for expected in ["2", "3", "4"] {
            let found = app.get(&path).await;
            assert_eq!(
                found.header("cache-status"),
                Some("route; fwd=bypass; detail=data")
            );
            assert_eq!(found.text(), expected);
        }
    }
    // Concurrent requests do not wait for one another.
    let slow = join_all((0..10).map(|_| app.get("/inheriting/uncached"))).await;
    let mut bodies: Vec<_> = slow.iter().map(|found| found.text().to_owned()).collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 10);
    for _ in 0..2 {
        assert_eq!(app.get(&forced::path()).await.text(), "1");
    }
}

#[route("/inheriting/told")]
async fn told(upstream: Data<Upstream>) -> Result<String, FetchError> {
    let data = fetch(upstream.url("/count/told")).no_store();
    Ok(data.await?.text())
}

#[actix_web::test]
async fn a_route_with_uncached_data_is_one_warning_with_the_url_and_the_remedy() {
    log::listen();
    let upstream = Upstream::start();
    let app = app(&upstream, [told::ROUTE]).await;
    for _ in 0..3 {
        app.get(&told::path()).await;
        // By then the cache has forgotten that each request renders this path for itself.
        app.advance(60 * SECOND);
    }
    assert_eq!(upstream.asked("/count/told"), 4);
    let lines = log::lines_with("`/inheriting/told` is rendered for each request");
    let [line] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    let url = format!(
        "GET {}, which is not cached (no_store)",
        upstream.url("/count/told")
    );
    assert!(line.starts_with("WARN ") && line.contains(&url), "{line}");
    assert!(line.contains("write `revalidate = N`"), "{line}");
}

#[actix_web::test]
async fn in_development_each_fetch_is_a_line_in_the_log() {
    log::listen();
    let upstream = Upstream::start();
    let routes = routes(&upstream, [image_revalidated::ROUTE, uncached::ROUTE]);
    let app = TestApp::new(routes.mode(Mode::Development)).await.unwrap();
    let check = async |path: String, asked: &str, expected: &[&str]| {
        app.get(&path).await;
        let lines = log::lines_with(&upstream.url(asked));
        assert_eq!(lines.len(), expected.len(), "{lines:?}");
        let line = lines.last().unwrap();
        let expected = expected.last().unwrap();
        let start = format!("INFO GET {} 200 ({expected}) ", upstream.url(asked));
        assert!(line.starts_with(&start) && line.ends_with(" ms"), "{line}");
    };
    check(image_revalidated::path(), "/count/new", &["miss"]).await;
    check(image_revalidated::path(), "/count/new", &["miss", "hit"]).await;
    app.advance(5 * SECOND);
    let expired = ["miss", "hit", "expired"];
    check(image_revalidated::path(), "/count/new", &expired).await;
    check(uncached::path(), "/count/uncached", &["no_store"]).await;
}

#[actix_web::test]
async fn uncached_data_in_a_route_with_dynamic_error_is_a_500() {
    let upstream = Upstream::start();
    let routes = routes(&upstream, [error::ROUTE]);
    let production = TestApp::new(routes.clone()).await.unwrap();
    let found = production.get(&error::path()).await;
    assert_eq!(found.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!found.text().contains("no_store"));
    let dev = TestApp::new(routes.mode(Mode::Development)).await.unwrap();
    let found = dev.get(&error::path()).await;
    assert_eq!(found.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let expected = "`dynamic = \\\"error\\\"` forbids what is not cached (no_store)";
    assert!(found.text().contains(expected), "{}", found.text());
    assert_eq!(upstream.asked("/count/error"), 0);
}

#[route("/inheriting/list")]
async fn list(upstream: Data<Upstream>) -> Result<String, FetchError> {
    let posts = fetch(upstream.url("/count/posts")).tags(["posts"]).await?;
    let other = fetch(upstream.url("/count/other")).await?;
    Ok(format!("{} {}", posts.text(), other.text()))
}

#[route("/inheriting/list/[id]", revalidate = false, tags = ["post:{id}"])]
async fn item(id: u8, upstream: Data<Upstream>) -> Result<String, FetchError> {
    let posts = fetch(upstream.url("/count/posts")).tags(["posts"]).await?;
    Ok(format!("{id} {}", posts.text()))
}

#[route(POST, "/inheriting/write/[what]")]
async fn write(what: String) -> Result<&'static str, RevalidateError> {
    match &*what {
        "path" => revalidate_path("/inheriting/list").await?,
        tag => revalidate_tag(tag).await?,
    }
    Ok("done")
}

#[actix_web::test]
async fn a_tag_invalidates_data_and_the_responses_made_of_it_in_one_step() {
    let upstream = Upstream::start();
    let app = app(&upstream, [list::ROUTE, item::ROUTE, write::ROUTE]).await;
    let check = async |path: &str, expected: &str| {
        assert_eq!(app.get(path).await.text(), expected, "{path}");
    };
    let write = async |what: &str| {
        let request = actix_web::test::TestRequest::post().uri(&write::path(what));
        assert_eq!(app.send(request).await.text(), "done");
    };
    check("/inheriting/list", "1 1").await;
    check("/inheriting/list/7", "7 1").await;
    write("posts").await;
    // Data without the tag stays, and the two routes that share data fetch it once.
    check("/inheriting/list/7", "7 2").await;
    check("/inheriting/list", "2 1").await;
    // Invalidating a path makes the data that it reads too old for this path.
    write("path").await;
    check("/inheriting/list", "3 2").await;
    check("/inheriting/list/7", "7 2").await;
    write("post:7").await;
    check("/inheriting/list/7", "7 4").await;
    check("/inheriting/list", "3 2").await;
}

#[route("/inheriting/tagged/[tag]", revalidate = false)]
async fn tagged(tag: String, upstream: Data<Upstream>) -> Result<String, FetchError> {
    let data = fetch(upstream.url("/count/tagged")).tags([&*tag]);
    Ok(data.await?.text())
}

#[actix_web::test]
async fn shared_data_is_invalidated_by_the_tags_of_each_call() {
    let upstream = Upstream::start();
    let app = app(&upstream, [tagged::ROUTE]).await;
    let check = async |tag: &str, expected: &str| {
        assert_eq!(app.get(&tagged::path(tag)).await.text(), expected, "{tag}");
    };
    check("one", "1").await;
    check("two words", "1").await;
    app.routes().revalidate_tag("two words").await.unwrap();
    check("one", "1").await;
    check("two words", "2").await;
    app.routes().revalidate_tag("one").await.unwrap();
    check("one", "3").await;
}

#[route("/inheriting/many", revalidate = 60)]
async fn many(upstream: Data<Upstream>) -> Result<String, FetchError> {
    let get = |name: &str| fetch(upstream.url(&format!("/count/{name}")));
    let (one, two) = tokio::join!(
        get("one").tags(["one"]).into_future(),
        get("two").tags(["two"]).revalidate(50).into_future()
    );
    let mut unordered: FuturesUnordered<_> = ["three", "four"]
        .map(|name| get(name).tags([name]).revalidate(40).into_future())
        .into_iter()
        .collect();
    while let Some(found) = unordered.next().await {
        found?;
    }
    let spawned = tokio::spawn(context::inherit(
        get("five").tags(["five"]).revalidate(30).into_future(),
    ));
    spawned.await.expect("it does not panic")?;
    Ok(format!("{} {}", one?.text(), two?.text()))
}

#[actix_web::test]
async fn a_route_inherits_from_all_data_that_it_fetches_concurrently() {
    let upstream = Upstream::start();
    let app = app(&upstream, [many::ROUTE]).await;
    let ttl = async || {
        app.get(&many::path())
            .await
            .header("cache-status")
            .unwrap()
            .to_owned()
    };
    assert_eq!(ttl().await, "route; hit; ttl=30");
    for (renders, tag) in ["one", "two", "three", "four", "five"]
        .into_iter()
        .enumerate()
    {
        app.routes().revalidate_tag(tag).await.unwrap();
        assert_eq!(ttl().await, "route; fwd=stale; stored", "{tag}");
        let asked = upstream.asked(&format!("/count/{tag}"));
        assert_eq!(asked, 2, "after {renders}");
    }
}

#[route("/inheriting/crowd/[id]", revalidate = 60)]
async fn crowd(id: u32, upstream: Data<Upstream>) -> Result<String, FetchError> {
    let found = fetch(upstream.url(&format!("/count/crowd/{}", id % 10))).await?;
    Ok(format!("{id} {}", found.text()))
}

#[actix_web::test]
async fn a_thousand_renders_share_ten_fetches() {
    let upstream = Upstream::start();
    let app = app(&upstream, [crowd::ROUTE]).await;
    let paths: Vec<_> = (0..1000).map(crowd::path).collect();
    let found = join_all(paths.iter().map(|path| app.get(path))).await;
    for (id, found) in found.iter().enumerate() {
        assert_eq!(found.text(), format!("{id} 1"));
    }
    for number in 0..10 {
        assert_eq!(upstream.asked(&format!("/count/crowd/{number}")), 1);
    }
}

#[route("/inheriting/broken", revalidate = 3600)]
async fn broken(upstream: Data<Upstream>) -> String {
    match fetch(upstream.url("/flaky/page")).await {
        Ok(found) if found.status() == StatusCode::OK => found.text(),
        _ => "nothing to show".into(),
    }
}

#[actix_web::test]
async fn a_response_made_of_a_failed_fetch_is_fresh_for_ten_seconds() {
    let upstream = Upstream::start();
    upstream.set_broken(true);
    let app = app(&upstream, [broken::ROUTE]).await;
    let found = app.get(&broken::path()).await;
    let expected = (Some("route; hit; ttl=10"), "nothing to show");
    assert_eq!((found.header("cache-status"), found.text()), expected);
    upstream.set_broken(false);
    app.advance(10 * SECOND);
    app.get(&broken::path()).await;
    app.settled().await;
    let found = app.get(&broken::path()).await;
    assert_eq!(
        (found.header("cache-status"), found.text()),
        (Some("route; hit; ttl=3600"), "2")
    );
}
