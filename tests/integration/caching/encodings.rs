//! Compression of cached bodies: each is compressed only once, and as clients prefer.

use std::io::Read as _;
use std::sync::atomic::AtomicU32;

use actix_web::middleware::{Compress, DefaultHeaders, Logger, NormalizePath};
use actix_web::test::TestRequest;
use actix_web::{App, HttpResponse};
use route_runtime::route;
use route_runtime::testing::TestResponse;
use tests::Server;

use super::*;

const TEXT: &str = "the same again ";

#[route("/caching/text")]
async fn text() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain")
        .insert_header(("vary", "x-own"))
        .body(TEXT.repeat(1000))
}

#[route("/caching/text/small")]
async fn text_small() -> String {
    TEXT.into()
}

#[route("/caching/text/fixed")]
async fn text_fixed() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain")
        .insert_header(("cache-control", "max-age=5, No-Transform"))
        .body(TEXT.repeat(1000))
}

#[route("/caching/text/encoded")]
async fn text_encoded() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain")
        .insert_header(("content-encoding", "x-own"))
        .body(TEXT.repeat(1000))
}

#[route("/caching/image")]
async fn image() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("image/png")
        .body(TEXT.repeat(1000))
}

fn decoded(response: &TestResponse) -> Vec<u8> {
    let body = &response.body()[..];
    let mut plain = Vec::new();
    match response.header("content-encoding") {
        Some("br") => brotli::Decompressor::new(body, 4096)
            .read_to_end(&mut plain)
            .unwrap(),
        Some("gzip") => flate2::read::GzDecoder::new(body)
            .read_to_end(&mut plain)
            .unwrap(),
        Some("zstd") => return zstd::decode_all(body).unwrap(),
        _ => return body.into(),
    };
    plain
}

#[actix_web::test]
async fn bodies_are_compressed_as_the_client_prefers() {
    let app = app([
        text::ROUTE,
        text_small::ROUTE,
        text_fixed::ROUTE,
        text_encoded::ROUTE,
        image::ROUTE,
    ])
    .await;
    let mut tags = Vec::new();
    for (accepted, encoding) in [
        ("br", Some("br")),
        ("gzip", Some("gzip")),
        ("zstd", Some("zstd")),
        ("gzip, deflate, br, zstd", Some("br")),
        ("gzip;q=1, br;q=0.5", Some("gzip")),
        ("br;q=0, gzip", Some("gzip")),
        ("br;q=0", None),
        ("identity;q=0, zstd", Some("zstd")),
        ("identity, br;q=0.5", None),
        ("deflate", None),
        ("GZIP", Some("gzip")),
        ("*;q=0, gzip", Some("gzip")),
        ("br;q=0, zstd;q=0, gzip;q=0, *;q=0.5", None),
        ("nonsense;q=x", None),
        ("", None),
    ] {
        for _ in 0..2 {
            let found = with(&app, "/caching/text", &[("accept-encoding", accepted)]).await;
            assert_eq!(found.header("content-encoding"), encoding, "{accepted}");
            assert_eq!(
                found.header("cache-status"),
                Some("route; hit"),
                "{accepted}"
            );
            assert_eq!(
                decoded(&found),
                TEXT.repeat(1000).into_bytes(),
                "{accepted}"
            );
            let vary: Vec<_> = found.headers().get_all("vary").collect();
            assert_eq!(vary, ["x-own", "accept-encoding"]);
            let tag = found.header("etag").unwrap();
            assert_eq!(tag.starts_with("W/"), encoding.is_none(), "{accepted}");
            tags.push((encoding, tag.to_owned()));
            // Each variant of the body has its own `ETag`.
            let headers = [("accept-encoding", accepted), ("if-none-match", tag)];
            let known = with(&app, "/caching/text", &headers).await;
            assert_eq!(
                (known.status().as_u16(), known.header("content-encoding")),
                (304, None)
            );
            assert_eq!(known.headers().get_all("vary").count(), 2);
        }
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4, "{tags:?}");
    for path in ["text/small", "text/fixed", "text/encoded", "image"] {
        let found = with(
            &app,
            &format!("/caching/{path}"),
            &[("accept-encoding", "br, gzip")],
        )
        .await;
        let own = (path == "text/encoded").then_some("x-own");
        assert_eq!(found.header("content-encoding"), own, "{path}");
        assert_eq!(found.header("vary"), None, "{path}");
    }
    let head = TestRequest::default().method(actix_web::http::Method::HEAD);
    let head = head
        .uri("/caching/text")
        .insert_header(("accept-encoding", "br"));
    let head = app.send(head).await;
    assert_eq!(head.header("content-encoding"), Some("br"));
}

/// Random digits, of whose length compression can save no more than half.
#[route("/caching/text/dense")]
async fn text_dense() -> String {
    let mut random = 1_u64;
    let digits = (0..1600).map(|_| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        format!("{:08x}", random >> 32)
    });
    digits.collect()
}

#[actix_web::test]
async fn the_encoding_that_most_clients_ask_for_is_kept_whoever_came_first() {
    let app = app([text_dense::ROUTE]).await;
    let encoding = async |accepted: &'static str| {
        let headers = [("accept-encoding", accepted)];
        let found = with(&app, "/caching/text/dense", &headers).await;
        assert_eq!(decoded(&found).len(), 1600 * 8);
        found.header("content-encoding").map(String::from)
    };
    // Only one fits, and a stray request came first.
    assert_eq!(encoding("zstd").await.as_deref(), Some("zstd"));
    for _ in 0..3 {
        assert_eq!(encoding("gzip").await, None);
    }
    for _ in 0..10 {
        assert_eq!(encoding("gzip").await.as_deref(), Some("gzip"));
    }
    // Another stray request changes nothing.
    assert_eq!(encoding("br").await, None);
    assert_eq!(encoding("zstd").await, None);
    assert_eq!(encoding("gzip").await.as_deref(), Some("gzip"));
}

#[route("/caching/text/long")]
async fn text_long() -> String {
    TEXT.repeat(((2 << 20) - 2000) / TEXT.len())
}

#[actix_web::test]
async fn text_is_kept_and_compressed_up_to_the_length_of_any_body() {
    let routes = production([text_long::ROUTE]).cache_capacity(8 << 20);
    let app = TestApp::new(routes).await.unwrap();
    for accepted in ["br", "gzip", "zstd"] {
        let found = with(&app, "/caching/text/long", &[("accept-encoding", accepted)]).await;
        assert_eq!(found.header("content-encoding"), Some(accepted));
        assert_eq!(found.header("cache-status"), Some("route; hit"));
    }
}

#[test]
fn under_actix_webs_middleware_bodies_are_encoded_once_and_tags_stay_true() {
    let routes = production([
        text::ROUTE,
        text_small::ROUTE,
        image::ROUTE,
        entries::one::ROUTE,
    ]);
    let server = Server::start(move || {
        App::new()
            .wrap(NormalizePath::trim())
            .wrap(Compress::default())
            .wrap(Logger::default())
            .wrap(DefaultHeaders::new().add(("access-control-allow-origin", "*")))
            .service(routes.clone())
    });
    let mut wire = server.connect();
    for path in ["/caching/text", "/caching/text/", "/caching//text"] {
        for accept in ["br", "gzip", "zstd"] {
            let head = format!("GET {path} HTTP/1.1\nAccept-Encoding: {accept}");
            let reply = wire.ask(&head);
            assert_eq!(
                (reply.status, reply.header("content-encoding")),
                (200, Some(accept)),
                "{path}"
            );
            assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
            let tag = reply.header("etag").unwrap();
            assert!(tag.starts_with('"'), "it is encoded once, by us: {tag}");
            assert!(reply.header("content-length").is_some());
            let known = wire.ask(&format!("{head}\nIf-None-Match: {tag}"));
            assert_eq!((known.status, known.header("etag")), (304, Some(tag)));
            let head = wire.ask(&format!("HEAD {path} HTTP/1.1\nAccept-Encoding: {accept}"));
            assert_eq!(
                head.header("content-length"),
                reply.header("content-length")
            );
        }
    }
    // A body that `Compress` encodes is not the one that a strong tag would stand for.
    for path in ["/caching/text/small", "/caching/image"] {
        let reply = wire.ask(&format!("GET {path} HTTP/1.1\nAccept-Encoding: gzip"));
        assert_eq!(reply.status, 200);
        assert!(reply.header("etag").unwrap().starts_with("W/"), "{path}");
        // Nothing says whether `Compress` is there, so a 304 says what its 200 may have said.
        let etag = reply.header("etag").unwrap();
        let known = wire.ask(&format!(
            "GET {path} HTTP/1.1\nAccept-Encoding: gzip\nIf-None-Match: {etag}"
        ));
        assert_eq!(known.status, 304);
        assert_eq!(known.header("vary"), Some("accept-encoding"), "{path}");
        if path.ends_with("small") {
            assert_eq!(reply.header("content-encoding"), Some("gzip"));
            assert_eq!(reply.header("vary"), Some("accept-encoding"));
        }
        let plain = wire.ask(&format!("GET {path} HTTP/1.1"));
        assert_eq!(plain.header("content-encoding"), None);
        assert!(plain.header("etag").unwrap().starts_with('"'), "{path}");
    }
}

static HEADED: AtomicU32 = AtomicU32::new(0);

#[route("/caching/headed/[id]", revalidate = 60)]
async fn headed(id: u32) -> String {
    format!("{id}:{}", next(&HEADED))
}

#[test]
fn a_head_request_fills_the_entry_and_gets_no_body() {
    let server = Server::routes(&production([headed::ROUTE]));
    let mut wire = server.connect();
    let head = wire.ask("HEAD /caching/headed/7 HTTP/1.1");
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("3"))
    );
    assert_eq!(head.cache_status(), "route; fwd=miss; stored");
    let get = wire.ask("GET /caching/headed/7 HTTP/1.1");
    assert_eq!(get.text(), "7:1");
    let head = wire.ask("HEAD /caching/headed/7 HTTP/1.1");
    assert_eq!(head.header("etag"), get.header("etag"));
    assert_eq!(wire.ask("GET /caching/headed/7 HTTP/1.1").text(), "7:1");
}
