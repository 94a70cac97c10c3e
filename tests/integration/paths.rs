//! Canonical paths: each path has one spelling, and none leads to another host.

use actix_web::App;
use route_runtime::{Pathname, Routes, page, route};
use tests::{Server, request};

#[route("/paths/one")]
async fn literal() -> &'static str {
    "one"
}

#[route("/paths/[id]/shown")]
async fn shown(id: String) -> String {
    id
}

/// A route that would match every path of one segment, if paths had no canonical spelling.
#[route("/[id]")]
async fn any_one(id: String) -> String {
    format!("one {id}")
}

/// A route that would match every other path.
#[route("/[...rest]")]
async fn any_many(rest: Vec<String>) -> String {
    format!("many {}", rest.join("|"))
}

#[page("/paths/page/[slug]")]
async fn pages(slug: String) -> String {
    slug
}

fn server() -> Server {
    Server::of([
        literal::ROUTE,
        shown::ROUTE,
        any_one::ROUTE,
        any_many::ROUTE,
        pages::ROUTE,
    ])
}

#[route("/paths/long/[id]", dynamic = "force-static")]
async fn long(id: String, pathname: Pathname) -> String {
    format!("{} {}", id.len(), pathname.len())
}

#[test]
fn a_path_too_long_to_be_rendered_is_refused() {
    let server = Server::of([long::ROUTE]);
    // Each `|` is one byte as sent, and three in the canonical path; `/paths/long/` has twelve.
    for (count, expected) in [(21_840, Some("21840 65532")), (21_841, None)] {
        let response = server.get(&format!("/paths/long/{}", "|".repeat(count)));
        match expected {
            Some(expected) => assert_eq!((response.status, response.text()), (200, expected)),
            None => {
                assert_eq!(response.status, 414);
                let kind = response.header("content-type");
                assert_eq!(kind, Some("application/problem+json"));
            }
        }
    }
}

#[test]
fn a_path_with_empty_segments_redirects_to_the_canonical_path() {
    let server = server();
    for (target, location) in [
        ("/paths/one/", "/paths/one"),
        ("//paths/one", "/paths/one"),
        ("/paths//one", "/paths/one"),
        ("/paths/one//", "/paths/one"),
        ("/paths/one/?a=1&b=%2F//", "/paths/one?a=1&b=%2F//"),
        ("/paths/one/?", "/paths/one?"),
        ("/paths/%6Fne/", "/paths/one"),
        ("/paths/a%2fb/shown/", "/paths/a%2Fb/shown"),
        ("/paths/%e6%97%a5//shown", "/paths/%E6%97%A5/shown"),
    ] {
        // The redirect comes before the method is considered.
        for method in ["GET", "HEAD", "POST", "OPTIONS", "DELETE"] {
            let response = server.ask(method, target);
            assert_eq!(response.status, 308, "{method} {target}");
            assert_eq!(response.header("location"), Some(location), "{target}");
            assert_eq!(response.header("cache-control"), Some("no-cache"));
            assert_eq!(response.text(), "");
        }
        assert_eq!(server.get(location).status, 200, "{location}");
    }
}

/// `/[id]` and `/[...rest]` match everything that is a path at all.
#[test]
fn no_path_leads_to_another_host() {
    let server = server();
    for (target, status, answer) in [
        ("//evil.example/", 308, "/evil.example"),
        ("//evil.example", 308, "/evil.example"),
        ("///evil.example//%2F", 308, "/evil.example/%2F"),
        (r"//\evil.example", 308, "/%5Cevil.example"),
        (r"/\evil.example/", 308, "/%5Cevil.example"),
        ("//%5Cevil.example", 308, "/%5Cevil.example"),
        ("/%2F%2Fevil.example/", 308, "/%2F%2Fevil.example"),
        ("//%2Fevil.example", 308, "/%2Fevil.example"),
        ("//%09/evil.example", 308, "/%09/evil.example"),
        ("//https://evil.example", 308, "/https:/evil.example"),
        ("//user@evil.example/", 308, "/user@evil.example"),
        (r"/\evil.example", 200, r"one \evil.example"),
        ("/%2F%2Fevil.example", 200, "one //evil.example"),
        ("/%5Cevil.example/a", 200, r"many \evil.example|a"),
        ("/https:/evil.example", 200, "many https:|evil.example"),
    ] {
        let response = server.get(target);
        assert_eq!(response.status, status, "{target}");
        if status == 308 {
            assert_eq!(response.header("location"), Some(answer), "{target}");
        } else {
            assert_eq!(response.text(), answer, "{target}");
        }
    }
}

#[test]
fn dot_segments_are_no_path_of_ours() {
    let server = server();
    for target in [
        "/.",
        "/..",
        "/./",
        "/../",
        "/a//../b",
        "/a/../b",
        "/paths/./one",
        "/paths/x/../one",
        "/paths/%2e/one",
        "/paths/%2E%2e/paths/one",
        "/.%2e/one",
        "//evil.example/..",
        "//evil.example/%2e%2e",
        "/%zz/..",
    ] {
        let response = server.get(target);
        assert_eq!(response.status, 404, "{target}");
        assert_eq!(response.header("location"), None, "{target}");
    }
    // Three dots are a name.
    assert_eq!(server.get("/...").text(), "one ...");
    assert_eq!(server.get("/.well-known").text(), "one .well-known");
}

#[test]
fn malformed_encoding_is_a_bad_request() {
    let server = server();
    for target in [
        "/paths/a%/shown",
        "/paths/a%zz/shown",
        "/paths/%C3%28/shown",
        "/paths/%FF/shown",
        "/paths/%ff/shown/",
        "//evil.example/%",
        "/%2",
    ] {
        for method in ["GET", "POST", "OPTIONS"] {
            let response = server.ask(method, target);
            assert_eq!(response.status, 400, "{method} {target}");
            let kind = response.header("content-type");
            assert_eq!(kind, Some("application/problem+json"), "{target}");
            assert_eq!(
                response.text(),
                r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"the path is not percent-encoded UTF-8"}"#
            );
        }
    }
    let page = server.get("/paths/page/%zz");
    assert_eq!(page.status, 400);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(
        page.text().contains("<h1>400 Bad Request</h1>"),
        "{}",
        page.text()
    );
}

#[test]
fn a_request_target_can_be_absolute() {
    let server = server();
    for (target, status, answer) in [
        ("http://test.example/paths/one", 200, "one"),
        ("http://evil.example/paths/one?a=1", 200, "one"),
        ("http://evil.example/paths/one/", 308, "/paths/one"),
        ("http://evil.example//evil.example/", 308, "/evil.example"),
        ("http://evil.example/a/../b", 404, ""),
    ] {
        let response = server.get(target);
        assert_eq!(response.status, status, "{target}");
        match status {
            200 => assert_eq!(response.text(), answer, "{target}"),
            308 => assert_eq!(response.header("location"), Some(answer), "{target}"),
            _ => assert_eq!(response.header("location"), None, "{target}"),
        }
    }
}

#[test]
fn a_target_that_no_route_matches_falls_through() {
    let server = server();
    assert_eq!(server.ask("OPTIONS", "*").status, 404);
    // The root is a path, but none of these routes has it.
    assert_eq!(server.get("/").status, 404);
    assert_eq!(server.get("http://test.example").status, 404);
    assert_eq!(server.get("//").status, 404);
}

#[route("/")]
async fn root() -> &'static str {
    "root"
}

#[test]
fn the_root_can_be_a_route() {
    let server = Server::of([root::ROUTE]);
    assert_eq!(server.get("/").text(), "root");
    assert_eq!(server.get("/?a=1").text(), "root");
    assert_eq!(server.get("http://test.example").text(), "root");
    let response = server.get("//?a=1");
    assert_eq!(response.status, 308);
    assert_eq!(response.header("location"), Some("/?a=1"));
    assert_eq!(server.ask("OPTIONS", "*").status, 404);
}

#[test]
fn a_prefix_is_part_of_the_canonical_path() {
    let routes = Routes::from_iter([root::ROUTE, literal::ROUTE]).unwrap();
    let routes = routes.at("/v 1").unwrap();
    let server = Server::start(move || App::new().service(routes.clone()));
    for (target, location) in [
        ("/v%201/", "/v%201"),
        ("//v%201//paths/one/?q", "/v%201/paths/one?q"),
    ] {
        let response = server.get(target);
        assert_eq!(response.status, 308, "{target}");
        assert_eq!(response.header("location"), Some(location));
        assert_eq!(server.get(location).status, 200);
    }
}

/// HTTP/1.0 clients and old proxies send such requests, without `Host`.
#[test]
fn an_http_1_0_request_is_answered() {
    let server = server();
    let mut connection = server.connect();
    let response = connection.send("GET /paths/one HTTP/1.0\r\n\r\n");
    assert_eq!((response.status, response.text()), (200, "one"));
    assert!(connection.is_closed());

    let response = server.send("GET //paths/one HTTP/1.0\r\n\r\n");
    assert_eq!(response.header("location"), Some("/paths/one"));
}

/// The value of `Host` is never repeated.
#[test]
fn the_location_of_a_redirect_has_no_host() {
    let server = server();
    let text = request(
        "GET",
        "/paths/one/",
        &[("X-Forwarded-Host", "evil.example")],
        "",
    );
    let response = server.send(&text.replace("test.example", "evil.example"));
    assert_eq!(response.header("location"), Some("/paths/one"));
}
