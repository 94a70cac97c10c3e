//! Cached routes as a client sees them: what is shared, with which headers, and for how long.

use std::io::Read as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::middleware::{Compress, DefaultHeaders, Logger, NormalizePath};
use actix_web::test::TestRequest;
use actix_web::web::Bytes;
use actix_web::{App, HttpResponse, HttpResponseBuilder};
use futures_util::future::join_all;
use route_runtime::testing::{Outcome, TestApp, TestResponse};
use route_runtime::{Mode, RouteDescriptor, Routes, route};
use tests::Gate;
use tests::wire::Wired;

const SECOND: Duration = Duration::from_secs(1);

fn routes(routes: impl IntoIterator<Item = RouteDescriptor>) -> Routes {
    Routes::from_iter(routes).unwrap().mode(Mode::Production)
}

async fn app(routes: impl IntoIterator<Item = RouteDescriptor>) -> TestApp {
    TestApp::new(self::routes(routes)).await.unwrap()
}

async fn with(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> TestResponse {
    let mut request = TestRequest::get().uri(path);
    for header in headers {
        request = request.append_header(*header);
    }
    app.send(request).await
}

fn next(count: &AtomicU32) -> u32 {
    count.fetch_add(1, Ordering::SeqCst) + 1
}

static TIMELINE: AtomicU32 = AtomicU32::new(0);
static SLOW: Gate = Gate::new();

#[route("/caching/timeline", revalidate = 2)]
async fn timeline() -> String {
    let run = next(&TIMELINE);
    if run == 4 {
        SLOW.pass().await;
    }
    format!("v{run}")
}

#[actix_web::test]
async fn fresh_then_stale_once_then_fresh() {
    let app = app([timeline::ROUTE]).await;
    let check = async |status: &str, body: &str| {
        let found = app.get("/caching/timeline").await;
        let header = found.header("cache-status").unwrap();
        assert_eq!((header, found.text()), (status, body));
        assert!(found.header("age").is_some());
    };
    check("route; hit; ttl=2", "v1").await;
    app.advance(SECOND);
    check("route; hit; ttl=1", "v1").await;
    app.advance(SECOND);
    check("route; hit; ttl=-1", "v1").await;
    app.settled().await;
    check("route; hit; ttl=2", "v2").await;
    // Nobody asks, so nothing is rendered; the first who does gets the old.
    app.advance(Duration::from_secs(3600));
    app.settled().await;
    assert_eq!(TIMELINE.load(Ordering::SeqCst), 2);
    check("route; hit; ttl=-3598", "v2").await;
    app.settled().await;
    check("route; hit; ttl=2", "v3").await;
    // A slow refresh: everyone meanwhile has the old at once, and there is one run.
    app.advance(2 * SECOND);
    for _ in 0..5 {
        check("route; hit; ttl=-1", "v3").await;
    }
    SLOW.open();
    app.settled().await;
    check("route; hit; ttl=2", "v4").await;
    assert_eq!(TIMELINE.load(Ordering::SeqCst), 4);
}

static CROWD: AtomicU32 = AtomicU32::new(0);
static CROWD_GATE: Gate = Gate::new();

#[route("/caching/crowd/[id]", revalidate = 10)]
async fn crowd(id: u32) -> String {
    let run = next(&CROWD);
    CROWD_GATE.pass().await;
    format!("{id} run {run}")
}

#[actix_web::test]
async fn a_crowd_is_one_run() {
    let app = app([crowd::ROUTE]).await;
    let ask = |number: u32| {
        let request = TestRequest::get().uri(&format!("/caching/crowd/7?{number}"));
        app.send(request.insert_header(("cookie", format!("a={number}"))))
    };
    let (cold, ()) = tokio::join!(join_all((0..200).map(ask)), async {
        CROWD_GATE.open();
    });
    assert_eq!(CROWD.load(Ordering::SeqCst), 1);
    let stored = |response: &&TestResponse| {
        response.header("cache-status") == Some("route; fwd=miss; stored")
    };
    let collapsed = |response: &&TestResponse| {
        response.header("cache-status") == Some("route; fwd=miss; collapsed")
    };
    assert!(cold.iter().all(|response| response.text() == "7 run 1"));
    assert_eq!(cold.iter().filter(stored).count(), 1);
    assert_eq!(cold.iter().filter(collapsed).count(), 199);

    app.advance(10 * SECOND);
    let stale = join_all((0..200).map(ask)).await;
    assert!(stale.iter().all(|response| response.text() == "7 run 1"));
    assert!(
        stale
            .iter()
            .all(|response| response.outcome() == Some(Outcome::Stale))
    );
    CROWD_GATE.open();
    app.settled().await;
    assert_eq!(app.get("/caching/crowd/7").await.text(), "7 run 2");
    assert_eq!(CROWD.load(Ordering::SeqCst), 2);
}

static LEADER: AtomicU32 = AtomicU32::new(0);
static LEADER_GATES: [Gate; 2] = [Gate::new(), Gate::new()];

#[route("/caching/leader/[id]", revalidate = 10)]
async fn leader(id: u32) -> String {
    next(&LEADER);
    LEADER_GATES[0].open();
    LEADER_GATES[1].pass().await;
    id.to_string()
}

#[actix_web::test]
async fn a_leader_that_hangs_up_stops_nobody() {
    let routes = routes([leader::ROUTE]);
    let server = Wired::routes(&routes);
    let mut first = server.connect();
    first.begin("GET /caching/leader/1 HTTP/1.1");
    LEADER_GATES[0].pass().await;
    let mut others: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for wire in &mut others {
        wire.begin("GET /caching/leader/1 HTTP/1.1");
    }
    first.hang_up();
    LEADER_GATES[1].open();
    for wire in &mut others {
        let mut reply = wire.head();
        wire.body(&mut reply);
        assert_eq!((reply.status, reply.text()), (200, "1"));
    }
    assert_eq!(LEADER.load(Ordering::SeqCst), 1);
}

static PANICS: AtomicU32 = AtomicU32::new(0);
static PANICS_GATE: Gate = Gate::new();

#[route("/caching/panics/[id]", revalidate = 10)]
async fn panics(id: u32) -> String {
    next(&PANICS);
    PANICS_GATE.pass().await;
    panic!("{id}")
}

#[actix_web::test]
async fn a_leader_that_panics_answers_everyone() {
    let app = app([panics::ROUTE]).await;
    let asked = join_all((0..200).map(|_| app.get("/caching/panics/1")));
    let (all, ()) = tokio::join!(asked, async { PANICS_GATE.open() });
    assert!(all.iter().all(|response| response.status() == 500));
    assert_eq!(PANICS.load(Ordering::SeqCst), 1);
    // It is shared for a second and not kept.
    PANICS_GATE.open();
    app.advance(2 * SECOND);
    assert_eq!(app.get("/caching/panics/1").await.status(), 500);
    assert_eq!(PANICS.load(Ordering::SeqCst), 2);
}

static HANGS: Gate = Gate::new();

#[route("/caching/hangs/[id]", revalidate = 10, max_duration = 5)]
async fn hangs(id: u32) -> String {
    HANGS.open();
    std::future::pending::<()>().await;
    id.to_string()
}

#[actix_web::test]
async fn a_leader_that_hangs_is_cut_off_for_everyone() {
    let app = app([hangs::ROUTE]).await;
    let asked = join_all((0..50).map(|_| app.get("/caching/hangs/1")));
    let (all, ()) = tokio::join!(asked, async {
        HANGS.pass().await;
        app.advance(5 * SECOND);
    });
    for response in all {
        assert_eq!(response.status(), 504);
        assert_eq!(
            response.header("cache-status"),
            Some("route; fwd=miss; detail=timeout")
        );
        // A 504 that a browser or a proxy keeps would outlive its cause.
        let kept = response.header("cache-control").unwrap();
        assert!(kept.contains("no-store"));
    }
}

static COOKIES: AtomicU32 = AtomicU32::new(0);

#[route("/caching/cookies/[id]", revalidate = 10)]
async fn cookies(id: u32) -> HttpResponse {
    let run = next(&COOKIES);
    HttpResponse::Ok()
        .insert_header(("set-cookie", format!("session={run}")))
        .body(id.to_string())
}

#[actix_web::test]
async fn a_cookie_is_for_one() {
    let app = app([cookies::ROUTE]).await;
    let mut all = Vec::new();
    for crowd in 0..3 {
        for response in join_all((0..100).map(|_| app.get("/caching/cookies/1"))).await {
            assert_eq!(
                response.header("cache-status"),
                Some("route; fwd=bypass; detail=set-cookie"),
                "{crowd}"
            );
            assert_eq!(response.header("age"), None);
            all.push(response.header("set-cookie").unwrap().to_owned());
        }
    }
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!((all.len(), count), (300, 300));
    assert_eq!(COOKIES.load(Ordering::SeqCst), 300);
}

static ONE: AtomicU32 = AtomicU32::new(0);

#[route("/caching/one/[name]", revalidate = 60)]
async fn one(name: String) -> String {
    format!("{name} {}", next(&ONE))
}

#[test]
fn whatever_a_request_brings_it_is_one_entry() {
    let server = Wired::routes(&routes([one::ROUTE]));
    let first = server.get("/caching/one/caf%C3%A9%20b");
    assert_eq!((first.status, first.text()), (200, "café b 1"));
    for (target, header) in [
        ("/caching/one/caf%C3%A9%20b", "X: y"),
        ("/caching/one/caf%C3%A9%20b?a=b", "Cookie: a=b"),
        ("/caching/one/caf%c3%a9%20b?c", "Authorization: Bearer x"),
        ("/caching/%6fne/caf%C3%A9%20%62", "Host: other.example"),
        ("/%63aching/one/caf%C3%A9%20b", "X-Forwarded-Host: other"),
        ("/caching/one/caf%C3%A9%20b", "X-Forwarded-For: 1.2.3.4"),
        ("/caching/one/caf%C3%A9%20b", "Range: bytes=0-1"),
        ("/caching/one/caf%C3%A9%20b", "Cache-Control: no-cache"),
        ("/caching/one/caf%C3%A9%20b", "Pragma: no-cache"),
        ("/caching/one/caf%C3%A9%20b", "X-HTTP-Method-Override: PUT"),
        ("http://x.example/caching/one/caf%C3%A9%20b", "X: y"),
    ] {
        let reply = server.ask(&format!("GET {target} HTTP/1.1\n{header}"));
        assert_eq!(
            (reply.status, reply.text()),
            (200, "café b 1"),
            "{target} {header}"
        );
        assert!(reply.cache_status().starts_with("route; hit"), "{target}");
        assert_eq!(reply.header("etag"), first.header("etag"));
    }
    // A body is not looked at, nor taken for the next request.
    let mut wire = server.connect();
    wire.begin("GET /caching/one/caf%C3%A9%20b HTTP/1.1\nTransfer-Encoding: chunked");
    wire.write("3\r\nabc\r\n0\r\n\r\n");
    let mut reply = wire.head();
    wire.body(&mut reply);
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
fn what_is_kept_is_replayed_exactly_and_errors_are_not_kept() {
    let all = routes([status::ROUTE]);
    let server = Wired::routes(&all);
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
        let plain = |reply: &tests::wire::Reply| {
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
        // Only what would be 200 can be 304.
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
async fn what_a_client_has_is_not_sent_again() {
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
    // A later line counts, too.
    let two = [("if-none-match", "\"a\""), ("if-none-match", &*tag)];
    assert_eq!(with(&app, "/caching/tagged", &two).await.status(), 304);

    let empty = app.get("/caching/empty").await;
    assert_eq!((empty.status().as_u16(), empty.text()), (200, ""));

    // A tag of the handler's own is the one that is compared.
    let path = own::path("\"v1\"");
    assert_eq!(app.get(&path).await.header("etag"), Some("\"v1\""));
    let known = [("if-none-match", "\"v1\"")];
    assert_eq!(with(&app, &path, &known).await.status(), 304);
    assert_eq!(
        with(&app, &path, &[("if-none-match", "\"v2\"")])
            .await
            .status(),
        200
    );
    let gzip = [("accept-encoding", "gzip")];
    let encoded = with(&app, &path, &gzip).await;
    assert_eq!(encoded.header("content-encoding"), Some("gzip"));
    // Other bytes than those it was given for.
    assert_eq!(encoded.header("etag"), Some("W/\"v1\""));
}

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
            // Each variant is known by its own tag.
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

#[test]
fn it_behaves_under_the_middleware_of_others() {
    let routes = routes([text::ROUTE, text_small::ROUTE, image::ROUTE, one::ROUTE]);
    let server = Wired::app(move || {
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
    // What they encode is not the body that a strong tag would stand for.
    for path in ["/caching/text/small", "/caching/image"] {
        let reply = wire.ask(&format!("GET {path} HTTP/1.1\nAccept-Encoding: gzip"));
        assert_eq!(reply.status, 200);
        assert!(reply.header("etag").unwrap().starts_with("W/"), "{path}");
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
fn head_fills_the_entry_and_has_no_body() {
    let server = Wired::routes(&routes([headed::ROUTE]));
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

#[actix_web::test]
async fn shared_caches_are_told_how_long_if_at_all() {
    let all = [
        cdn::ROUTE,
        cdn_off::ROUTE,
        cdn_always::ROUTE,
        cdn_own::ROUTE,
    ];
    let app = TestApp::new(routes(all).cdn(true)).await.unwrap();
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
        Some("public, max-age=0, s-maxage=10"),
        Some("max-age=10, stale-while-revalidate=60"),
        Some("a,b"),
    ];
    check("/caching/cdn", fresh).await;
    check("/caching/cdn/off", [Some("no-cache"), None, None]).await;
    let always = [
        Some("public, max-age=0, s-maxage=31536000"),
        Some("max-age=31536000, stale-while-revalidate=0"),
        None,
    ];
    check("/caching/cdn/always", always).await;
    check("/caching/cdn/own", [Some("public, max-age=7"), None, None]).await;
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
    // Past `expire` nobody is given the old.
    app.advance(70 * SECOND);
    let expired = app.get("/caching/cdn").await;
    assert_eq!(
        expired.header("cache-status"),
        Some("route; fwd=stale; stored")
    );

    let app = TestApp::new(routes(all)).await.unwrap();
    let off = app.get("/caching/cdn").await;
    assert_eq!(off.header("cache-control"), Some("no-cache"));
    assert_eq!(off.header("cache-tag"), None);
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
async fn what_is_not_cached_says_so() {
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

#[route("/caching/flood/[id]", revalidate = 60, tags = ["flood"])]
async fn flood(id: u32) -> String {
    format!("{id:0>2000}")
}

#[actix_web::test]
async fn a_flood_of_ids_stays_within_the_bound() {
    let all = routes([flood::ROUTE]).cache_capacity(500_000);
    let app = TestApp::new(all).await.unwrap();
    for start in (0..2000).step_by(50) {
        let ids = start..start + 50;
        let paths: Vec<_> = ids.map(flood::path).collect();
        for found in join_all(paths.iter().map(|path| app.get(path))).await {
            assert_eq!(found.status(), 200);
        }
        let stats = app.routes().stats();
        assert!(stats.bytes <= stats.capacity, "{stats:?}");
    }
    let stats = app.routes().stats();
    assert_eq!((stats.capacity, stats.renders), (500_000, 2000));
    assert!(stats.evictions > 0 && stats.entries > 50, "{stats:?}");
}
