//! Bodies that arrive chunk by chunk, clients that leave, and handlers that panic.

use std::convert::Infallible;
use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix_web::body::{BodyStream, BoxBody, SizedStream};
use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use futures_util::{StreamExt as _, stream};
use route_runtime::testing::{Outcome, TestApp};
use route_runtime::{StaticExtractor, page, route};
use tests::{Gate, Server, production};

mod belonging;

/// A guard that opens a gate when it is dropped.
struct Leaving(&'static Gate);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.open();
    }
}

type Chunk = Result<Bytes, Infallible>;

/// Returns an endless body, of which each chunk but the first waits for `gate`.
///
/// Dropping the body opens `left`.
fn events(gate: &'static Gate, left: &'static Gate) -> BoxBody {
    let leaving = Leaving(left);
    let later = stream::unfold((1, leaving), move |(number, leaving)| async move {
        gate.pass().await;
        let chunk: Chunk = Ok(format!("data: {number}\n\n").into());
        Some((chunk, (number + 1, leaving)))
    });
    let first: Chunk = Ok("data: 0\n\n".into());
    BoxBody::new(BodyStream::new(Box::pin(
        stream::iter([first]).chain(later),
    )))
}

static LIVE: [Gate; 2] = [Gate::new(), Gate::new()];

#[route("/streams/live", dynamic = "force-dynamic")]
async fn live() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain")
        .body(events(&LIVE[0], &LIVE[1]))
}

static EVENTS: [Gate; 2] = [Gate::new(), Gate::new()];

/// A route that reads nothing of the request, so it is a cached route by its declaration.
#[route("/streams/events")]
async fn events_cached() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .body(events(&EVENTS[0], &EVENTS[1]))
}

#[actix_web::test]
async fn each_chunk_is_sent_before_the_next_is_made() {
    let server = Server::routes(&production([live::ROUTE, events_cached::ROUTE]));
    for (path, [gate, left], detail) in [
        ("/streams/live", &LIVE, "dynamic"),
        ("/streams/events", &EVENTS, "stream"),
    ] {
        for _ in 0..2 {
            let mut wire = server.connect();
            wire.begin(&format!("GET {path} HTTP/1.1"));
            let reply = wire.head();
            assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
            let expected = format!("route; fwd=bypass; detail={detail}");
            assert_eq!(reply.cache_status(), expected);
            assert_eq!(
                reply.header("cache-control"),
                Some("private, no-cache, no-store, max-age=0, must-revalidate")
            );
            for number in 0..4 {
                if number > 0 {
                    gate.open();
                }
                let chunk = wire.chunk().unwrap();
                assert_eq!(chunk, format!("data: {number}\n\n").into_bytes());
            }
            // The stream of the handler is dropped when the client leaves.
            wire.hang_up();
            left.pass().await;
        }
    }
}

#[actix_web::test]
async fn head_of_an_endless_body_is_answered_and_drops_the_body() {
    static LEFT: Gate = Gate::new();
    static NEVER: Gate = Gate::new();

    #[route("/streams/endless", dynamic = "force-dynamic")]
    async fn endless() -> HttpResponse {
        HttpResponse::Ok().body(events(&NEVER, &LEFT))
    }

    #[route("/streams/endless/cached")]
    async fn endless_cached() -> HttpResponse {
        HttpResponse::Ok()
            .content_type("text/event-stream")
            .body(events(&NEVER, &LEFT))
    }

    let server = Server::routes(&production([endless::ROUTE, endless_cached::ROUTE]));
    let mut wire = server.connect();
    for path in ["/streams/endless", "/streams/endless/cached"] {
        for _ in 0..2 {
            let reply = wire.ask(&format!("HEAD {path} HTTP/1.1"));
            assert_eq!(reply.status, 200);
            // The body has no length, and 0 would be wrong.
            assert_eq!(reply.header("content-length"), None, "{path}");
            LEFT.pass().await;
        }
    }
}

#[actix_web::test]
async fn a_test_reads_an_endless_body_piece_by_piece_and_hangs_up() {
    static MORE: Gate = Gate::new();
    static LEFT: Gate = Gate::new();

    #[route("/streams/read", dynamic = "force-dynamic")]
    async fn read() -> HttpResponse {
        HttpResponse::Ok().body(events(&MORE, &LEFT))
    }

    #[route("/streams/read/cached")]
    async fn read_cached() -> HttpResponse {
        HttpResponse::Ok()
            .content_type("text/event-stream")
            .body(events(&MORE, &LEFT))
    }

    let routes = production([read::ROUTE, read_cached::ROUTE]);
    let app = TestApp::new(routes).await.unwrap();
    // One body was made ahead of any request. Until it is dropped, it could pass the gate, too.
    LEFT.pass().await;
    for path in ["/streams/read", "/streams/read/cached"] {
        let mut stream = app.open(TestRequest::get().uri(path)).await;
        assert_eq!(
            (stream.status(), stream.outcome()),
            (StatusCode::OK, Some(Outcome::Bypass))
        );
        assert_eq!(stream.next_text().await.as_deref(), Some("data: 0\n\n"));
        MORE.open();
        assert_eq!(
            stream.next_chunk().await.as_deref(),
            Some(&b"data: 1\n\n"[..])
        );
        drop(stream);
        LEFT.pass().await;
    }
}

#[actix_web::test]
async fn a_body_that_ends_has_no_piece_after_its_last() {
    let app = TestApp::new(production([live::ROUTE])).await.unwrap();
    // A 404 has a body of one piece, and a 204 has none.
    let mut stream = app.open(TestRequest::get().uri("/streams/nowhere")).await;
    assert!(stream.next_text().await.unwrap().contains("404"));
    assert_eq!(
        (stream.next_chunk().await, stream.next_chunk().await),
        (None, None)
    );
    let options = TestRequest::default().method(Method::OPTIONS);
    let mut stream = app.open(options.uri("/streams/live")).await;
    assert_eq!(
        (stream.status().as_u16(), stream.next_chunk().await),
        (204, None)
    );
}

static LARGE: Gate = Gate::new();
static LARGE_RUNS: AtomicU32 = AtomicU32::new(0);

#[route("/streams/large")]
async fn large() -> HttpResponse {
    LARGE_RUNS.fetch_add(1, Ordering::Relaxed);
    let chunks = stream::iter([1, 2, 3]).then(|number| async move {
        if number == 3 {
            LARGE.pass().await;
        }
        Ok::<_, Infallible>(Bytes::from(vec![number; 6000]))
    });
    HttpResponse::Ok().body(BodyStream::new(Box::pin(chunks)))
}

#[route("/streams/large/sized")]
async fn large_sized() -> HttpResponse {
    let chunks = stream::iter([Ok::<_, Infallible>(Bytes::from(vec![9; 60_000]))]);
    HttpResponse::Ok().body(SizedStream::new(60_000, chunks))
}

#[test]
fn a_body_that_is_too_large_to_keep_is_sent_as_it_is_made() {
    // An entry may take a quarter of the capacity.
    let routes = production([large::ROUTE, large_sized::ROUTE]).cache_capacity(40_000);
    let server = Server::routes(&routes);
    for run in 1..=2 {
        let mut wire = server.connect();
        wire.begin("GET /streams/large HTTP/1.1");
        let reply = wire.head();
        assert_eq!(reply.cache_status(), "route; fwd=bypass; detail=stream");
        let mut body = wire.chunk().unwrap();
        while body.len() < 12_000 {
            body.extend(wire.chunk().unwrap());
        }
        LARGE.open();
        while let Some(chunk) = wire.chunk() {
            body.extend(chunk);
        }
        assert_eq!(body, [[1; 6000], [2; 6000], [3; 6000]].concat());
        assert_eq!(LARGE_RUNS.load(Ordering::Relaxed), run);
    }
    let reply = server.get("/streams/large/sized");
    assert_eq!(reply.body, vec![9; 60_000]);
    // A known length is sent, as for a dynamic handler.
    assert_eq!(reply.header("content-length"), Some("60000"));
    let head = server.connect().ask("HEAD /streams/large/sized HTTP/1.1");
    assert_eq!(head.header("content-length"), Some("60000"));
    assert_eq!(routes.stats().bytes, routes.stats().pinned);
}

static WAITING: [Gate; 2] = [Gate::new(), Gate::new()];

#[route("/streams/waiting", dynamic = "force-dynamic")]
async fn waiting() -> &'static str {
    let _leaving = Leaving(&WAITING[1]);
    WAITING[0].open();
    pending().await
}

#[route("/streams/calm", dynamic = "force-dynamic")]
async fn calm() -> &'static str {
    "calm"
}

#[actix_web::test]
async fn a_handler_is_dropped_when_its_client_leaves() {
    let server = Server::routes(&production([waiting::ROUTE, calm::ROUTE]));
    for _ in 0..3 {
        let mut wire = server.connect();
        wire.begin("GET /streams/waiting HTTP/1.1");
        WAITING[0].pass().await;
        wire.hang_up();
        WAITING[1].pass().await;
        assert_eq!(server.get("/streams/calm").text(), "calm");
    }
}

struct Panicking;

impl FromRequest for Panicking {
    type Error = actix_web::Error;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        panic!("in an extractor")
    }
}

impl StaticExtractor for Panicking {}

#[route("/streams/panic/extractor")]
async fn in_extractor(_panicking: Panicking) -> &'static str {
    "never"
}

#[route("/streams/panic/handler")]
async fn in_handler() -> &'static str {
    panic!("in a handler")
}

impl Responder for Panicking {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        panic!("in a responder")
    }
}

#[route("/streams/panic/responder")]
async fn in_responder() -> Panicking {
    Panicking
}

fn panicking_body() -> HttpResponse {
    let chunks = stream::iter([0, 1]).map(|number| match number {
        0 => Ok::<_, Infallible>(Bytes::from_static(b"begun")),
        _ => panic!("in a body"),
    });
    HttpResponse::Ok().body(BodyStream::new(chunks))
}

fn failing_body() -> HttpResponse {
    let chunks = [Ok(Bytes::from_static(b"begun")), Err("no more")];
    HttpResponse::Ok().body(BodyStream::new(stream::iter(chunks)))
}

#[route("/streams/panic/body")]
async fn in_body() -> HttpResponse {
    panicking_body()
}

#[page("/streams/panic/page")]
async fn in_page_body() -> HttpResponse {
    panicking_body()
}

#[route("/streams/failing/body")]
async fn body_fails() -> HttpResponse {
    failing_body()
}

#[route("/streams/panic/body/dynamic", dynamic = "force-dynamic")]
async fn in_body_dynamic() -> HttpResponse {
    panicking_body()
}

const PROBLEM: &str = r#"{"type":"about:blank","title":"Internal Server Error","status":500}"#;

#[test]
fn a_panic_in_a_render_is_a_500_and_the_connection_stays_usable() {
    let server = Server::routes(&production([
        in_extractor::ROUTE,
        in_handler::ROUTE,
        in_responder::ROUTE,
        in_body::ROUTE,
        in_page_body::ROUTE,
        body_fails::ROUTE,
        calm::ROUTE,
    ]));
    let mut wire = server.connect();
    for path in [
        "/streams/panic/extractor",
        "/streams/panic/handler",
        "/streams/panic/responder",
        "/streams/panic/body",
        "/streams/failing/body",
    ] {
        for _ in 0..3 {
            let reply = wire.ask(&format!("GET {path} HTTP/1.1"));
            assert_eq!((reply.status, reply.text()), (500, PROBLEM), "{path}");
            assert_eq!(
                reply.header("content-type"),
                Some("application/problem+json")
            );
            assert!(reply.cache_status().starts_with("route; fwd=miss"));
        }
        assert_eq!(wire.ask("GET /streams/calm HTTP/1.1").text(), "calm");
    }
    let page = wire.ask("GET /streams/panic/page HTTP/1.1");
    assert_eq!(page.status, 500);
    assert!(
        page.text().starts_with("<!doctype html>"),
        "{}",
        page.text()
    );
}

#[test]
fn a_body_that_panics_ends_its_connection_and_no_other() {
    let server = Server::routes(&production([in_body_dynamic::ROUTE, calm::ROUTE]));
    let mut other = server.connect();
    assert_eq!(other.ask("GET /streams/calm HTTP/1.1").text(), "calm");
    let mut wire = server.connect();
    wire.begin("GET /streams/panic/body/dynamic HTTP/1.1");
    assert!(wire.is_cut());
    assert_eq!(other.ask("GET /streams/calm HTTP/1.1").text(), "calm");
    assert_eq!(server.get("/streams/calm").text(), "calm");
}

static TURNS: AtomicU32 = AtomicU32::new(0);

#[route("/streams/turning", revalidate = 10)]
async fn turning() -> HttpResponse {
    match TURNS.fetch_add(1, Ordering::Relaxed) {
        0 => HttpResponse::Ok().body("good"),
        1 => failing_body(),
        2 => panicking_body(),
        _ => HttpResponse::Ok().body("better"),
    }
}

/// A failing body is an error like any other, and not a response for one request only.
#[actix_web::test]
async fn a_refresh_whose_body_fails_leaves_the_old_entry() {
    let app = TestApp::new(production([turning::ROUTE])).await.unwrap();
    for turn in 2..=4 {
        app.advance(Duration::from_secs(10));
        let stale = app.get("/streams/turning").await;
        assert_eq!(
            (stale.outcome(), stale.text()),
            (Some(Outcome::Stale), "good")
        );
        app.settled().await;
        assert_eq!(TURNS.load(Ordering::Relaxed), turn);
    }
    let better = app.get("/streams/turning").await;
    assert_eq!(
        (better.outcome(), better.text()),
        (Some(Outcome::Hit), "better")
    );
}
