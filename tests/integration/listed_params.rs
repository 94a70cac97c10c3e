//! Paths of a pattern that are known ahead: paths that are listed, unlisted, or absent.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use actix_web::HttpRequest;
use actix_web::error::ErrorInternalServerError;
use actix_web::http::Method as HttpMethod;
use actix_web::test::TestRequest;
use actix_web::web::Data;
use futures_util::future::join_all;
use route_runtime::testing::{Outcome, TestApp};
use route_runtime::{
    Method, Mode, Problem, RouteDescriptor, RouteWarning, Routes, not_found, route,
};
use tests::{Runs, SECOND, log, production};

async fn app(routes: impl IntoIterator<Item = RouteDescriptor>) -> TestApp {
    let routes = production(routes).data(Runs::default());
    TestApp::new(routes).await.unwrap()
}

#[route("/listed/born/[id]", revalidate = 3600)]
async fn born(id: u32, runs: Data<Runs>) -> Result<String, Problem> {
    match runs.next() {
        1 => Err(not_found()),
        _ => Ok(id.to_string()),
    }
}

#[actix_web::test]
async fn a_404_of_an_unlisted_path_is_kept_for_ten_seconds() {
    let app = app([born::ROUTE]).await;
    let check = async |status: u16, cache_status: &str| {
        let found = app.get("/listed/born/1").await;
        assert_eq!(found.status(), status);
        assert_eq!(found.header("cache-status"), Some(cache_status));
    };
    check(404, "route; fwd=miss; stored").await;
    app.advance(9 * SECOND);
    check(404, "route; hit; ttl=1").await;
    app.advance(SECOND);
    check(200, "route; fwd=stale; stored").await;
    check(200, "route; hit; ttl=3600").await;
}

async fn known() -> Vec<u32> {
    vec![1, 2]
}

#[route("/listed/known/[id]", static_params = known, dynamic_params = false)]
async fn known_only(id: u32, runs: Data<Runs>) -> String {
    format!("{id} {}", runs.next())
}

#[route("/listed/dynamic/[id]", static_params = known, dynamic_params = false, dynamic = "force-dynamic")]
async fn known_dynamic(id: u32) -> String {
    id.to_string()
}

#[route("/listed/reading/[id]", static_params = known, dynamic_params = false)]
async fn known_reading(id: u32, request: HttpRequest) -> String {
    format!("{id} {}", request.method())
}

#[route("/listed/module/[id]", static_params = super::known, dynamic_params = false)]
mod known_module {
    pub async fn get(id: u32) -> String {
        id.to_string()
    }

    pub async fn post(id: u32) -> String {
        id.to_string()
    }
}

#[actix_web::test]
async fn unlisted_paths_of_dynamic_routes_are_404() {
    let routes = [
        known_dynamic::ROUTE,
        known_reading::ROUTE,
        known_module::get::ROUTE,
        known_module::post::ROUTE,
    ];
    for mode in [Mode::Production, Mode::Development] {
        let routes = Routes::from_iter(routes).unwrap().mode(mode);
        assert!(!routes.to_string().contains("ineffective"), "{routes}");
        let app = TestApp::new(routes).await.unwrap();
        for name in ["dynamic", "reading", "module"] {
            let statuses = ["1", "2", "3", "x", "01"].map(async |id| {
                let found = app.get(&format!("/listed/{name}/{id}")).await;
                found.status().as_u16()
            });
            assert_eq!(
                join_all(statuses).await,
                [200, 200, 404, 404, 404],
                "{name}"
            );
            let head = TestRequest::default().method(HttpMethod::HEAD);
            let found = app.send(head.uri(&format!("/listed/{name}/3"))).await;
            assert_eq!((found.status().as_u16(), found.text()), (404, ""), "{name}");
        }
    }
}

async fn nothing() -> Vec<u32> {
    Vec::new()
}

#[route("/listed/empty/cached/[id]", static_params = nothing, dynamic_params = false)]
async fn empty_cached(id: u32) -> String {
    id.to_string()
}

#[route("/listed/empty/dynamic/[id]", static_params = super::nothing, dynamic_params = false)]
mod empty_dynamic {
    use super::HttpRequest;

    pub async fn get(id: u32, _request: HttpRequest) -> String {
        id.to_string()
    }

    pub async fn post(id: u32) -> String {
        id.to_string()
    }
}

/// A list that does not close the route: other paths are rendered for their first request.
#[route("/listed/empty/open/[id]", static_params = nothing)]
async fn empty_open(id: u32) -> String {
    id.to_string()
}

const EMPTY: [RouteDescriptor; 5] = [
    empty_cached::ROUTE,
    empty_dynamic::get::ROUTE,
    empty_dynamic::post::ROUTE,
    empty_open::ROUTE,
    known_only::ROUTE,
];

#[actix_web::test]
async fn a_list_that_closes_a_route_and_is_empty_is_logged_before_the_first_request() {
    log::listen();
    let routes = production(EMPTY).at("/production").unwrap();
    let routes = routes.data(Runs::default());
    TestApp::new(routes).await.unwrap();
    for (pattern, times) in [
        ("/production/listed/empty/cached/[id]", 1),
        ("/production/listed/empty/dynamic/[id]", 1),
        ("/production/listed/empty/open/[id]", 0),
        ("/production/listed/known/[id]", 0),
    ] {
        let lines = log::lines_with(&format!("\"{pattern}\""));
        assert_eq!(lines.len(), times, "{lines:?}");
        assert!(
            lines
                .iter()
                .all(|line| line.contains("every path of this route is 404"))
        );
    }
}

#[actix_web::test]
async fn in_development_a_request_that_an_empty_list_refuses_is_explained_in_the_log() {
    log::listen();
    let routes = Routes::from_iter(EMPTY).unwrap().mode(Mode::Development);
    let app = TestApp::new(routes.data(Runs::default())).await.unwrap();
    let lines = || log::lines_with("\"/listed/empty/cached/[id]\"");
    assert_eq!(lines(), [""; 0]);
    assert_eq!(app.get(&empty_cached::path(1)).await.status(), 404);
    let expected = "WARN every path of this route is 404: its `static_params` gives none, and \
                    `dynamic_params = false` allows no others \"/listed/empty/cached/[id]\"";
    assert_eq!(lines(), [expected]);
    assert_eq!(app.get("/listed/known/3").await.status(), 404);
    assert_eq!(log::lines_with("\"/listed/known/[id]\""), [""; 0]);
}

#[actix_web::test]
async fn a_list_that_closes_a_route_and_is_empty_is_a_warning_in_both_modes() {
    for mode in [Mode::Development, Mode::Production] {
        let routes = Routes::from_iter(EMPTY).unwrap().mode(mode);
        let warnings = routes.data(Runs::default()).warnings().await;
        let patterns: Vec<_> = warnings
            .iter()
            .filter_map(|warning| match warning {
                RouteWarning::NoPaths(route) => Some((route.method, route.pattern)),
                _ => None,
            })
            .collect();
        let expected = ["/listed/empty/cached/[id]", "/listed/empty/dynamic/[id]"];
        assert_eq!(patterns, expected.map(|pattern| (Method::Get, pattern)));
    }
}

#[route("/listed/ahead/[id]", static_params = known)]
async fn ahead(id: u32, runs: Data<Runs>) -> Result<String, Problem> {
    runs.next();
    match id {
        1 => Ok("1".into()),
        2 => panic!("not ahead"),
        _ => Ok("later".into()),
    }
}

#[actix_web::test]
async fn listed_paths_are_rendered_ahead_and_unlisted_ones_are_not() {
    let app = app([known_only::ROUTE]).await;
    assert_eq!(app.routes().stats().renders, 2);
    for id in [1, 2] {
        let found = app.get(&known_only::path(id)).await;
        assert_eq!(found.header("cache-status"), Some("route; hit"));
    }
    for path in ["/listed/known/3", "/listed/known/x", "/listed/known/01"] {
        let found = app.get(path).await;
        assert_eq!(found.status(), 404);
        assert_eq!(
            found.header("content-type"),
            Some("application/problem+json")
        );
        assert!(found.header("cache-control").unwrap().contains("no-store"));
    }
    // No handler ran for these paths.
    assert_eq!(app.routes().stats().renders, 2);

    let app = self::app([ahead::ROUTE]).await;
    assert_eq!(
        app.get("/listed/ahead/1").await.outcome(),
        Some(Outcome::Hit)
    );
    // A path that failed ahead is rendered for the next request; an unlisted one on demand.
    app.advance(2 * SECOND);
    assert_eq!(app.get("/listed/ahead/2").await.status(), 500);
    let found = app.get("/listed/ahead/3").await;
    assert_eq!(
        (found.text(), found.outcome()),
        ("later", Some(Outcome::Miss))
    );
    assert_eq!(
        app.get("/listed/ahead/3").await.outcome(),
        Some(Outcome::Hit)
    );
}

static DOWN: AtomicBool = AtomicBool::new(true);
static LISTED: AtomicU32 = AtomicU32::new(0);

async fn sometimes() -> Result<Vec<u32>, actix_web::Error> {
    LISTED.fetch_add(1, Ordering::SeqCst);
    match DOWN.load(Ordering::SeqCst) {
        true => Err(ErrorInternalServerError("the database is down")),
        false => Ok(vec![1]),
    }
}

#[route("/listed/sometimes/[id]", static_params = sometimes, dynamic_params = false)]
async fn listed_late(id: u32) -> String {
    id.to_string()
}

#[actix_web::test]
async fn while_listing_fails_every_path_of_the_pattern_is_a_503() {
    let app = app([listed_late::ROUTE]).await;
    for path in ["/listed/sometimes/1", "/listed/sometimes/2"] {
        let found = app.get(path).await;
        assert_eq!(found.status(), 503);
        assert!(!found.text().contains("database"), "{}", found.text());
    }
    // `static_params` ran at the start, and not for each request.
    assert_eq!(LISTED.load(Ordering::SeqCst), 1);
    app.advance(SECOND);
    join_all((0..10).map(|_| app.get("/listed/sometimes/1"))).await;
    assert_eq!(LISTED.load(Ordering::SeqCst), 2);
    DOWN.store(false, Ordering::SeqCst);
    app.advance(SECOND);
    let found = app.get("/listed/sometimes/1").await;
    assert_eq!((found.status().as_u16(), found.text()), (200, "1"));
    assert_eq!(app.get("/listed/sometimes/2").await.status(), 404);
}
