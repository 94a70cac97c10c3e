//! Instructions for caches outside: nothing that middleware, credentials or a cookie make one
//! client's.

use actix_web::body::{BodyStream, BoxBody};
use actix_web::cookie::Cookie;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorUnauthorized;
use actix_web::http::header::{
    AUTHORIZATION, CACHE_CONTROL, EXPIRES, HeaderName, HeaderValue, PROXY_AUTHORIZATION, SET_COOKIE,
};
use actix_web::middleware::Next;
use actix_web::test::TestRequest;
use actix_web::web::Bytes;
use actix_web::{Error, HttpRequest, HttpResponse};
use futures_util::stream;
use route_runtime::{page, route};
use tests::log;

use super::*;

const PRIVATE: &str = "private, no-cache, no-store, max-age=0, must-revalidate";

async fn guard(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    next.call(request).await
}

#[route("/outside/open", revalidate = 10)]
async fn open() -> &'static str {
    "open"
}

#[route("/outside/guarded", revalidate = 10, wrap = guard)]
async fn guarded() -> &'static str {
    "guarded"
}

#[route("/outside/shared", revalidate = 10, cdn = true)]
async fn shared() -> &'static str {
    "shared"
}

#[route("/outside/public", revalidate = 10, cdn = "public", wrap = guard)]
async fn public() -> &'static str {
    "public"
}

fn asked(path: &str, header: Option<HeaderName>) -> TestRequest {
    let request = TestRequest::get().uri(path);
    match header {
        Some(name) => request.insert_header((name, "Basic dTpw")),
        None => request,
    }
}

#[actix_web::test]
async fn shared_caches_are_told_nothing_of_what_may_be_guarded() {
    log::listen();
    let all = [open::ROUTE, guarded::ROUTE, shared::ROUTE, public::ROUTE];
    let app = TestApp::new(production(all).cdn(true)).await.unwrap();
    for (path, times) in [("guarded", 1), ("open", 0), ("shared", 0), ("public", 0)] {
        let lines = log::lines_with(&format!("\"/outside/{path}\""));
        assert_eq!(lines.len(), times, "{lines:?}");
    }
    let check = async |path: &str, header: Option<HeaderName>, is_shared: bool| {
        // A miss, a hit, and one that is not modified.
        for _ in 0..2 {
            let found = app.send(asked(path, header.clone())).await;
            let control = found.header("cache-control").unwrap();
            assert_eq!(control.contains("s-maxage"), is_shared, "{path} {control}");
            for name in ["cdn-cache-control", "cache-tag"] {
                assert_eq!(found.header(name).is_some(), is_shared, "{path} {name}");
            }
            let etag = found.header("etag").unwrap().to_owned();
            let known = asked(path, header.clone()).insert_header(("if-none-match", etag));
            let known = app.send(known).await;
            assert_eq!(known.status(), 304);
            assert_eq!(known.header("cache-control"), Some(control), "{path}");
        }
    };
    for header in [None, Some(AUTHORIZATION), Some(PROXY_AUTHORIZATION)] {
        let is_anonymous = header.is_none();
        check("/outside/open", header.clone(), is_anonymous).await;
        check("/outside/shared", header.clone(), is_anonymous).await;
        check("/outside/guarded", header.clone(), false).await;
        check("/outside/public", header, true).await;
    }
    // The table says what holds.
    let json = app.routes().to_json();
    let cdn = json.lines().filter(|line| line.contains("\"cdn\""));
    let cdn: Vec<_> = cdn.map(str::trim).collect();
    assert_eq!(
        cdn,
        [
            "\"cdn\": false,",
            "\"cdn\": true,",
            "\"cdn\": \"public\",",
            "\"cdn\": true,"
        ]
    );
}

/// Does what the header `x-do` says, and nothing where there is none.
async fn does(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    let what = request.headers().get("x-do").cloned();
    let mut answer = HttpResponse::Ok();
    let answer = match what.as_ref().and_then(|what| what.to_str().ok()) {
        Some("answers") => answer.body("its own"),
        Some("redirects") => HttpResponse::Found()
            .insert_header(("location", "/login"))
            .finish(),
        Some("says") => answer
            .insert_header((CACHE_CONTROL, "public, max-age=5"))
            .finish(),
        Some("streams") => {
            let body = stream::iter([Ok::<_, Error>(Bytes::from_static(b"stream"))]);
            answer.body(BodyStream::new(body))
        }
        Some("errs") => return Err(ErrorUnauthorized("no")),
        Some("fails") => {
            return Err(std::io::Error::other("disk /dev/secret is gone").into());
        }
        Some("panics") => panic!("in a middleware"),
        Some("cookies") => {
            let mut response = next.call(request).await?;
            let headers = response.headers_mut();
            headers.append(SET_COOKIE, HeaderValue::from_static("a=1"));
            headers.append(SET_COOKIE, HeaderValue::from_static("b=2"));
            return Ok(response);
        }
        _ => return next.call(request).await,
    };
    Ok(request.into_response(answer))
}

#[route("/outside/wrapped", revalidate = 10, wrap = does)]
async fn wrapped() -> &'static str {
    "kept"
}

#[route("/outside/wrapped/public", revalidate = 10, wrap = does, cdn = "public")]
async fn wrapped_public() -> &'static str {
    "kept"
}

#[page("/outside/wrapped/page", revalidate = 10, wrap = does)]
async fn wrapped_page() -> &'static str {
    "kept"
}

#[route("/outside/wrapped/dynamic", wrap = does)]
async fn wrapped_dynamic(_request: HttpRequest) -> &'static str {
    "made"
}

#[actix_web::test]
async fn what_a_middleware_answers_itself_is_kept_by_nobody() {
    let all = [
        wrapped::ROUTE,
        wrapped_public::ROUTE,
        wrapped_page::ROUTE,
        wrapped_dynamic::ROUTE,
    ];
    let app = TestApp::new(production(all)).await.unwrap();
    for path in all.map(|route| route_path(&route)) {
        for (what, status, body) in [
            ("answers", 200, Some("its own")),
            ("redirects", 302, Some("")),
            ("streams", 200, Some("stream")),
            ("errs", 401, Some("no")),
            ("fails", 500, None),
            ("panics", 500, None),
        ] {
            let request = TestRequest::get().uri(path).insert_header(("x-do", what));
            let found = app.send(request).await;
            assert_eq!(found.status(), status, "{path} {what}");
            assert_eq!(
                found.header("cache-control"),
                Some(PRIVATE),
                "{path} {what}"
            );
            if let Some(body) = body {
                assert_eq!(found.text(), body, "{path} {what}");
            }
            assert!(!found.text().contains("secret"), "{path} {what}");
        }
        let request = TestRequest::get().uri(path).insert_header(("x-do", "says"));
        let found = app.send(request).await;
        assert_eq!(found.header("cache-control"), Some("public, max-age=5"));
    }
    let page = TestRequest::get().uri("/outside/wrapped/page");
    let page = app.send(page.insert_header(("x-do", "fails"))).await;
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
}

fn route_path(route: &RouteDescriptor) -> &'static str {
    let text = format!("{route:?}");
    text.split(' ').nth(1).unwrap().to_owned().leak()
}

#[actix_web::test]
async fn a_cookie_that_a_middleware_sets_is_never_public() {
    let app = TestApp::new(production([wrapped::ROUTE, wrapped_public::ROUTE]));
    let app = app.await.unwrap();
    log::listen();
    for path in ["/outside/wrapped", "/outside/wrapped/public"] {
        for _ in 0..3 {
            let request = TestRequest::get().uri(path);
            let found = app.send(request.insert_header(("x-do", "cookies"))).await;
            assert_eq!(found.text(), "kept");
            assert_eq!(found.headers().get_all(SET_COOKIE).count(), 2);
            assert_eq!(found.header("cache-control"), Some(PRIVATE), "{path}");
            assert_eq!(found.header("cdn-cache-control"), None);
        }
        // Nothing of that is in what others get.
        let found = app.get(path).await;
        assert_eq!(found.header("set-cookie"), None);
        let is_public = found.header("cache-control").unwrap().contains("public");
        assert_eq!(is_public, path.ends_with("public"));
    }
    // What said nothing of shared caches is sent without one, and is no news.
    assert!(log::lines_with("\"/outside/wrapped\"").is_empty());
    assert_eq!(log::lines_with("\"/outside/wrapped/public\"").len(), 1);
}

fn with_cookies(control: Option<&str>, more: &[(&str, &str)]) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.cookie(Cookie::new("session", "1"));
    response.cookie(Cookie::new("theme", "2"));
    if let Some(control) = control {
        response.insert_header((CACHE_CONTROL, control));
    }
    for header in more {
        response.insert_header(*header);
    }
    response.body("cookies")
}

#[route("/outside/cookies/[how]")]
async fn cookies(how: String) -> HttpResponse {
    match &*how {
        "public" => with_cookies(Some("public, max-age=60"), &[]),
        "shared" => with_cookies(Some("s-maxage=60"), &[]),
        "asks" => with_cookies(Some("no-cache"), &[]),
        "cdn" => with_cookies(
            None,
            &[
                ("cdn-cache-control", "max-age=60"),
                ("surrogate-control", "max-age=60"),
                ("x-accel-expires", "60"),
                ("cache-tag", "a"),
                ("surrogate-key", "a"),
                ("xkey", "a"),
                (EXPIRES.as_str(), "Fri, 01 Jan 2100 00:00:00 GMT"),
            ],
        ),
        "private" => with_cookies(Some("private, max-age=60"), &[]),
        "both" => with_cookies(Some("private, public, s-maxage=60"), &[]),
        "qualified" => with_cookies(Some("private=\"x-a\", max-age=60"), &[]),
        "no-store" => with_cookies(Some("no-store"), &[]),
        _ => with_cookies(None, &[]),
    }
}

#[route("/outside/cookies/kept/[how]", revalidate = 10)]
async fn kept_cookies(how: String) -> HttpResponse {
    cookies(how).await
}

#[actix_web::test]
async fn a_cookie_is_never_public_whatever_the_handler_says() {
    let app = TestApp::new(production([cookies::ROUTE, kept_cookies::ROUTE]).cdn(true));
    let app = app.await.unwrap();
    log::listen();
    for route in ["/outside/cookies/", "/outside/cookies/kept/"] {
        for (how, control) in [
            ("public", PRIVATE),
            ("shared", PRIVATE),
            ("asks", PRIVATE),
            ("cdn", PRIVATE),
            ("plain", PRIVATE),
            ("private", "private, max-age=60"),
            ("both", PRIVATE),
            ("qualified", PRIVATE),
            ("no-store", "no-store"),
        ] {
            let found = app.get(&format!("{route}{how}")).await;
            assert_eq!(found.headers().get_all(SET_COOKIE).count(), 2);
            assert_eq!(found.header("cache-control"), Some(control), "{route}{how}");
            for name in [
                "cdn-cache-control",
                "surrogate-control",
                "x-accel-expires",
                "cache-tag",
                "surrogate-key",
                "xkey",
                "expires",
            ] {
                assert_eq!(found.header(name), None, "{route}{how}: {name}");
            }
        }
    }
    for pattern in ["/outside/cookies/[how]", "/outside/cookies/kept/[how]"] {
        let lines = log::lines_with(&format!("\"{pattern}\""));
        assert_eq!(lines.len(), 1, "told once for each route: {lines:?}");
        assert!(lines[0].contains("sets a cookie"), "{lines:?}");
    }
}

#[route(POST, "/outside/post", body_limit = 1)]
async fn post(body: String) -> String {
    body
}

#[actix_web::test]
async fn every_answer_says_whether_it_may_be_kept() {
    let all = [open::ROUTE, post::ROUTE, cookies::ROUTE];
    let app = TestApp::new(production(all)).await.unwrap();
    let requests = [
        (TestRequest::get().uri("/outside/open"), 200),
        (TestRequest::get().uri("/outside/open/"), 308),
        (TestRequest::get().uri("/outside/cookies/%ff"), 400),
        (TestRequest::get().uri("/nowhere"), 404),
        (TestRequest::delete().uri("/outside/open"), 405),
        (
            TestRequest::default()
                .method("OPTIONS".parse().unwrap())
                .uri("/outside/open"),
            204,
        ),
        (
            TestRequest::post().uri("/outside/post").set_payload("a"),
            200,
        ),
        (
            TestRequest::post()
                .uri("/outside/post")
                .insert_header(("content-length", "2"))
                .set_payload("ab"),
            413,
        ),
    ];
    for (request, status) in requests {
        let found = app.send(request).await;
        assert_eq!(found.status(), status);
        let control = found.header("cache-control");
        assert!(
            control.is_some_and(|it| it.contains("no-cache")),
            "{status}: {control:?}"
        );
    }
}

#[page("/outside/page")]
async fn a_page() -> &'static str {
    "a page"
}

#[actix_web::test]
async fn what_nothing_knows_is_a_problem_that_is_asked_for_again() {
    let app = TestApp::new(production([open::ROUTE, a_page::ROUTE]))
        .await
        .unwrap();
    let found = app.get("/nowhere").await;
    assert_eq!(found.status(), 404);
    assert_eq!(
        found.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(found.header("cache-control"), Some("no-cache"));
    assert_eq!(
        found.text(),
        r#"{"type":"about:blank","title":"Not Found","status":404}"#
    );
    // Where all is pages, it is one, too.
    let app = TestApp::new(production([a_page::ROUTE])).await.unwrap();
    let found = app.get("/nowhere").await;
    assert_eq!(found.status(), 404);
    assert_eq!(
        found.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(found.header("cache-control"), Some("no-cache"));
}
