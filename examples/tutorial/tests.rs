//! Tests of every request that the tutorial's index lists, in production and in development.

use actix_web::http::StatusCode;
use route_runtime::testing::{Outcome, TestApp, TestResponse};
use route_runtime::{Mode, Routes, fetch};
use serde_json::Value;

use crate::session::Visits;
use crate::upstream::Upstream;

mod data;
mod images;
mod live;
mod pages;
mod paths;
mod posts;
mod session;
mod time;

const MODES: [Mode; 2] = [Mode::Development, Mode::Production];

/// Returns the routes, with an upstream of their own, and the upstream's URL.
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

/// Returns how often the upstream was called.
async fn calls(upstream: &str) -> u64 {
    let calls = fetch(format!("{upstream}/calls")).await.expect("an answer");
    let calls: Value = calls.json().expect("JSON");
    calls["calls"].as_u64().expect("a number")
}

fn json(response: &TestResponse) -> Value {
    response.json()
}

/// Checks that `GET path` is answered with 200 and exactly this JSON, in both modes.
async fn check(path: &str, expected: Value) {
    for mode in MODES {
        let response = tutorial(mode).await.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path} {mode:?}");
        assert_eq!(response.text(), expected.to_string(), "{path} {mode:?}");
    }
}

/// Returns how a response came about, and the time at which it was rendered.
async fn time(app: &TestApp, path: &str) -> (Outcome, String) {
    let response = app.get(path).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let time = json(&response)["data"].as_str().expect("a time").to_owned();
    (response.outcome().expect("a route's answer"), time)
}
