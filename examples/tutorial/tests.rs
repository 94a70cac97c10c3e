//! The tutorial, asked everything that its index lists, in production and in development.

use std::time::Duration;

use actix_web::http::header;
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use actix_web::web::Bytes;
use actix_web::{App, HttpServer, rt};
use awc::ws::{Frame, Message};
use futures_util::future::join;
use futures_util::{SinkExt as _, StreamExt as _};
use route_runtime::testing::{Outcome, TestApp, TestResponse};
use route_runtime::{Mode, Routes, fetch};
use serde_json::{Value, json};

use crate::pages::SAMPLES;
use crate::session::Visits;
use crate::upstream::Upstream;

const MODES: [Mode; 2] = [Mode::Development, Mode::Production];

/// The routes, with an upstream of their own.
fn routes(mode: Mode) -> (Routes, String) {
    let upstream = Upstream::start().expect("an upstream starts");
    let url = upstream.url("");
    let routes = Routes::collect().expect("the routes fit together");
    let routes = routes.data(upstream).data(Visits::default()).mode(mode);
    (routes, url)
}

async fn tutorial(mode: Mode) -> TestApp {
    TestApp::new(routes(mode).0)
        .await
        .expect("no data is missing")
}

/// How often its upstream was called.
async fn calls(upstream: &str) -> u64 {
    let calls = fetch(format!("{upstream}/calls")).await.expect("an answer");
    let calls: Value = calls.json().expect("JSON");
    calls["calls"].as_u64().expect("a number")
}

fn json(response: &TestResponse) -> Value {
    serde_json::from_slice(response.body())
        .unwrap_or_else(|_| panic!("no JSON: {}", response.text()))
}

/// `GET path` is answered with 200 and exactly this JSON, in either mode.
async fn check(path: &str, expected: Value) {
    for mode in MODES {
        let response = tutorial(mode).await.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path} {mode:?}");
        assert_eq!(response.text(), expected.to_string(), "{path} {mode:?}");
    }
}

/// The time at which a response was rendered, and how the response came about.
async fn time(app: &TestApp, path: &str) -> (Outcome, String) {
    let response = app.get(path).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let time = json(&response)["data"].as_str().expect("a time").to_owned();
    (response.outcome().expect("a route's answer"), time)
}

#[actix_web::test]
async fn posts_are_listed() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let response = app.get("/api/posts").await;
        let body = json(&response);
        let posts = body["data"].as_array().expect("a list");
        assert_eq!(posts.len(), 100, "{mode:?}");
        assert_eq!(posts[99]["id"], 100, "{mode:?}");
        assert_eq!(response.outcome(), Some(Outcome::Bypass), "{mode:?}");
    }
}

#[actix_web::test]
async fn a_post_is_shown_whole_or_by_a_field() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let post = json(&app.get("/api/posts/1").await);
        assert_eq!((&post["id"], &post["userId"]), (&json!(1), &json!(1)));
        assert!(post["title"].is_string() && post["body"].is_string());
        let members: Vec<_> = post.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["id", "userId", "title", "body"]);

        let title = app.get("/api/posts/1?dataField=title").await;
        assert_eq!(json(&title), json!({ "title": post["title"] }));
        let unknown = app.get("/api/posts/1?dataField=author").await;
        assert_eq!(unknown.status(), StatusCode::BAD_REQUEST);

        for absent in [
            "9999",
            "0",
            "101",
            "abc",
            "-1",
            "01",
            "1.0",
            "99999999999999999999",
        ] {
            let response = app.get(&format!("/api/posts/{absent}")).await;
            assert_eq!(
                response.status(),
                StatusCode::NOT_FOUND,
                "{absent} {mode:?}"
            );
            assert_eq!(
                response.header("content-type"),
                Some("application/problem+json")
            );
        }
    }
}

#[actix_web::test]
async fn a_new_post_is_answered_and_kept() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let article = json!({ "title": "New", "body": "Ünïcödé" });
        let request = || TestRequest::post().uri("/api/posts");
        let response = app.send(request().set_json(&article)).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let created = json(&response);
        assert_eq!(created["data"], article);
        let id = created["id"].as_str().expect("an id");
        assert!(id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));

        let again = json(&app.send(request().set_json(&article)).await);
        assert_ne!(again["id"], created["id"]);

        let posts = json(&app.get("/api/posts").await);
        assert_eq!(posts["data"].as_array().map(Vec::len), Some(102));
        assert_eq!(json(&app.get("/api/posts/101").await)["title"], "New");
    }
}

#[actix_web::test]
async fn a_broken_post_is_refused() {
    for mode in MODES {
        let app = tutorial(mode).await;
        for broken in ["{", "", "[1]", "\"text\"", "{\"a\":}"] {
            let request = TestRequest::post()
                .uri("/api/posts")
                .insert_header((header::CONTENT_TYPE, "application/json"))
                .set_payload(broken);
            let response = app.send(request).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{broken}");
            assert_eq!(json(&response)["status"], 400, "{broken}");
        }
        let request = TestRequest::post()
            .uri("/api/posts")
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .set_payload(vec![b' '; 2 << 20]);
        let response = app.send(request).await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let posts = json(&app.get("/api/posts").await);
        assert_eq!(posts["data"].as_array().map(Vec::len), Some(100));
    }
}

#[actix_web::test]
async fn an_upstream_that_is_down_is_a_bad_gateway() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = gone.local_addr().expect("an address");
    drop(gone);
    let upstream = Upstream::at(format!("http://me:secret@{address}"));
    let routes = Routes::collect().expect("the routes fit together");
    let routes = routes.data(upstream).data(Visits::default());
    let app = TestApp::new(routes.mode(Mode::Production)).await;
    let app = app.expect("what cannot be rendered ahead is left for later");
    for path in ["/api/posts", "/api/posts/1", "/api/image"] {
        let response = app.get(path).await;
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY, "{path}");
        assert!(!response.text().contains("secret"), "{}", response.text());
    }
}

#[actix_web::test]
async fn paths_and_queries() {
    check(
        "/home?name=lee",
        json!({ "pathname": "/home", "name": "lee" }),
    )
    .await;
    check("/home", json!({ "pathname": "/home", "name": null })).await;
    check(
        "/home?name=a+b%26&name=c",
        json!({ "pathname": "/home", "name": "a b&" }),
    )
    .await;
    check("/dashboard/1", json!({ "team": "1" })).await;
    check("/dashboard/a%2Fb", json!({ "team": "a/b" })).await;
    check("/shop/1/2", json!({ "tag": "1", "item": "2" })).await;
    check("/blog/1/2", json!({ "slug": ["1", "2"] })).await;
    check("/docs", json!({ "slug": [] })).await;
    check("/docs/a/b", json!({ "slug": ["a", "b"] })).await;
}

#[actix_web::test]
async fn what_is_no_path_is_not_found() {
    for mode in MODES {
        let app = tutorial(mode).await;
        for path in [
            "/blog",
            "/dashboard",
            "/shop/1",
            "/shop/1/2/3",
            "/api",
            "/zzz",
        ] {
            let response = app.get(path).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path} {mode:?}");
        }
        let response = app.get("/docs/a/?q=1").await;
        assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(response.header("location"), Some("/docs/a?q=1"));
    }
}

#[actix_web::test]
async fn every_method_has_its_own_answer() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let send = |method| app.send(TestRequest::with_uri("/api/methods").method(method));
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            let response = send(method.clone()).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(json(&response), json!({ "method": method.as_str() }));
        }
        let head = send(Method::HEAD).await;
        assert_eq!((head.header("x-method"), head.text()), (Some("HEAD"), ""));

        let allow = Some("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
        let options = send(Method::OPTIONS).await;
        assert_eq!(options.status(), StatusCode::NO_CONTENT);
        assert_eq!(options.header("allow"), allow);
        let trace = send(Method::TRACE).await;
        assert_eq!(trace.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(trace.header("allow"), allow);
    }
}

#[actix_web::test]
async fn what_time_it_is_in_production() {
    let app = tutorial(Mode::Production).await;
    let frozen = [
        "/api/time",
        "/api/time/force-static",
        "/api/time/error",
        "/api/zones/utc",
    ];
    for path in frozen {
        let first = time(&app, path).await;
        assert_eq!(first.0, Outcome::Hit, "{path} was rendered ahead");
        app.advance(Duration::from_secs(365 * 24 * 3600));
        assert_eq!(time(&app, &format!("{path}?a=1")).await, first, "{path}");
    }
    let moving = [
        "/api/time/force-dynamic",
        "/api/time/search",
        "/api/time/cookies",
        "/api/time/headers",
        "/api/time/with-post",
    ];
    for path in moving {
        let (first, second) = (time(&app, path).await, time(&app, path).await);
        assert_eq!(
            (first.0, second.0),
            (Outcome::Bypass, Outcome::Bypass),
            "{path}"
        );
        assert_ne!(first.1, second.1, "{path}");
    }
}

#[actix_web::test]
async fn what_time_it_is_in_development() {
    let app = tutorial(Mode::Development).await;
    for path in [
        "/api/time",
        "/api/time/revalidate",
        "/api/time/force-dynamic",
        "/api/time/force-static",
        "/api/time/error",
        "/api/time/search",
        "/api/time/cookies",
        "/api/time/headers",
        "/api/time/with-post",
        "/api/stock/acme",
        "/api/zones/utc",
    ] {
        let (first, second) = (time(&app, path).await, time(&app, path).await);
        assert_eq!(
            (first.0, second.0),
            (Outcome::Bypass, Outcome::Bypass),
            "{path}"
        );
        assert_ne!(first.1, second.1, "{path}");
    }
}

#[actix_web::test]
async fn a_time_has_nanoseconds() {
    let app = tutorial(Mode::Production).await;
    let (_, time) = time(&app, "/api/time").await;
    let shape: String = time
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000000Z");
}

#[actix_web::test]
async fn each_sees_what_its_type_lets_it_see() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let request = |path| {
            TestRequest::with_uri(path)
                .insert_header((header::COOKIE, "theme=dark"))
                .insert_header((header::USER_AGENT, "test"))
        };
        let get = async |path, member: &str| json(&app.send(request(path)).await)[member].clone();
        assert_eq!(get("/api/time/force-static?a=1", "query").await, "");
        assert_eq!(get("/api/time/search?a=1", "query").await, "a=1");
        assert_eq!(get("/api/time/cookies", "theme").await, "dark");
        assert_eq!(get("/api/time/headers", "userAgent").await, "test");
        let post = TestRequest::post().uri("/api/time/with-post");
        assert!(json(&app.send(post).await)["data"].is_string());
    }
}

#[actix_web::test]
async fn a_zone_nobody_listed_does_not_exist() {
    for mode in MODES {
        let response = tutorial(mode).await.get("/api/zones/mars").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{mode:?}");
    }
}

/// Kept for ten seconds from now on: what follows for the next hour.
async fn check_timeline(app: &TestApp, path: &str, first: String) {
    app.advance(Duration::from_millis(9_999));
    assert_eq!(time(app, path).await, (Outcome::Hit, first.clone()));
    app.advance(Duration::from_millis(1));
    assert_eq!(time(app, path).await, (Outcome::Stale, first.clone()));
    app.settled().await;
    let (outcome, second) = time(app, path).await;
    assert_eq!(outcome, Outcome::Hit);
    assert_ne!(second, first);

    // Nobody asks, nothing is rendered; and then it is served however old it is.
    let before = app.routes().stats();
    app.advance(Duration::from_secs(3600));
    app.settled().await;
    assert_eq!(app.routes().stats().renders, before.renders);
    assert_eq!(time(app, path).await, (Outcome::Stale, second.clone()));
    app.settled().await;
    let (outcome, third) = time(app, path).await;
    assert_eq!(outcome, Outcome::Hit);
    assert_ne!(third, second);
}

#[actix_web::test]
async fn the_timeline_of_ten_seconds() {
    let app = tutorial(Mode::Production).await;
    let (outcome, first) = time(&app, "/api/time/revalidate").await;
    assert_eq!(outcome, Outcome::Hit, "it was rendered ahead");
    check_timeline(&app, "/api/time/revalidate", first).await;
}

#[actix_web::test]
async fn the_timeline_of_each_stock() {
    let app = tutorial(Mode::Production).await;
    let (outcome, acme) = time(&app, "/api/stock/acme").await;
    assert_eq!(outcome, Outcome::Miss, "nobody could know it ahead");
    app.advance(Duration::from_secs(5));
    let (outcome, other) = time(&app, "/api/stock/other").await;
    assert_eq!(outcome, Outcome::Miss);
    assert_ne!(acme, other);

    app.advance(Duration::from_secs(5));
    assert_eq!(time(&app, "/api/stock/acme").await, (Outcome::Stale, acme));
    assert_eq!(time(&app, "/api/stock/other").await, (Outcome::Hit, other));
    app.settled().await;
    let (outcome, acme) = time(&app, "/api/stock/acme").await;
    assert_eq!(outcome, Outcome::Hit);
    check_timeline(&app, "/api/stock/acme", acme).await;
}

async fn revalidate(app: &TestApp, query: &str) -> TestResponse {
    let uri = format!("/api/revalidate?{query}");
    app.send(TestRequest::post().uri(&uri)).await
}

#[actix_web::test]
async fn what_is_thrown_away_is_rendered_again() {
    let app = tutorial(Mode::Production).await;
    let (_, first) = time(&app, "/api/time").await;
    let (_, acme) = time(&app, "/api/stock/acme").await;
    let (_, other) = time(&app, "/api/stock/other").await;

    let response = revalidate(&app, "path=/api/time").await;
    assert_eq!(json(&response)["revalidated"], true);
    let (outcome, second) = time(&app, "/api/time").await;
    assert_eq!(outcome, Outcome::Miss);
    assert_ne!(second, first);
    assert_eq!(time(&app, "/api/time").await, (Outcome::Hit, second));

    revalidate(&app, "tag=stock:acme").await;
    let (outcome, again) = time(&app, "/api/stock/acme").await;
    assert_eq!(outcome, Outcome::Miss);
    assert_ne!(again, acme);
    assert_eq!(time(&app, "/api/stock/other").await, (Outcome::Hit, other));

    revalidate(&app, "tag=stock").await;
    for path in ["/api/stock/acme", "/api/stock/other"] {
        assert_eq!(time(&app, path).await.0, Outcome::Miss, "{path}");
    }
}

#[actix_web::test]
async fn what_cannot_be_thrown_away_is_said() {
    for mode in MODES {
        let app = tutorial(mode).await;
        for query in [
            "",
            "path=/nowhere",
            "tag=",
            "tag=a%0Ab",
            "tag=a&path=/api/time",
        ] {
            let response = revalidate(&app, query).await;
            assert_eq!(
                response.status(),
                StatusCode::BAD_REQUEST,
                "{query} {mode:?}"
            );
            assert!(json(&response)["detail"].is_string(), "{query} {mode:?}");
        }
    }
}

#[actix_web::test]
async fn an_image_stays_and_another_changes() {
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
async fn images_are_alike_in_development() {
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
    // A browser that reloads everything is shown another.
    let reload = TestRequest::get().uri("/api/image");
    let reload = reload.insert_header(("cache-control", "no-cache"));
    assert_ne!(app.send(reload).await.body(), image.body());
}

#[actix_web::test]
async fn posts_are_fetched_once_and_anew_after_a_new_one() {
    for mode in MODES {
        let (routes, upstream) = routes(mode);
        let app = TestApp::new(routes).await.expect("no data is missing");
        let before = calls(&upstream).await;
        let posts = async || {
            let posts = json(&app.get("/api/posts").await);
            posts["data"].as_array().map(Vec::len)
        };
        for _ in 0..3 {
            assert_eq!(posts().await, Some(100));
            app.get("/api/posts/1").await;
        }
        assert_eq!(calls(&upstream).await - before, 2, "{mode:?}");
        let article = TestRequest::post().uri("/api/posts");
        app.send(article.set_json(json!({ "title": "New" }))).await;
        assert_eq!(posts().await, Some(101));
        assert_eq!(posts().await, Some(101));
        assert_eq!(calls(&upstream).await - before, 4, "{mode:?}");
    }
}

#[actix_web::test]
async fn a_theme_is_a_cookie() {
    for mode in MODES {
        let app = tutorial(mode).await;
        assert_eq!(json(&app.get("/api/theme").await), json!({ "theme": null }));

        let request = TestRequest::post().uri("/api/theme?theme=dark%20blue");
        let response = app.send(request).await;
        assert_eq!(json(&response), json!({ "theme": "dark blue" }));
        let cookie = response.header("set-cookie").expect("a cookie");
        assert_eq!(cookie, "theme=dark%20blue; Path=/");

        let sent = (header::COOKIE, "theme=dark%20blue");
        let request = TestRequest::with_uri("/api/theme").insert_header(sent.clone());
        assert_eq!(
            json(&app.send(request).await),
            json!({ "theme": "dark blue" })
        );

        let request = TestRequest::delete().uri("/api/theme").insert_header(sent);
        let response = app.send(request).await;
        assert_eq!(json(&response), json!({ "theme": null }));
        let cookie = response.header("set-cookie").expect("a cookie");
        assert!(
            cookie.starts_with("theme=; ") && cookie.contains("Max-Age=0"),
            "{cookie}"
        );

        let missing = TestRequest::post().uri("/api/theme");
        assert_eq!(app.send(missing).await.status(), StatusCode::BAD_REQUEST);
    }
}

#[actix_web::test]
async fn a_redirect_is_a_response() {
    for mode in MODES {
        let response = tutorial(mode).await.get("/api/redirect").await;
        assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(response.header("location"), Some("/about"));
    }
}

#[actix_web::test]
async fn what_is_kept_is_still_only_for_those_who_may() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let with = |token: &'static str| {
            let request = TestRequest::with_uri("/api/admin");
            app.send(request.insert_header((header::AUTHORIZATION, token)))
        };
        let allowed = with("Bearer tutorial").await;
        assert_eq!(allowed.status(), StatusCode::OK);
        let kept = match mode {
            Mode::Production => Outcome::Hit,
            Mode::Development => Outcome::Bypass,
        };
        assert_eq!(allowed.outcome(), Some(kept));
        for refused in [with("Bearer guess").await, app.get("/api/admin").await] {
            assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
            assert_eq!(refused.outcome(), None);
            assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
            assert_eq!(json(&refused)["status"], 401);
        }
    }
}

#[actix_web::test]
async fn a_visit_is_counted_once_it_is_answered() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let visits = async || json(&app.get("/api/after").await)["visits"].as_u64();
        assert_eq!(visits().await, Some(0));
        // Nobody says when it is done; what is asked meanwhile is counted too.
        let mut seen = 0;
        while seen == 0 {
            seen = visits().await.expect("a number");
        }
    }
}

#[actix_web::test]
async fn pages_are_html() {
    for mode in MODES {
        let app = tutorial(mode).await;
        for path in ["/", "/about"] {
            let page = app.get(path).await;
            assert_eq!(page.status(), StatusCode::OK);
            assert_eq!(
                page.header("content-type"),
                Some("text/html; charset=utf-8")
            );
            assert!(page.text().starts_with("<!doctype html>"), "{path}");
        }
        let page = app.get("/").await;
        assert!(
            page.text()
                .contains("href=\"/api/posts/1?dataField=title\"")
        );
        assert!(page.text().contains("<code>POST</code> /api/posts<"));
    }
}

#[test]
fn the_index_lists_every_route_and_nothing_else() {
    let routes = Routes::collect().expect("the routes fit together");
    let samples = || SAMPLES.iter().flat_map(|(_, samples)| *samples);
    for route in routes
        .iter()
        .filter(|route| route.pattern() != "/api/methods")
    {
        let mut samples = samples().filter(|(method, ..)| *method == route.method().as_str());
        let is_listed =
            samples.any(|(_, path, _)| routes.pattern_of(path_of(path)) == Some(route.pattern()));
        assert!(is_listed, "{} {}", route.method().as_str(), route.pattern());
    }
    for (method, path, _) in samples() {
        let pattern = routes.pattern_of(path_of(path));
        let mut all = routes.iter();
        let is_route =
            all.any(|it| it.method().as_str() == *method && Some(it.pattern()) == pattern);
        assert!(is_route, "{method} {path}");
    }
}

fn path_of(uri: &str) -> &str {
    uri.split('?').next().unwrap_or(uri)
}

#[actix_web::test]
async fn links_answer_what_they_say() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let links = SAMPLES.iter().flat_map(|(_, samples)| *samples);
        for (_, path, _) in links.filter(|(method, ..)| *method == "GET") {
            let expected = match *path {
                "/api/events" => continue, // It has no end.
                "/api/redirect" => 307,
                "/api/echo" => 400,
                "/api/admin" => 401,
                "/api/panic" => 500,
                "/api/slow" => 504,
                _ => 200,
            };
            // Whatever waits for a time limit is told that it has passed.
            let (response, ()) = join(app.get(path), async {
                app.advance(Duration::from_secs(1));
            })
            .await;
            assert_eq!(response.status(), expected, "{path} {mode:?}");
        }
    }
}

#[actix_web::test]
async fn a_stream_has_as_many_lines_as_are_asked_for() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let three = app.get("/api/stream?lines=3").await;
        assert_eq!(three.text(), "line 1\nline 2\nline 3\n");
        assert_eq!(app.get("/api/stream").await.text().lines().count(), 10);
        assert_eq!(app.get("/api/stream?lines=0").await.text(), "");
        for wrong in ["-1", "x", "1000001"] {
            let response = app.get(&format!("/api/stream?lines={wrong}")).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{wrong}");
        }
    }
}

#[actix_web::test]
async fn an_upload_is_measured_field_by_field() {
    const FORM: &str = "multipart/form-data; boundary=x";
    let body = "--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nHello\r\n\
                --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
                Content-Type: text/plain\r\n\r\nsome text\r\n--x--\r\n";
    for mode in MODES {
        let app = tutorial(mode).await;
        let request = |form: &'static str, body: Bytes| {
            let request = TestRequest::post().uri("/api/upload");
            let request = request.insert_header((header::CONTENT_TYPE, form));
            app.send(request.set_payload(body))
        };
        let response = request(FORM, body.into()).await;
        let expected = json!({ "fields": [
            { "name": "title", "file": null, "bytes": 5 },
            { "name": "file", "file": "a.txt", "bytes": 9 },
        ] });
        assert_eq!(json(&response), expected);

        let cut = request(FORM, body[..body.len() - 10].into()).await;
        assert_eq!(cut.status(), StatusCode::BAD_REQUEST);
        let other = request("text/plain", "text".into()).await;
        assert!(other.status().is_client_error(), "{}", other.status());
        let large = request(FORM, vec![b'-'; 11 << 20].into()).await;
        assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}

/// Serves the tutorial on a socket until the test ends, and tells where.
async fn serve(mode: Mode) -> String {
    let (routes, _) = routes(mode);
    routes.ready().await.expect("no data is missing");
    let server = HttpServer::new(move || App::new().service(routes.clone()))
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .expect("a free port");
    let address = server.addrs()[0];
    rt::spawn(server.run());
    format!("http://{address}")
}

#[actix_web::test]
async fn the_first_event_comes_at_once() {
    for mode in MODES {
        let url = serve(mode).await;
        let events = awc::Client::default().get(format!("{url}/api/events"));
        let mut events = events.send().await.expect("an answer");
        let content_type = events.headers().get(header::CONTENT_TYPE);
        assert_eq!(content_type.expect("a type"), "text/event-stream");
        let event = events.next().await.expect("an event").expect("bytes");
        assert!(
            event.starts_with(b"id: 1\ndata: {\"count\":1,"),
            "{event:?}"
        );
        assert!(event.ends_with(b"}\n\n"), "{event:?}");
    }
}

#[actix_web::test]
async fn a_socket_says_again_what_it_is_told() {
    for mode in MODES {
        let url = serve(mode).await;
        let socket = awc::Client::default()
            .ws(format!("{url}/api/echo"))
            .connect();
        let (response, mut socket) = socket.await.expect("a socket");
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        for (sent, expected) in [
            (Message::Text("hello".into()), Frame::Text("hello".into())),
            (
                Message::Binary(vec![0, 255].into()),
                Frame::Binary(vec![0, 255].into()),
            ),
            (Message::Ping("?".into()), Frame::Pong("?".into())),
            (Message::Close(None), Frame::Close(None)),
        ] {
            socket.send(sent).await.expect("it is open");
            let frame = socket.next().await.expect("a frame").expect("no error");
            assert_eq!(frame, expected);
        }
    }
}
