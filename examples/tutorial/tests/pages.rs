//! Tests of the pages, and of the index that lists every route.

use super::*;
use crate::pages::SAMPLES;
use actix_web::http::StatusCode;
use futures_util::future::join;
use route_runtime::Routes;
use std::time::Duration;

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
async fn every_link_of_the_index_has_the_expected_status() {
    for mode in MODES {
        let app = tutorial(mode).await;
        let links = SAMPLES.iter().flat_map(|(_, samples)| *samples);
        for (_, path, _) in links.filter(|(method, ..)| *method == "GET") {
            let expected = match *path {
                "/api/events" => continue, // It never ends.
                "/api/redirect" => 307,
                "/api/echo" => 400,
                "/api/admin" => 401,
                "/api/panic" => 500,
                "/api/slow" => 504,
                _ => 200,
            };
            // The clock moves on, so that a handler at its time limit times out.
            let (response, ()) = join(app.get(path), async {
                app.advance(Duration::from_secs(1));
            })
            .await;
            assert_eq!(response.status(), expected, "{path} {mode:?}");
        }
    }
}
