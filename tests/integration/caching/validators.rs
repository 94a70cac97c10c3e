//! `ETag`: two representations that a client could tell apart have two.

use std::sync::Mutex;

use actix_web::HttpResponse;
use route_runtime::route;

use super::*;

/// The headers of the next response, in their order.
static NEXT: Mutex<Vec<(&str, &str)>> = Mutex::new(Vec::new());

#[route("/validators/item", revalidate = 10)]
async fn item() -> HttpResponse {
    let mut response = HttpResponse::Ok();
    for header in NEXT.lock().unwrap().iter() {
        response.append_header(*header);
    }
    response.body("the same bytes")
}

#[actix_web::test]
async fn a_tag_covers_every_header_that_a_client_receives_but_those_about_caching() {
    let app = app([item::ROUTE]).await;
    let etag = async |headers: &[(&'static str, &'static str)]| {
        *NEXT.lock().unwrap() = headers.to_vec();
        app.routes()
            .revalidate_path("/validators/item")
            .await
            .unwrap();
        let found = app.get("/validators/item").await;
        assert_eq!(found.text(), "the same bytes");
        let etag = found.header("etag").unwrap().to_owned();
        let known = with(&app, "/validators/item", &[("if-none-match", &etag)]).await;
        assert_eq!(known.status(), 304);
        etag
    };
    let plain = [("content-type", "text/plain")];
    let first = etag(&plain).await;
    assert_eq!(etag(&plain).await, first, "it is made of nothing else");
    for other in [
        &[("content-type", "text/html")][..],
        &[],
        &[("content-type", "text/plain"), ("x-frame-options", "DENY")],
        &[("content-type", "text/plain"), ("content-language", "de")],
        &[("content-type", "text/plain"), ("vary", "cookie")],
        &[
            ("content-type", "text/plain"),
            ("link", "</a>"),
            ("link", "</b>"),
        ],
        &[
            ("content-type", "text/plain"),
            ("link", "</b>"),
            ("link", "</a>"),
        ],
        &[("content-type", "text/plain"), ("link", "</a></b>")],
        &[
            ("content-type", "text/plain"),
            ("last-modified", "Fri, 01 Jan 2100 00:00:00 GMT"),
        ],
    ] {
        assert_ne!(etag(other).await, first, "{other:?}");
    }
    let tags = [
        etag(&[("link", "</a>"), ("link", "</b>")]).await,
        etag(&[("link", "</b>"), ("link", "</a>")]).await,
    ];
    assert_ne!(tags[0], tags[1], "the order of one header's values counts");
    let tags = [
        etag(&[("link", "</a>"), ("x-a", "1")]).await,
        etag(&[("x-a", "1"), ("link", "</a>")]).await,
    ];
    assert_eq!(tags[0], tags[1], "that of several headers does not");
    for about_caching in [
        ("cache-control", "max-age=5"),
        ("cdn-cache-control", "max-age=5"),
        ("expires", "Fri, 01 Jan 2100 00:00:00 GMT"),
        ("date", "Fri, 01 Jan 2100 00:00:00 GMT"),
        ("age", "7"),
        ("cache-status", "other; hit"),
        ("cache-tag", "a"),
    ] {
        let headers = [("content-type", "text/plain"), about_caching];
        assert_eq!(etag(&headers).await, first, "{about_caching:?}");
    }
}

#[actix_web::test]
async fn a_client_that_revalidates_gets_the_new_type() {
    let app = app([typed::ROUTE]).await;
    let before = app.get("/validators/typed").await;
    assert_eq!(before.header("content-type"), Some("text/plain"));
    app.routes()
        .revalidate_path("/validators/typed")
        .await
        .unwrap();
    let etag = before.header("etag").unwrap();
    let after = with(&app, "/validators/typed", &[("if-none-match", etag)]).await;
    assert_eq!(after.status(), 200);
    assert_eq!(after.header("content-type"), Some("text/html"));
}

static TYPES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

/// Answers with the same bytes, as another type each time.
#[route("/validators/typed", revalidate = 10)]
async fn typed() -> HttpResponse {
    let kind = if next(&TYPES) == 1 {
        "text/plain"
    } else {
        "text/html"
    };
    HttpResponse::Ok().content_type(kind).body("<b>bytes</b>")
}

#[route("/validators/other", revalidate = 10)]
async fn other() -> HttpResponse {
    HttpResponse::SeeOther()
        .append_header(("location", "/validators/item"))
        .append_header(("etag", "\"its-own\""))
        .finish()
}

#[actix_web::test]
async fn a_response_that_is_not_kept_has_its_own_tag() {
    let app = app([other::ROUTE]).await;
    let found = app.get("/validators/other").await;
    assert_eq!(found.status(), 303);
    assert_eq!(found.header("etag"), Some("W/\"its-own\""));
}
