//! Tests of `fetch` in handlers that run for each request: what is cached, and under which key.
//! The upstream is a real server that counts its requests.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use route_runtime::testing::TestApp;
use route_runtime::{Fetch, FetchError, Mode, RouteDescriptor, Routes, fetch, route};
use tests::{SECOND, Upstream, production};

mod failing;
mod invalidated;

pub(crate) fn routes(
    upstream: &Upstream,
    routes: impl IntoIterator<Item = RouteDescriptor>,
) -> Routes {
    production(routes).data(upstream.clone())
}

pub(crate) async fn app(
    upstream: &Upstream,
    routes: impl IntoIterator<Item = RouteDescriptor>,
) -> TestApp {
    TestApp::new(self::routes(upstream, routes)).await.unwrap()
}

/// Calls the method of `fetch` that `how` names, as a handler would.
pub(crate) fn wished(fetch: Fetch, how: &str) -> Fetch {
    match how {
        "plain" => fetch,
        "no_store" => fetch.no_store(),
        "force_cache" => fetch.force_cache(),
        "revalidate" => fetch.revalidate(5),
        other => panic!("{other}"),
    }
}

#[route("/fetching/dynamic/[how]", dynamic = "force-dynamic")]
async fn dynamic(how: String, upstream: Data<Upstream>) -> Result<String, FetchError> {
    let data = fetch(upstream.url(&format!("/count/{how}")));
    Ok(wished(data, &how).await?.text())
}

#[route("/fetching/reads/[how]")]
async fn reads(
    how: String,
    upstream: Data<Upstream>,
    _: HttpRequest,
) -> Result<String, FetchError> {
    let data = fetch(upstream.url(&format!("/count/{how}")));
    Ok(wished(data, &how).await?.text())
}

#[route(POST, "/fetching/dynamic/[how]")]
async fn post(how: String, upstream: Data<Upstream>) -> Result<String, FetchError> {
    let data = fetch(upstream.url(&format!("/count/{how}")));
    Ok(wished(data, &how).await?.text())
}

#[actix_web::test]
async fn in_a_dynamic_handler_each_call_decides_whether_its_data_is_cached() {
    let check = async |handler: RouteDescriptor, request: fn(&str) -> TestRequest| {
        let upstream = Upstream::start();
        let app = app(&upstream, [handler]).await;
        for (how, expected) in [
            ("plain", ["1", "2", "3"]),
            ("no_store", ["1", "2", "3"]),
            ("force_cache", ["1", "1", "1"]),
            ("revalidate", ["1", "1", "1"]),
        ] {
            for expected in expected {
                assert_eq!(app.send(request(how)).await.text(), expected, "{how}");
            }
        }
    };
    let get = |how: &str| TestRequest::get().uri(&dynamic::path(how));
    check(dynamic::ROUTE, get).await;
    check(reads::ROUTE, |how| {
        TestRequest::get().uri(&reads::path(how))
    })
    .await;
    let post = |how: &str| TestRequest::post().uri(&dynamic::path(how));
    check(self::post::ROUTE, post).await;
}

#[actix_web::test]
async fn a_dynamic_handler_gets_stale_data_while_it_is_refreshed() {
    let upstream = Upstream::start();
    let app = app(&upstream, [dynamic::ROUTE]).await;
    let check = async |expected: &str| {
        assert_eq!(app.get(&dynamic::path("revalidate")).await.text(), expected);
        app.settled().await;
    };
    check("1").await;
    app.advance(5 * SECOND);
    check("1").await;
    check("2").await;
    app.advance(Duration::from_secs(3600));
    check("2").await;
    check("3").await;
}

#[route("/fetching/option/only/[how]", fetch_cache = "only-cache")]
async fn only_cache(how: String, upstream: Data<Upstream>) -> Result<String, FetchError> {
    let data = fetch(upstream.url("/count/only"));
    Ok(wished(data, &how).await?.text())
}

#[route("/fetching/option/never/[how]", fetch_cache = "only-no-store")]
async fn only_no_store(how: String, upstream: Data<Upstream>) -> Result<String, FetchError> {
    let data = fetch(upstream.url("/count/never"));
    Ok(wished(data, &how).await?.text())
}

#[actix_web::test]
async fn a_call_that_contradicts_an_only_option_is_an_error() {
    let upstream = Upstream::start();
    let routes = routes(&upstream, [only_cache::ROUTE, only_no_store::ROUTE]);
    let app = TestApp::new(routes.mode(Mode::Development)).await.unwrap();
    let check = async |path: String, expected: &str| {
        let response = app.get(&path).await;
        assert!(response.text().contains(expected), "{}", response.text());
    };
    check(only_cache::path("plain"), "1").await;
    check(only_cache::path("plain"), "1").await;
    check(only_cache::path("revalidate"), "2").await;
    let forbidden = "\\\"only-cache\\\"` forbids `no_store`";
    check(only_cache::path("no_store"), forbidden).await;
    check(only_no_store::path("plain"), "1").await;
    check(only_no_store::path("revalidate"), "2").await;
    let forbidden = "\\\"only-no-store\\\"` forbids `force_cache`";
    check(only_no_store::path("force_cache"), forbidden).await;
    assert_eq!(
        (
            upstream.asked("/count/only"),
            upstream.asked("/count/never")
        ),
        (2, 2)
    );
}

#[route(POST, "/fetching/echo/[method]")]
async fn echo(
    method: String,
    body: Bytes,
    upstream: Data<Upstream>,
    request: HttpRequest,
) -> Result<String, FetchError> {
    let mut data = fetch(upstream.url("/echo"))
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .revalidate(60)
        .body(body);
    for name in ["x-who", "traceparent", "authorization"] {
        if let Some(value) = request.headers().get(name) {
            data = data.header(name, value);
        }
    }
    Ok(data.await?.text())
}

#[actix_web::test]
async fn method_body_and_headers_are_part_of_the_key() {
    let upstream = Upstream::start();
    let app = app(&upstream, [echo::ROUTE]).await;
    let check = async |method: &str, body: &str, header: Option<(&str, &str)>, expected: &str| {
        let mut request = TestRequest::post().uri(&echo::path(method));
        request = request.set_payload(body.to_owned());
        if let Some(header) = header {
            request = request.insert_header(header);
        }
        assert_eq!(app.send(request).await.text(), expected);
    };
    check("POST", "a", None, "POST a nobody 1").await;
    check("POST", "b", None, "POST b nobody 2").await;
    check("POST", "a", None, "POST a nobody 1").await;
    check("POST", "a", Some(("x-who", "me")), "POST a me 3").await;
    check("POST", "a", Some(("x-who", "you")), "POST a you 4").await;
    check("POST", "a", Some(("x-who", "me")), "POST a me 3").await;
    check(
        "POST",
        "a",
        Some(("traceparent", "00-1-2-00")),
        "POST a nobody 1",
    )
    .await;
    check(
        "POST",
        "a",
        Some(("authorization", "one")),
        "POST a nobody 5",
    )
    .await;
    check(
        "POST",
        "a",
        Some(("authorization", "two")),
        "POST a nobody 6",
    )
    .await;
    check("GET", "", None, "GET  nobody 7").await;
    check("GET", "", None, "GET  nobody 7").await;
    // `DELETE` changes something, so it is sent each time.
    check("DELETE", "", None, "DELETE  nobody 8").await;
    check("DELETE", "", None, "DELETE  nobody 9").await;
}

#[route("/fetching/at/[...path]", dynamic = "force-dynamic")]
async fn at(path: Vec<String>, upstream: Data<Upstream>) -> Result<HttpResponse, FetchError> {
    let url = upstream.url(&format!("/{}", path.join("/")));
    let found = fetch(url).revalidate(60).await?;
    let mut response = HttpResponse::build(found.status());
    for name in ["set-cookie", "x-kept", "content-encoding"] {
        if let Some(value) = found.headers().get(name) {
            response.insert_header((format!("found-{name}"), value.clone()));
        }
    }
    Ok(response.body(found.bytes()))
}

fn path(of: &str) -> String {
    format!("/fetching/at{of}")
}

#[actix_web::test]
async fn only_responses_with_status_200_are_kept() {
    let upstream = Upstream::start();
    let app = app(&upstream, [at::ROUTE]).await;
    for status in [201, 204, 206, 404, 410, 500, 503] {
        let asked = format!("/status/{status}");
        for expected in 1..=2 {
            assert_eq!(app.get(&path(&asked)).await.status().as_u16(), status);
            assert_eq!(upstream.asked(&asked), expected);
            // Calls within the next second share the response.
            app.get(&path(&asked)).await;
            assert_eq!(upstream.asked(&asked), expected);
            app.advance(SECOND);
        }
    }
    for _ in 0..2 {
        assert_eq!(app.get(&path("/status/200")).await.text(), "x");
        app.advance(SECOND);
    }
    assert_eq!(upstream.asked("/status/200"), 1);
}

#[actix_web::test]
async fn bodies_are_exact_on_miss_and_hit() {
    let upstream = Upstream::start();
    let app = app(&upstream, [at::ROUTE]).await;
    let binary: Vec<u8> = (0..=255).cycle().take(1000).collect();
    for _ in 0..2 {
        assert_eq!(app.get(&path("/bytes/1000")).await.body().as_ref(), binary);
        let found = app.get(&path("/gzip")).await;
        assert_eq!(found.text(), "compressed");
        assert_eq!(found.header("found-content-encoding"), None);
        assert_eq!(app.get(&path("/bytes/0")).await.text(), "");
    }
    assert_eq!(
        (upstream.asked("/bytes/1000"), upstream.asked("/gzip")),
        (1, 1)
    );
}

#[actix_web::test]
async fn cookies_of_the_upstream_are_not_kept() {
    let upstream = Upstream::start();
    let app = app(&upstream, [at::ROUTE]).await;
    for _ in 0..2 {
        let found = app.get(&path("/cookie")).await;
        assert_eq!(
            (found.text(), found.header("found-x-kept")),
            ("1", Some("yes"))
        );
        assert_eq!(found.header("found-set-cookie"), None);
    }
}

#[actix_web::test]
async fn a_body_that_is_too_large_to_keep_is_returned() {
    let upstream = Upstream::start();
    let app = app(&upstream, [at::ROUTE]).await;
    const MANY: usize = 30_000_000;
    let large = format!("/bytes/{MANY}");
    for expected in 1..=2 {
        assert_eq!(app.get(&path(&large)).await.body().len(), MANY);
        assert_eq!(upstream.asked(&large), expected);
    }
    assert_eq!(app.routes().stats().entries, 0);
}

#[actix_web::test]
async fn fetched_data_stays_within_the_capacity_of_the_cache() {
    let upstream = Upstream::start();
    let routes = routes(&upstream, [at::ROUTE]).cache_capacity(1_000_000);
    let app = TestApp::new(routes).await.unwrap();
    for number in 0..100 {
        app.get(&path(&format!("/bytes/{}", 30_000 + number))).await;
    }
    let stats = app.routes().stats();
    assert!(stats.bytes <= 1_000_000 && stats.entries > 10, "{stats:?}");
}

#[actix_web::test]
async fn a_reload_in_development_fetches_from_the_upstream() {
    let upstream = Upstream::start();
    let reload = || {
        let request = TestRequest::get().uri(&dynamic::path("force_cache"));
        request.insert_header(("cache-control", "no-cache"))
    };
    let routes = routes(&upstream, [dynamic::ROUTE]);
    let dev = TestApp::new(routes.clone().mode(Mode::Development))
        .await
        .unwrap();
    let usual = async || {
        dev.get(&dynamic::path("force_cache"))
            .await
            .text()
            .to_owned()
    };
    assert_eq!(usual().await, "1");
    assert_eq!(usual().await, "1");
    assert_eq!(dev.send(reload()).await.text(), "2");
    assert_eq!(usual().await, "2", "and what it got is kept");
    // In production a client cannot bypass the cache.
    let production = TestApp::new(routes).await.unwrap();
    for _ in 0..2 {
        assert_eq!(production.send(reload()).await.text(), "3");
    }
}
