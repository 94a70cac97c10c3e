//! Headers for shared caches, and headers of responses that are not cached.

use std::sync::atomic::AtomicU32;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::future::join;
use route_runtime::testing::{Outcome, TestApp};
use route_runtime::{Mode, Routes, route};
use tests::Gate;

use super::*;

#[route("/caching/cdn", revalidate = 10, expire = 70, tags = ["a", "b"])]
async fn cdn() -> &'static str {
    "cdn"
}

#[route("/caching/cdn/off", cdn = false)]
async fn cdn_off() -> &'static str {
    "off"
}

#[route("/caching/cdn/always")]
async fn cdn_always() -> &'static str {
    "always"
}

#[route("/caching/cdn/own")]
async fn cdn_own() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("cache-control", "public, max-age=7"))
        .body("own")
}

/// Sets the headers of one line of its path, such as `expires=0&x-a=1`.
#[route("/caching/cdn/says/[headers]", revalidate = 10)]
async fn cdn_says(headers: String) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    for header in headers.split('&') {
        response.append_header(header.split_once('=').unwrap());
    }
    response.body("says")
}

#[actix_web::test]
async fn a_header_of_the_handler_about_caching_holds_instead_of_ours() {
    const EXPIRES: &str = "Fri, 01 Jan 2100 00:00:00 GMT";
    let names = [
        "cache-control",
        "cdn-cache-control",
        "expires",
        "surrogate-control",
        "age",
    ];
    let check = async |app: &TestApp, own: &[(&str, &str)], expected: [Option<&str>; 5], is_cdn| {
        let own: Vec<_> = own
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let path = cdn_says::path(own.join("&"));
        for headers in [&[][..], &[], &[("if-none-match", "*")]] {
            let found = with(app, &path, headers).await;
            assert_eq!(names.map(|name| found.header(name)), expected, "{path}");
            // The tags do not depend on it.
            assert_eq!(found.header("cache-tag").is_some(), is_cdn, "{path}");
        }
    };
    for is_cdn in [true, false] {
        let app = TestApp::new(production([cdn_says::ROUTE]).cdn(is_cdn)).await;
        let app = app.unwrap();
        let own = [("cdn-cache-control", "no-store")];
        let no_store = [Some("no-cache"), Some("no-store"), None, None, Some("0")];
        check(&app, &own, no_store, is_cdn).await;
        let own = [("surrogate-control", "max-age=7")];
        let surrogate = [Some("no-cache"), None, None, Some("max-age=7"), Some("0")];
        check(&app, &own, surrogate, is_cdn).await;
        let own = [("expires", EXPIRES)];
        // Without `cdn`, it is for browsers only.
        let control = Some(if is_cdn { "public" } else { "private" });
        check(
            &app,
            &own,
            [control, None, Some(EXPIRES), None, None],
            is_cdn,
        )
        .await;
        let own = [("cache-control", "public, max-age=7"), ("expires", EXPIRES)];
        let both = [
            Some("public, max-age=7"),
            None,
            Some(EXPIRES),
            None,
            Some("0"),
        ];
        check(&app, &own, both, is_cdn).await;
    }
    // Tags of the handler are not replaced by ours.
    let app = TestApp::new(production([cdn_says::ROUTE]).cdn(true))
        .await
        .unwrap();
    let path = "/caching/cdn/says/cache-tag=a&cache-tag=b";
    let found = app.get(path).await;
    let tags = format!("a,b,{path},/caching/cdn/says/[headers]");
    assert_eq!(found.header("cache-tag"), Some(&*tags));
}

#[actix_web::test]
async fn headers_tell_shared_caches_how_long_to_keep_a_response_if_at_all() {
    let all = [
        cdn::ROUTE,
        cdn_off::ROUTE,
        cdn_always::ROUTE,
        cdn_own::ROUTE,
    ];
    let app = TestApp::new(production(all).cdn(true)).await.unwrap();
    let check = async |path: &str, expected: [Option<&str>; 3]| {
        for headers in [&[][..], &[("if-none-match", "*")]] {
            let found = with(&app, path, headers).await;
            let names = ["cache-control", "cdn-cache-control", "cache-tag"];
            assert_eq!(
                names.map(|name| found.header(name)),
                expected,
                "{path} {headers:?}"
            );
        }
    };
    let fresh = [
        Some("max-age=0, s-maxage=10, public"),
        Some("max-age=10, stale-while-revalidate=60, stale-if-error=60"),
        Some("/caching/cdn,a,b"),
    ];
    check("/caching/cdn", fresh).await;
    check("/caching/cdn/off", [Some("no-cache"), None, None]).await;
    let always = [
        Some("max-age=0, s-maxage=31536000, public"),
        Some("max-age=31536000, stale-while-revalidate=0, stale-if-error=0"),
        Some("/caching/cdn/always"),
    ];
    check("/caching/cdn/always", always).await;
    let own = [Some("public, max-age=7"), None, Some("/caching/cdn/own")];
    check("/caching/cdn/own", own).await;
    app.advance(10 * SECOND);
    let stale = app.get("/caching/cdn").await;
    assert_eq!(stale.outcome(), Some(Outcome::Stale));
    assert_eq!(
        stale.header("cache-control"),
        Some("public, max-age=0, s-maxage=0")
    );
    assert_eq!(stale.header("cdn-cache-control"), Some("max-age=0"));
    app.settled().await;
    check("/caching/cdn", fresh).await;
    // Past `expire` no request gets the old response.
    app.advance(70 * SECOND);
    let expired = app.get("/caching/cdn").await;
    assert_eq!(
        expired.header("cache-status"),
        Some("route; fwd=stale; stored")
    );

    let app = TestApp::new(production(all)).await.unwrap();
    let off = app.get("/caching/cdn").await;
    assert_eq!(off.header("cache-control"), Some("no-cache"));
    assert_eq!(off.header("cache-tag"), None);
}

#[actix_web::test]
async fn shared_caches_are_told_what_is_left_of_a_lifetime() {
    let app = TestApp::new(production([cdn::ROUTE, cdn_off::ROUTE]).cdn(true));
    let app = app.await.unwrap();
    let path = "/caching/cdn";
    app.get(path).await;
    let left = async |seconds: u32| {
        for headers in [&[][..], &[("if-none-match", "*")]] {
            let found = with(&app, path, headers).await;
            let control = format!("max-age=0, s-maxage={seconds}, public");
            assert_eq!(found.header("cache-control"), Some(&*control));
            let control = found.header("cdn-cache-control").unwrap();
            assert!(control.starts_with(&format!("max-age={seconds}, ")));
            // A cache that reads it would count the age twice.
            assert_eq!(found.header("age"), None);
        }
    };
    left(10).await;
    app.advance(4 * SECOND);
    left(6).await;
    app.advance(5 * SECOND);
    left(1).await;
    // In its last second, it is fresh here and used up outside.
    app.advance(SECOND / 2);
    let last = app.get(path).await;
    assert_eq!(last.outcome(), Some(Outcome::Hit));
    assert_eq!(
        last.header("cache-control"),
        Some("public, max-age=0, s-maxage=0")
    );
    assert_eq!(last.header("cdn-cache-control"), Some("max-age=0"));
    // The time between a render and its response is no age.
    app.advance(SECOND / 2);
    app.get(path).await;
    app.settled().await;
    app.advance(Duration::from_millis(90));
    left(10).await;
    // What is not shared has its age.
    assert_eq!(app.get("/caching/cdn/off").await.header("age"), Some("10"));
}

static SLOW: [Gate; 2] = [Gate::new(), Gate::new()];

#[route("/caching/cdn/slow/[id]", revalidate = false, cdn = true)]
async fn cdn_slow(id: String) -> String {
    SLOW[0].open();
    SLOW[1].pass().await;
    id
}

#[actix_web::test]
async fn shared_caches_do_not_keep_a_response_invalidated_during_its_render() {
    let app = app([cdn_slow::ROUTE]).await;
    for how in ["as it is", "stale", "absent"] {
        let path = cdn_slow::path(how);
        let meanwhile = async {
            SLOW[0].pass().await;
            let invalidated = app.routes().revalidate_path(&*path);
            match how {
                "stale" => invalidated.stale().await.unwrap(),
                "absent" => invalidated.await.unwrap(),
                _ => {}
            }
            SLOW[1].open();
        };
        let (found, ()) = join(app.get(&path), meanwhile).await;
        assert_eq!(found.text(), how);
        let told = ["cache-control", "cdn-cache-control"].map(|name| found.header(name));
        let expected = if how == "as it is" {
            [
                "max-age=0, s-maxage=31536000, public",
                "max-age=31536000, stale-while-revalidate=0, stale-if-error=0",
            ]
        } else {
            ["public, max-age=0, s-maxage=0", "max-age=0"]
        };
        assert_eq!(told, expected.map(Some), "{how}");
    }
}

static DEVELOPED: AtomicU32 = AtomicU32::new(0);

#[route("/caching/developed", revalidate = 60)]
async fn developed() -> String {
    next(&DEVELOPED).to_string()
}

#[route("/caching/plain", dynamic = "force-dynamic")]
async fn plain(body: Bytes) -> String {
    body.len().to_string()
}

#[actix_web::test]
async fn an_uncached_response_says_why_and_must_not_be_stored() {
    let all = Routes::from_iter([developed::ROUTE, plain::ROUTE]).unwrap();
    let app = TestApp::new(all.mode(Mode::Development)).await.unwrap();
    let private = Some("private, no-cache, no-store, max-age=0, must-revalidate");
    for run in 1..=3 {
        let found = app.get("/caching/developed").await;
        assert_eq!(found.text(), run.to_string());
        let why = Some("route; fwd=bypass; detail=development");
        assert_eq!(
            (found.header("cache-status"), found.header("cache-control")),
            (why, private)
        );
        assert_eq!((found.header("etag"), found.header("age")), (None, None));
        let found = app.get("/caching/plain").await;
        let why = Some("route; fwd=bypass; detail=dynamic");
        assert_eq!(
            (found.header("cache-status"), found.header("cache-control")),
            (why, private)
        );
    }
    assert_eq!(app.routes().stats().entries, 0);
}
