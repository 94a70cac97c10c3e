//! Preconditions of requests, in the order of RFC 9110, section 13.2.2.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, HttpResponseBuilder};
use route_runtime::{page, route};
use tests::Server;

use super::*;

const BEFORE: &str = "Fri, 01 Jan 2021 00:00:00 GMT";
const MODIFIED: &str = "Sat, 01 Jan 2022 00:00:00 GMT";
const AFTER: &str = "Sun, 01 Jan 2023 00:00:00 GMT";

fn dated(mut response: HttpResponseBuilder) -> HttpResponse {
    response.insert_header(("etag", "\"own\""));
    response.insert_header(("last-modified", MODIFIED));
    response.body("dated")
}

#[route("/preconditions/dated/[id]", revalidate = 10, cdn = true)]
async fn item(id: u32) -> HttpResponse {
    dated(HttpResponse::build(
        StatusCode::from_u16(id as u16).unwrap(),
    ))
}

#[page("/preconditions/page", revalidate = 10)]
async fn a_page() -> &'static str {
    "a page"
}

async fn status(app: &TestApp, method: Method, path: &str, headers: &[(&str, &str)]) -> u16 {
    let mut request = TestRequest::with_uri(path).method(method);
    for header in headers {
        request = request.append_header(*header);
    }
    app.send(request).await.status().as_u16()
}

#[actix_web::test]
async fn preconditions_are_evaluated_in_the_order_of_the_standard() {
    let cases: &[(&[(&str, &str)], u16)] = &[
        (&[("if-match", "\"own\"")], 200),
        (&[("if-match", "\"a\", \"own\"")], 200),
        (&[("if-match", "*")], 200),
        (&[("if-match", "\"nope\"")], 412),
        (&[("if-match", "nonsense")], 412),
        // The comparison is strong.
        (&[("if-match", "W/\"own\"")], 412),
        (
            &[("if-match", "\"nope\""), ("if-none-match", "\"own\"")],
            412,
        ),
        (
            &[("if-match", "\"own\""), ("if-none-match", "\"own\"")],
            304,
        ),
        (
            &[("if-match", "\"own\""), ("if-none-match", "\"nope\"")],
            200,
        ),
        (&[("if-unmodified-since", BEFORE)], 412),
        (&[("if-unmodified-since", MODIFIED)], 200),
        (&[("if-unmodified-since", AFTER)], 200),
        (&[("if-unmodified-since", "nonsense")], 200),
        // `If-Match` comes first, and then the date does not count.
        (
            &[("if-match", "\"own\""), ("if-unmodified-since", BEFORE)],
            200,
        ),
        (
            &[
                ("if-unmodified-since", BEFORE),
                ("if-none-match", "\"own\""),
            ],
            412,
        ),
        (&[("if-none-match", "\"own\"")], 304),
        (&[("if-none-match", "W/\"own\"")], 304),
        (&[("if-none-match", "\"nope\"")], 200),
        (&[("if-modified-since", BEFORE)], 200),
        (&[("if-modified-since", MODIFIED)], 304),
        (&[("if-modified-since", AFTER)], 304),
        (&[("if-modified-since", "nonsense")], 200),
        // `If-None-Match` comes first, and then the date does not count.
        (
            &[("if-none-match", "\"nope\""), ("if-modified-since", AFTER)],
            200,
        ),
        (
            &[("if-unmodified-since", AFTER), ("if-modified-since", AFTER)],
            304,
        ),
    ];
    for (headers, expected) in cases {
        for method in [Method::GET, Method::HEAD] {
            let app = app([item::ROUTE]).await;
            for how in ["miss", "hit"] {
                let found = status(&app, method.clone(), &item::path(200_u32), headers).await;
                assert_eq!(found, *expected, "{method} {how} {headers:?}");
            }
            // What is not a success is what it is.
            let absent = status(&app, method, &item::path(404_u32), headers).await;
            assert_eq!(absent, 404, "{headers:?}");
        }
    }
    // There is nothing to compare the date of another response with.
    let app = app([a_page::ROUTE]).await;
    for name in ["if-modified-since", "if-unmodified-since"] {
        for date in [BEFORE, AFTER] {
            let found = with(&app, "/preconditions/page", &[(name, date)]).await;
            assert_eq!(found.status(), 200, "{name}");
        }
    }
}

#[actix_web::test]
async fn the_strong_tag_of_a_body_matches_also_where_middleware_might_encode_it() {
    let app = app([a_page::ROUTE]).await;
    let path = "/preconditions/page";
    let etag = app.get(path).await.header("etag").unwrap().to_owned();
    assert!(etag.starts_with('"'));
    let accept = ("accept-encoding", "gzip");
    let found = with(&app, path, &[accept, ("if-match", &etag)]).await;
    assert_eq!(found.status(), 200);
    assert_eq!(found.header("etag"), Some(&*format!("W/{etag}")));
    let weak = format!("W/{etag}");
    let found = with(&app, path, &[accept, ("if-match", &weak)]).await;
    assert_eq!(found.status(), 412);
}

#[test]
fn a_failed_precondition_is_an_error_of_ours_that_nobody_keeps() {
    let server = Server::routes(&production([item::ROUTE, a_page::ROUTE]));
    let mut wire = server.connect();
    for (path, kind) in [
        ("/preconditions/dated/200", "application/problem+json"),
        ("/preconditions/page", "text/html; charset=utf-8"),
    ] {
        let mut length = None;
        for _ in 0..2 {
            let failed = wire.ask(&format!("GET {path} HTTP/1.1\nIf-Match: \"nope\""));
            assert_eq!(failed.status, 412);
            assert_eq!(failed.header("content-type"), Some(kind));
            assert_eq!(failed.header("cache-control"), Some("no-cache"));
            for name in ["cdn-cache-control", "cache-tag", "etag", "age"] {
                assert_eq!(failed.header(name), None, "{name}");
            }
            length = failed.header("content-length").map(String::from);
        }
        let head = wire.ask(&format!("HEAD {path} HTTP/1.1\nIf-Match: \"nope\""));
        assert_eq!(head.status, 412);
        assert_eq!(head.header("content-length"), length.as_deref());
        // The connection goes on.
        assert_eq!(wire.ask(&format!("GET {path} HTTP/1.1")).status, 200);
    }
}
