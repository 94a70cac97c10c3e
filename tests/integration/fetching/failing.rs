//! Failures of `fetch`: of upstreams, of callers, and of routes that fetch themselves.

use std::cell::Cell;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use futures_util::future::join_all;
use route_runtime::testing::TestApp;
use route_runtime::{FetchError, Mode, Routes, fetch, route};
use tests::{Server, Upstream, log};
use tokio::net::TcpSocket;

use super::*;

#[actix_web::test]
async fn a_broken_response_of_an_upstream_is_a_502_that_names_the_url() {
    let upstream = Upstream::start();
    let routes = routes(&upstream, [at::ROUTE]).mode(Mode::Development);
    let app = TestApp::new(routes).await.unwrap();
    let check = async |asked: &str, expected: &str| {
        let found = app.get(&path(asked)).await;
        assert_eq!(found.status(), StatusCode::BAD_GATEWAY);
        let url = format!("GET {}", upstream.url(asked));
        assert!(found.text().contains(&url), "{}", found.text());
        assert!(found.text().contains(expected), "{}", found.text());
    };
    check("/cut", "the body ended early").await;
    check("/loop", "redirected too often").await;
    assert_eq!(
        app.routes().stats().entries,
        2,
        "both are shared for a second"
    );
}

fn warnings(text: &str) -> Vec<String> {
    let mut lines = log::lines_with(text);
    lines.retain(|line| line.starts_with("WARN "));
    lines
}

#[actix_web::test]
async fn in_production_a_failure_that_many_share_is_one_warning() {
    log::listen();
    let upstream = Upstream::start();
    let app = app(&upstream, [at::ROUTE]).await;
    let cut = path("/cut/told");
    let found = join_all((0..10).map(|_| app.get(&cut))).await;
    assert!(
        found
            .iter()
            .all(|found| found.status() == StatusCode::BAD_GATEWAY)
    );
    let url = upstream.url("/cut/told");
    let lines = warnings(&url);
    let [line] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    let start = format!("WARN a fetch failed GET {url}: the body ended early or is damaged: ");
    assert!(line.starts_with(&start), "{line}");
    // A status such as 503 is no failed fetch: the handler decides what it means.
    app.get(&path("/status/503")).await;
    assert!(warnings(&upstream.url("/status/503")).is_empty());
}

#[route("/fetching/nowhere/[how]", dynamic = "force-dynamic")]
async fn nowhere(how: String) -> Result<String, FetchError> {
    // This socket holds the port, so that nobody else gets it and nothing listens on it.
    let held = TcpSocket::new_v4().unwrap();
    held.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = held.local_addr().unwrap();
    let url = match &*how {
        "nobody" => format!("http://me:secret@{address}/"),
        "malformed" => "no url".into(),
        "relative" => "/posts".into(),
        "scheme" => "ftp://example.com/".into(),
        other => panic!("{other}"),
    };
    let found = fetch(url).revalidate(60).timeout(SECOND).await?;
    Ok(found.text())
}

#[actix_web::test]
async fn an_unreachable_or_malformed_url_is_an_error_that_shows_no_password() {
    log::listen();
    let upstream = Upstream::start();
    let routes = routes(&upstream, [nowhere::ROUTE]);
    let dev = TestApp::new(routes.clone().mode(Mode::Development)).await;
    let (dev, production) = (dev.unwrap(), TestApp::new(routes).await.unwrap());
    for (how, status, expected) in [
        ("nobody", 502, "the connection failed"),
        ("malformed", 500, "GET no url: cannot be sent"),
        ("relative", 500, "GET /posts: cannot be sent"),
        ("scheme", 500, "GET ftp://example.com/: "),
    ] {
        let found = dev.get(&nowhere::path(how)).await;
        assert!(found.text().contains(expected), "{}", found.text());
        assert!(!found.text().contains("secret"), "{}", found.text());
        let found = production.get(&nowhere::path(how)).await;
        assert_eq!(found.status().as_u16(), status, "{how}");
        assert!(!found.text().contains("GET"), "{}", found.text());
    }
    assert!(!warnings("the connection failed").is_empty());
    assert!(log::lines_with("me:secret").is_empty());
}

#[actix_web::test]
async fn a_timeout_is_a_504_and_the_next_request_fetches_again() {
    let upstream = Upstream::start();
    let app = app(&upstream, [at::ROUTE]).await;
    let asked = path("/slow");
    let (found, ()) = tokio::join!(app.get(&asked), async {
        while upstream.asked("/slow") == 0 {
            tokio::task::yield_now().await;
        }
        app.advance(30 * SECOND);
    });
    assert_eq!(found.status(), StatusCode::GATEWAY_TIMEOUT);
    app.settled().await;
    app.advance(SECOND);
    upstream.let_go();
    upstream.let_go();
    assert_eq!(app.get(&path("/slow")).await.text(), "2");
}

#[route("/fetching/patience/[millis]", dynamic = "force-dynamic")]
async fn patience(millis: u64, upstream: Data<Upstream>) -> Result<String, FetchError> {
    let found = fetch(upstream.url("/slow/patience")).revalidate(60);
    let found = found.timeout(Duration::from_millis(millis)).await?;
    Ok(found.text())
}

const HOUR: u64 = 3_600_000;

/// Advances the clock in small steps until something has happened.
///
/// The steps are small because a test cannot see which calls wait for the clock by now.
async fn until(app: &TestApp, happened: impl Fn() -> bool) {
    while !happened() {
        app.advance(Duration::from_millis(10));
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn a_caller_with_more_time_fetches_again_when_the_shared_fetch_times_out() {
    let upstream = Upstream::start();
    let app = app(&upstream, [patience::ROUTE]).await;
    let is_over = Cell::new(false);
    let hurried = async { app.get(&patience::path(1000)).await };
    let patient = async {
        let patient = app.get(&patience::path(HOUR)).await;
        is_over.set(true);
        patient
    };
    let (hurried, patient, ()) = tokio::join!(hurried, patient, async {
        while upstream.asked("/slow/patience") == 0 {
            tokio::task::yield_now().await;
        }
        let asked_again = || upstream.asked("/slow/patience") == 2;
        until(&app, || asked_again() || is_over.get()).await;
        // The first fetch has been given up, but its request still waits at the upstream.
        upstream.let_go();
        upstream.let_go();
    });
    assert_eq!(hurried.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!((patient.status(), patient.text()), (StatusCode::OK, "2"));
}

#[actix_web::test]
async fn a_caller_with_less_time_times_out_alone() {
    let upstream = Upstream::start();
    let app = app(&upstream, [patience::ROUTE]).await;
    let is_over = Cell::new(false);
    let patient = async { app.get(&patience::path(HOUR)).await };
    let hurried = async {
        let hurried = app.get(&patience::path(100)).await;
        is_over.set(true);
        hurried
    };
    let (patient, hurried, ()) = tokio::join!(patient, hurried, async {
        while upstream.asked("/slow/patience") == 0 {
            tokio::task::yield_now().await;
        }
        until(&app, || is_over.get()).await;
        upstream.let_go();
    });
    assert_eq!(hurried.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!((patient.status(), patient.text()), (StatusCode::OK, "1"));
    assert_eq!(upstream.asked("/slow/patience"), 1);
}

#[route("/fetching/patience/none", revalidate = 3600)]
async fn no_patience(upstream: Data<Upstream>) -> String {
    let found = fetch(upstream.url("/slow/none")).timeout(Duration::ZERO);
    found
        .await
        .map_or_else(|error| error.is_timeout().to_string(), |found| found.text())
}

#[actix_web::test]
async fn a_response_made_without_its_data_is_fresh_for_ten_seconds() {
    let upstream = Upstream::start();
    let app = app(&upstream, [no_patience::ROUTE]).await;
    let found = app.get(&no_patience::path()).await;
    assert_eq!(
        (found.header("cache-status"), found.text()),
        (Some("route; hit; ttl=10"), "true")
    );
}

#[route("/fetching/bomb/[limit]", dynamic = "force-dynamic")]
async fn bomb(limit: u64, upstream: Data<String>) -> Result<String, FetchError> {
    let found = fetch(upstream.as_str()).body_limit(limit).await;
    if let Err(error) = &found {
        assert!(error.is_too_large(), "{error}");
    }
    Ok(found?.bytes().len().to_string())
}

#[actix_web::test]
async fn a_decompressed_body_is_read_up_to_its_limit_and_no_further() {
    const LENGTH: u64 = 4_000_000;
    let compressed = {
        use std::io::Write as _;
        let level = flate2::Compression::best();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
        encoder.write_all(&vec![0; LENGTH as usize]).unwrap();
        Bytes::from(encoder.finish().unwrap())
    };
    assert!(compressed.len() < 10_000, "{}", compressed.len());
    let upstream = Server::start(move || {
        let compressed = compressed.clone();
        actix_web::App::new().default_service(actix_web::web::to(move || {
            let mut response = HttpResponse::Ok();
            response.insert_header(("content-encoding", "gzip"));
            std::future::ready(response.body(compressed.clone()))
        }))
    });
    let routes = Routes::from_iter([bomb::ROUTE]).unwrap();
    let routes = routes.data(format!("http://{}", upstream.address()));
    let app = TestApp::new(routes.mode(Mode::Development)).await.unwrap();
    let found = app.get(&bomb::path(LENGTH)).await;
    assert_eq!(found.text(), LENGTH.to_string());
    let found = app.get(&bomb::path(LENGTH - 1)).await;
    assert_eq!(found.status(), StatusCode::BAD_GATEWAY);
    let why = "the body has more than the 3999999 bytes of its `body_limit`";
    assert!(found.text().contains(why), "{}", found.text());
}

#[actix_web::test]
async fn concurrent_callers_share_one_fetch() {
    let upstream = Upstream::start();
    let app = app(&upstream, [at::ROUTE]).await;
    let cold = path("/slow/cold");
    let (found, ()) = tokio::join!(join_all((0..30).map(|_| app.get(&cold))), async {
        upstream.let_go();
    });
    assert!(found.iter().all(|found| found.text() == "1"));
    assert_eq!(upstream.asked("/slow/cold"), 1);
}

#[actix_web::test]
async fn a_fetch_goes_on_when_its_caller_goes_away() {
    let upstream = Upstream::start();
    let app = app(&upstream, [at::ROUTE]).await;
    let asked = path("/slow/left");
    tokio::select! {
        biased;
        _ = app.get(&asked) => panic!("it is not let go"),
        () = async { while upstream.asked("/slow/left") == 0 { tokio::task::yield_now().await } } => {}
    }
    upstream.let_go();
    app.settled().await;
    assert_eq!(app.get(&asked).await.text(), "1");
    assert_eq!(upstream.asked("/slow/left"), 1);
}

#[actix_web::test]
async fn a_failed_refresh_keeps_the_old_data() {
    let upstream = Upstream::start();
    let app = app(&upstream, [at::ROUTE]).await;
    let flaky = path("/flaky");
    assert_eq!(app.get(&flaky).await.text(), "1");
    upstream.set_broken(true);
    app.advance(60 * SECOND);
    for _ in 0..3 {
        assert_eq!(app.get(&flaky).await.text(), "1");
        app.settled().await;
    }
    assert_eq!(upstream.asked("/flaky"), 2, "it is not asked again at once");
    upstream.set_broken(false);
    app.advance(60 * SECOND);
    assert_eq!(app.get(&flaky).await.text(), "1");
    app.settled().await;
    assert_eq!(app.get(&flaky).await.text(), "3");
}

#[route("/fetching/itself/dynamic", dynamic = "force-dynamic")]
async fn itself_dynamic(own: Data<std::sync::OnceLock<String>>) -> Result<String, FetchError> {
    let url = format!("{}/fetching/itself/dynamic", own.get().unwrap());
    Ok(fetch(url).await?.error_for_status()?.text())
}

#[route("/fetching/itself/cached/[id]", revalidate = 10)]
async fn itself_cached(
    id: u8,
    own: Data<std::sync::OnceLock<String>>,
) -> Result<String, FetchError> {
    // Path 1 fetches path 2, which fetches path 1.
    let url = format!("{}/fetching/itself/cached/{}", own.get().unwrap(), 3 - id);
    Ok(fetch(url).await?.error_for_status()?.text())
}

#[actix_web::test]
async fn a_route_that_fetches_itself_fails_and_does_not_hang() {
    for mode in [Mode::Production, Mode::Development] {
        let routes = Routes::from_iter([itself_dynamic::ROUTE, itself_cached::ROUTE]).unwrap();
        let own = Data::new(std::sync::OnceLock::<String>::new());
        let shared = Data::clone(&own);
        let routes = routes.mode(mode).configure(move |config| {
            config.app_data(Data::clone(&shared));
        });
        let shared = Data::clone(&own);
        let server = Server::start(move || {
            let app = actix_web::App::new().app_data(Data::clone(&shared));
            app.service(routes.clone())
        });
        own.set(format!("http://{}", server.address())).unwrap();
        let answers = actix_web::web::block(move || {
            let paths = ["/fetching/itself/dynamic", "/fetching/itself/cached/1"];
            paths.map(|path| server.get(path).status)
        });
        let answers = answers.await.unwrap();
        assert!(
            answers.iter().all(|status| [500, 502].contains(status)),
            "{answers:?}"
        );
    }
}
