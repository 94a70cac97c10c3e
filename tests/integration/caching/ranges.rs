//! Parts of bodies that are kept.

use actix_web::middleware::Compress;
use actix_web::{App, HttpResponse};
use route_runtime::route;
use tests::Server;

use super::*;

const MODIFIED: &str = "Sat, 01 Jan 2022 00:00:00 GMT";

/// A body of 2000 digits.
fn digits() -> String {
    "0123456789".repeat(200)
}

#[route("/ranges/film", revalidate = 10, cdn = true)]
async fn film() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("video/mp4")
        .insert_header(("last-modified", MODIFIED))
        .body(digits())
}

#[route("/ranges/text", revalidate = 10)]
async fn text() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body(digits())
}

#[route("/ranges/whole", revalidate = 10)]
async fn whole() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("video/mp4")
        .insert_header(("accept-ranges", "none"))
        .body(digits())
}

#[route("/ranges/absent", revalidate = 10)]
async fn absent() -> HttpResponse {
    HttpResponse::NotFound().body(digits())
}

#[actix_web::test]
async fn a_part_of_a_kept_body_is_sent_and_the_whole_is_kept() {
    let all = [film::ROUTE, text::ROUTE, whole::ROUTE, absent::ROUTE];
    let app = app(all).await;
    for (range, part, expected) in [
        ("bytes=0-", "bytes 0-1999/2000", 0..2000),
        ("bytes=0-0", "bytes 0-0/2000", 0..1),
        ("bytes=12-14", "bytes 12-14/2000", 12..15),
        ("bytes=1995-5000", "bytes 1995-1999/2000", 1995..2000),
        ("bytes=-5", "bytes 1995-1999/2000", 1995..2000),
        ("bytes=-5000", "bytes 0-1999/2000", 0..2000),
        // The first of several that the body has.
        ("bytes=3-4, 7-8", "bytes 3-4/2000", 3..5),
        ("bytes=9999-, 7-8", "bytes 7-8/2000", 7..9),
    ] {
        for path in ["/ranges/film", "/ranges/text"] {
            let found = with(&app, path, &[("range", range)]).await;
            assert_eq!(found.status(), 206, "{range}");
            assert_eq!(found.header("content-range"), Some(part));
            assert_eq!(found.text(), &digits()[expected.clone()], "{range}");
            assert_eq!(found.header("accept-ranges"), Some("bytes"));
            assert_eq!(found.header("content-encoding"), None);
        }
    }
    let part = with(&app, "/ranges/film", &[("range", "bytes=0-0")]).await;
    let all = app.get("/ranges/film").await;
    assert_eq!((all.status().as_u16(), all.text()), (200, &*digits()));
    assert_eq!(all.header("accept-ranges"), Some("bytes"));
    for name in [
        "etag",
        "cache-control",
        "cache-tag",
        "last-modified",
        "content-type",
    ] {
        assert!(all.header(name).is_some());
        assert_eq!(part.header(name), all.header(name), "{name}");
    }
    assert_eq!(app.routes().stats().renders, 4);
}

#[actix_web::test]
async fn a_range_that_is_not_understood_is_ignored_and_one_that_is_not_there_is_416() {
    let app = app([film::ROUTE, text::ROUTE, whole::ROUTE, absent::ROUTE]).await;
    for range in ["bytes", "bytes=", "bytes=a-b", "lines=0-1", "bytes=5-4"] {
        let found = with(&app, "/ranges/film", &[("range", range)]).await;
        assert_eq!(found.status(), 200, "{range}");
        assert_eq!(found.text(), digits(), "{range}");
    }
    for range in ["bytes=2000-", "bytes=-0", "bytes=5000-6000, 2000-2001"] {
        let found = with(&app, "/ranges/film", &[("range", range)]).await;
        assert_eq!(found.status(), 416, "{range}");
        assert_eq!(found.header("content-range"), Some("bytes */2000"));
        assert_eq!(found.header("cache-control"), Some("no-cache"));
        for name in ["cdn-cache-control", "cache-tag", "etag"] {
            assert_eq!(found.header(name), None, "{name}");
        }
    }
    let range = ("range", "bytes=0-1");
    // A handler may say that there are no parts, and a 404 has none.
    for (path, status) in [("/ranges/whole", 200), ("/ranges/absent", 404)] {
        let found = with(&app, path, &[range]).await;
        assert_eq!(found.status(), status);
        assert_eq!(found.text(), digits(), "{path}");
        assert_ne!(found.header("accept-ranges"), Some("bytes"), "{path}");
    }
    // The encoded body has none, either.
    let found = with(&app, "/ranges/text", &[range, ("accept-encoding", "gzip")]).await;
    assert_eq!(found.status(), 200);
    assert_eq!(found.header("content-encoding"), Some("gzip"));
    assert_eq!(found.header("accept-ranges"), None);
    // A client that has the body, or wants another, gets no part of it.
    let known = with(&app, "/ranges/film", &[range, ("if-none-match", "*")]).await;
    assert_eq!(known.status(), 304);
    let failed = with(&app, "/ranges/film", &[range, ("if-match", "\"nope\"")]).await;
    assert_eq!(failed.status(), 412);
}

#[actix_web::test]
async fn if_range_gets_the_whole_of_another_version() {
    let app = app([film::ROUTE]).await;
    let etag = app
        .get("/ranges/film")
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    let weak = format!("W/{etag}");
    for (version, status) in [
        (&*etag, 206),
        (MODIFIED, 206),
        ("\"nope\"", 200),
        (&*weak, 200),
        ("Sat, 01 Jan 2022 00:00:01 GMT", 200),
        ("nonsense", 200),
    ] {
        let headers = [("range", "bytes=1-2"), ("if-range", version)];
        let found = with(&app, "/ranges/film", &headers).await;
        assert_eq!(found.status(), status, "{version}");
    }
}

#[test]
fn under_compress_a_part_is_sent_as_it_is_and_head_has_no_parts() {
    let routes = production([film::ROUTE]);
    let server =
        Server::start(move || App::new().wrap(Compress::default()).service(routes.clone()));
    let mut wire = server.connect();
    for _ in 0..2 {
        let range = "Range: bytes=3-5\nAccept-Encoding: gzip, br";
        let part = wire.ask(&format!("GET /ranges/film HTTP/1.1\n{range}"));
        assert_eq!((part.status, part.text()), (206, "345"));
        assert_eq!(part.header("content-length"), Some("3"));
        let etag = part.header("etag").unwrap().to_owned();
        let again = format!("GET /ranges/film HTTP/1.1\n{range}\nIf-Range: {etag}");
        assert_eq!(wire.ask(&again).status, 206);
        let head = wire.ask("HEAD /ranges/film HTTP/1.1\nRange: bytes=3-5");
        assert_eq!(head.status, 200);
        assert_eq!(head.header("content-length"), Some("2000"));
        assert_eq!(head.header("accept-ranges"), Some("bytes"));
    }
}
