//! Entries are replayed exactly, and a client that has the body does not receive it again.

use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use actix_web::{HttpResponse, HttpResponseBuilder};
use route_runtime::testing::Outcome;
use route_runtime::{cached, route};
use tests::{Server, log};

use super::*;

static ONE: AtomicU32 = AtomicU32::new(0);

#[route("/caching/one/[name]", revalidate = 60)]
pub(super) async fn one(name: String) -> String {
    format!("{name} {}", next(&ONE))
}

#[route("/caching/hops", revalidate = 60)]
async fn hops() -> HttpResponse {
    HttpResponse::Ok()
        .append_header(("connection", "X-Hop , etag"))
        .append_header(("connection", "x-other,,\"bad"))
        .append_header(("x-hop", "1"))
        .append_header(("x-other", "2"))
        .append_header(("x-kept", "3"))
        .append_header(("etag", "\"hop\""))
        .body("hops")
}

#[actix_web::test]
async fn what_belongs_to_one_connection_is_not_kept() {
    let app = app([hops::ROUTE]).await;
    for _ in 0..2 {
        let found = app.get("/caching/hops").await;
        assert_eq!(found.header("x-kept"), Some("3"));
        for name in ["connection", "x-hop", "x-other"] {
            assert_eq!(found.header(name), None, "{name}");
        }
        assert_ne!(found.header("etag"), Some("\"hop\""));
    }
}

#[test]
fn headers_queries_and_spellings_of_a_path_share_one_entry() {
    let server = Server::routes(&production([one::ROUTE]));
    let first = server.get("/caching/one/caf%C3%A9%20b");
    assert_eq!((first.status, first.text()), (200, "café b 1"));
    for (target, header) in [
        ("/caching/one/caf%C3%A9%20b", "X: y"),
        ("/caching/one/caf%C3%A9%20b?a=b", "Cookie: a=b"),
        ("/caching/one/caf%c3%a9%20b?c", "Authorization: Bearer x"),
        ("/caching/%6fne/caf%C3%A9%20%62", "Host: other.example"),
        ("/%63aching/one/caf%C3%A9%20b", "X-Forwarded-Host: other"),
        ("/caching/one/caf%C3%A9%20b", "X-Forwarded-For: 1.2.3.4"),
        ("/caching/one/caf%C3%A9%20b", "Range: lines=0-1"),
        ("/caching/one/caf%C3%A9%20b", "Cache-Control: no-cache"),
        ("/caching/one/caf%C3%A9%20b", "Pragma: no-cache"),
        ("/caching/one/caf%C3%A9%20b", "X-HTTP-Method-Override: PUT"),
        ("http://x.example/caching/one/caf%C3%A9%20b", "X: y"),
    ] {
        let reply = server
            .connect()
            .ask(&format!("GET {target} HTTP/1.1\n{header}"));
        assert_eq!(
            (reply.status, reply.text()),
            (200, "café b 1"),
            "{target} {header}"
        );
        assert!(reply.cache_status().starts_with("route; hit"), "{target}");
        assert_eq!(reply.header("etag"), first.header("etag"));
    }
    // The body of a request is ignored, and is not taken for the next request.
    let mut wire = server.connect();
    wire.begin("GET /caching/one/caf%C3%A9%20b HTTP/1.1\nTransfer-Encoding: chunked");
    wire.write("3\r\nabc\r\n0\r\n\r\n");
    let reply = wire.response(false);
    assert_eq!(reply.text(), "café b 1");
    assert_eq!(wire.ask("GET /caching/one/x HTTP/1.1").text(), "x 2");
    let options = wire.ask("OPTIONS /caching/one/x HTTP/1.1");
    assert_eq!(
        (options.status, options.header("allow")),
        (204, Some("GET, HEAD, OPTIONS"))
    );
    let delete = wire.ask("DELETE /caching/one/x HTTP/1.1");
    assert_eq!(
        (delete.status, delete.header("allow")),
        (405, Some("GET, HEAD, OPTIONS"))
    );
    assert_eq!(ONE.load(Ordering::SeqCst), 2);
}

static STATUSES: AtomicU32 = AtomicU32::new(0);

#[route("/caching/status/[code]", revalidate = 60)]
async fn status(code: u16) -> HttpResponse {
    HttpResponseBuilder::new(StatusCode::from_u16(code).unwrap())
        .insert_header(("location", "/elsewhere"))
        .append_header(("x-twice", "a"))
        .append_header(("x-twice", "b"))
        .body(match code {
            204 => Vec::new(),
            _ => format!("\0\u{fe}\n{}", next(&STATUSES)).into_bytes(),
        })
}

#[test]
fn entries_are_replayed_exactly_and_errors_are_not_kept() {
    let all = production([status::ROUTE]);
    let server = Server::routes(&all);
    let mut wire = server.connect();
    for code in [200, 201, 204, 301, 302, 307, 308, 404, 410] {
        let head = format!("GET /caching/status/{code} HTTP/1.1");
        let first = wire.ask(&head);
        assert_eq!(first.cache_status(), "route; fwd=miss; stored", "{code}");
        let second = wire.ask(&head);
        assert!(
            second.cache_status().starts_with("route; hit; ttl="),
            "{code}"
        );
        assert_eq!((first.status, second.status), (code, code));
        assert_eq!(first.body, second.body);
        let plain = |reply: &tests::Response| {
            let mut headers = reply.headers.clone();
            headers.retain(|(name, _)| name != "cache-status" && name != "date");
            headers.sort();
            headers
        };
        assert_eq!(plain(&first), plain(&second));
        let twice: Vec<_> = second
            .headers
            .iter()
            .filter(|it| it.0 == "x-twice")
            .collect();
        assert_eq!(twice.len(), 2);
        assert_eq!(second.header("cache-control"), Some("no-cache"));
        assert_eq!(second.header("age"), Some("0"));
        assert_eq!(second.header("etag").is_some(), code == 200);
        // Only a response that would be 200 can be 304.
        let known = wire.ask(&format!("{head}\nIf-None-Match: *"));
        assert_eq!(known.status, if code == 200 { 304 } else { code });
    }
    let entries = all.stats().entries;
    let renders = all.stats().renders;
    for code in [206, 400, 401, 403, 429, 500, 503] {
        let reply = wire.ask(&format!("GET /caching/status/{code} HTTP/1.1"));
        assert_eq!(
            (reply.status, reply.cache_status()),
            (code, "route; fwd=miss")
        );
        assert_eq!(reply.header("age"), None);
        assert_eq!(reply.header("etag"), None);
        assert!(reply.header("cache-control").unwrap().contains("no-store"));
    }
    assert_eq!(entries, 9);
    assert_eq!(all.stats().renders, renders + 7);
}

#[route("/caching/own/[tag]", revalidate = 60)]
async fn own(tag: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("etag", tag))
        .insert_header(("content-language", "en"))
        .insert_header(("x-own", "kept"))
        .content_type("text/plain")
        .body("x".repeat(5000))
}

#[route("/caching/tagged", revalidate = false)]
async fn tagged() -> &'static str {
    "tagged"
}

#[route("/caching/empty")]
async fn empty() -> &'static str {
    ""
}

#[actix_web::test]
async fn a_body_that_the_client_has_is_not_sent_again() {
    let app = app([tagged::ROUTE, own::ROUTE, empty::ROUTE]).await;
    let tag = app
        .get("/caching/tagged")
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    assert!(tag.starts_with('"'), "{tag}");
    app.advance(7 * SECOND);
    for (known, status) in [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        (format!("\"a\", W/\"b\",{tag}"), 304),
        ("*".into(), 304),
        ("\"a\"".into(), 200),
        (tag.trim_matches('"').into(), 200),
        ("W/".into(), 200),
        (String::new(), 200),
        (",,".into(), 200),
        ("\"".into(), 200),
    ] {
        for method in [
            TestRequest::get(),
            TestRequest::default().method(actix_web::http::Method::HEAD),
        ] {
            let request = method.uri("/caching/tagged");
            let found = app
                .send(request.insert_header(("if-none-match", &*known)))
                .await;
            assert_eq!(found.status(), status, "{known}");
            assert_eq!(found.header("etag"), Some(&*tag));
            assert_eq!(found.header("age"), Some("7"));
            assert_eq!(found.header("cache-control"), Some("no-cache"));
            assert_eq!(found.header("content-type").is_some(), status == 200);
            if status == 304 {
                assert!(found.body().is_empty());
            }
        }
    }
    // A second `If-None-Match` line counts too.
    let two = [("if-none-match", "\"a\""), ("if-none-match", &*tag)];
    assert_eq!(with(&app, "/caching/tagged", &two).await.status(), 304);

    let empty = app.get("/caching/empty").await;
    assert_eq!((empty.status().as_u16(), empty.text()), (200, ""));

    // An `ETag` that the handler sets is the one that is compared.
    let path = own::path("\"v1\"");
    assert_eq!(app.get(&path).await.header("etag"), Some("\"v1\""));
    let known = [("if-none-match", "\"v1\"")];
    let unchanged = with(&app, &path, &known).await;
    assert_eq!(unchanged.status(), 304);
    // A 304 repeats the headers that do not describe the body.
    assert_eq!(unchanged.header("x-own"), Some("kept"));
    for name in ["content-type", "content-language"] {
        assert_eq!(unchanged.header(name), None);
    }
    assert_eq!(
        with(&app, &path, &[("if-none-match", "\"v2\"")])
            .await
            .status(),
        200
    );
    let gzip = [("accept-encoding", "gzip")];
    let encoded = with(&app, &path, &gzip).await;
    assert_eq!(encoded.header("content-encoding"), Some("gzip"));
    // The encoded bytes are not those that the handler's tag stands for.
    assert_eq!(encoded.header("etag"), Some("W/\"v1\""));
}

#[route("/caching/large/[bytes]", revalidate = 60)]
async fn large(bytes: usize) -> HttpResponse {
    // As long as it is, and easy to compress.
    HttpResponse::Ok()
        .content_type("text/plain")
        .body("x".repeat(bytes))
}

#[cached]
async fn large_value(bytes: usize) -> String {
    "x".repeat(bytes)
}

#[route("/caching/large/value/[bytes]", dynamic = "force-dynamic")]
async fn reads_large(bytes: usize) -> String {
    large_value(bytes).await.len().to_string()
}

#[actix_web::test]
async fn a_text_is_kept_up_to_two_mebibytes_and_what_is_larger_is_mentioned_once() {
    const MOST: usize = 2 * 1024 * 1024;
    log::listen();
    let app = app([large::ROUTE, reads_large::ROUTE]).await;
    for bytes in [1_100_000, MOST - 2000] {
        let path = large::path(bytes);
        for outcome in [Outcome::Miss, Outcome::Hit] {
            let found = app.get(&path).await;
            assert_eq!(
                (found.body().len(), found.outcome()),
                (bytes, Some(outcome))
            );
        }
    }
    for bytes in [MOST - 10, MOST + 1, 2 * MOST] {
        for _ in 0..2 {
            assert_eq!(app.get(&large::path(bytes)).await.body().len(), bytes);
            assert_eq!(
                app.get(&reads_large::path(bytes)).await.text(),
                bytes.to_string()
            );
        }
    }
    for pattern in ["/caching/large/[bytes]", "/caching/large/value/[bytes]"] {
        let said = format!("`{pattern}` makes content that is larger than 2097152 bytes");
        assert_eq!(log::lines_with(&said).len(), 1, "{pattern}");
    }
}
