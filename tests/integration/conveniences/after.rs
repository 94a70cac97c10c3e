//! Tests of `after`: when the work that a handler leaves behind runs.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::body::{BoxBody, SizedStream};
use actix_web::dev::{Payload, Service, ServiceResponse};
use actix_web::http::Method;
use actix_web::test::{self, TestRequest};
use actix_web::web::{Bytes, Data};
use actix_web::{App, Error, FromRequest, HttpRequest, HttpResponse, Responder, error};
use futures_util::future::{Ready, pending, ready};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use route_runtime::{
    Mode, Problem, Routes, after, not_found, page, redirect, revalidate_path, route,
};
use tests::{Server, request};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Words = Data<UnboundedSender<&'static str>>;

/// Leaves work that sends a word.
fn leave(words: &Words, word: &'static str) {
    let words = words.clone();
    after(async move { words.send(word).unwrap() });
}

/// Waits for this many words that work sends. Returns them, with any that were sent by then beyond
/// them.
async fn said(words: &mut UnboundedReceiver<&'static str>, count: usize) -> Vec<&'static str> {
    let mut said = Vec::new();
    for _ in 0..count {
        said.push(words.recv().await.unwrap());
    }
    // Handlers take turns, so work of a handler that was due before has its turn before this.
    let (sender, now) = tokio::sync::oneshot::channel();
    after(async move { sender.send(()).unwrap() });
    now.await.unwrap();
    said.extend(std::iter::from_fn(|| words.try_recv().ok()));
    said
}

#[route("/after/text")]
async fn text(words: Words, _request: HttpRequest) -> &'static str {
    leave(&words, "first");
    leave(&words, "second");
    "text"
}

#[route(POST, "/after/ends/[how]")]
async fn ends(how: String, words: Words) -> actix_web::Result<HttpResponse> {
    leave(&words, "first");
    leave(&words, "second");
    match &*how {
        "empty" => Ok(HttpResponse::NoContent().finish()),
        "error" => Err(error::ErrorConflict("no"))?,
        "problem" => Err(not_found())?,
        "redirect" => Err(redirect("/"))?,
        _ => panic!("with work left"),
    }
}

#[page("/after/page")]
async fn failing_page(words: Words, _request: HttpRequest) -> Problem {
    leave(&words, "first");
    leave(&words, "second");
    not_found()
}

/// An extractor that leaves work and fails.
struct Refused;

impl FromRequest for Refused {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let words = request.app_data::<Words>().unwrap();
        leave(words, "first");
        leave(words, "second");
        ready(Err(error::ErrorForbidden("never")))
    }
}

#[route("/after/argument")]
async fn argument(_refused: Refused) -> &'static str {
    unreachable!("the argument fails")
}

async fn app(
    routes: Routes,
) -> (
    impl Service<actix_http::Request, Response = ServiceResponse<BoxBody>, Error = Error>,
    UnboundedReceiver<&'static str>,
) {
    let (words, said) = unbounded_channel();
    let routes = routes.data(words);
    (test::init_service(App::new().service(routes)).await, said)
}

#[actix_web::test]
async fn work_waits_until_the_response_is_done_whatever_its_status() {
    let routes = [
        text::ROUTE,
        ends::ROUTE,
        failing_page::ROUTE,
        argument::ROUTE,
    ];
    let (app, mut words) = app(Routes::from_iter(routes).unwrap()).await;
    for (method, path, status) in [
        (Method::GET, text::path(), 200),
        (Method::HEAD, text::path(), 200),
        (Method::POST, ends::path("empty"), 204),
        (Method::POST, ends::path("error"), 409),
        (Method::POST, ends::path("problem"), 404),
        (Method::POST, ends::path("redirect"), 307),
        (Method::POST, ends::path("panic"), 500),
        (Method::GET, failing_page::path(), 404),
        (Method::HEAD, failing_page::path(), 404),
        (Method::GET, argument::path(), 403),
    ] {
        let case = format!("{method} {path}");
        let request = TestRequest::with_uri(&path).method(method).to_request();
        let response = test::call_service(&app, request).await;
        assert_eq!(response.status(), status, "{case}");
        assert!(said(&mut words, 0).await.is_empty(), "{case}");
        drop(response);
        assert_eq!(said(&mut words, 2).await, ["first", "second"], "{case}");
    }
}

#[actix_web::test]
async fn work_of_a_stream_waits_for_its_end() {
    #[route("/after/stream")]
    async fn streamed(words: Words, _request: HttpRequest) -> impl Responder {
        leave(&words, "handler");
        let chunks = stream::iter(["chunk 1", "chunk 2"]).map(move |chunk| {
            leave(&words, chunk);
            Ok::<_, Infallible>(Bytes::from_static(chunk.as_bytes()))
        });
        HttpResponse::Ok().streaming(chunks)
    }
    #[route("/after/stream/sized")]
    async fn sized(words: Words, _request: HttpRequest) -> impl Responder {
        let chunks = stream::iter(["chunk 1", "chunk 2"]).map(move |chunk| {
            leave(&words, chunk);
            Ok::<_, Infallible>(Bytes::from_static(chunk.as_bytes()))
        });
        HttpResponse::Ok().body(SizedStream::new(14, chunks))
    }
    let routes = Routes::from_iter([streamed::ROUTE, sized::ROUTE]).unwrap();
    let (app, mut words) = app(routes).await;
    for (path, expected) in [
        (streamed::path(), &["handler", "chunk 1", "chunk 2"][..]),
        (sized::path(), &["chunk 1", "chunk 2"]),
    ] {
        let request = TestRequest::with_uri(&path).to_request();
        let mut body = pin!(test::call_service(&app, request).await.into_body());
        for chunk in ["chunk 1", "chunk 2"] {
            use actix_web::body::MessageBody as _;
            let next = std::future::poll_fn(|context| body.as_mut().poll_next(context)).await;
            assert_eq!(next.unwrap().unwrap(), chunk);
            assert!(said(&mut words, 0).await.is_empty(), "{path} {chunk}");
        }
        body.set(BoxBody::new(()));
        assert_eq!(said(&mut words, expected.len()).await, expected, "{path}");
    }
}

#[actix_web::test]
async fn work_runs_even_if_its_handler_is_dropped() {
    #[route(POST, "/after/given-up")]
    async fn endless(words: Words) -> &'static str {
        leave(&words, "given up");
        pending().await
    }
    let (app, mut words) = app(Routes::from_iter([endless::ROUTE]).unwrap()).await;
    let request = TestRequest::post().uri(&endless::path()).to_request();
    let mut call = Box::pin(app.call(request));
    assert!(call.as_mut().now_or_never().is_none());
    assert!(said(&mut words, 0).await.is_empty());
    drop(call);
    assert_eq!(said(&mut words, 1).await, ["given up"]);
}

#[actix_web::test]
async fn work_that_panics_stops_no_other_work() {
    #[route(POST, "/after/panic")]
    async fn panicking(words: Words) -> &'static str {
        after(async { panic!("in work left behind") });
        let later = words.clone();
        after(async move {
            leave(&later, "left by work");
            later.send("work").unwrap();
        });
        "text"
    }
    let (app, mut words) = app(Routes::from_iter([panicking::ROUTE]).unwrap()).await;
    let request = TestRequest::post().uri(&panicking::path()).to_request();
    assert_eq!(test::call_and_read_body(&app, request).await, "text");
    assert_eq!(words.recv().await, Some("work"));
    assert_eq!(words.recv().await, Some("left by work"));
}

#[actix_web::test]
async fn work_of_a_cached_route_runs_after_a_render_and_not_after_a_hit() {
    #[route("/after/rendered", dynamic = "force-static")]
    async fn rendered(words: Words) -> &'static str {
        leave(&words, "rendered");
        "text"
    }
    let routes = Routes::from_iter([rendered::ROUTE]).unwrap();
    let (app, mut words) = app(routes.mode(Mode::Production)).await;
    let ask = || TestRequest::with_uri(&rendered::path()).to_request();
    let response = test::call_service(&app, ask()).await;
    assert_eq!(words.recv().await, Some("rendered"));
    drop(response);
    assert_eq!(test::call_and_read_body(&app, ask()).await, "text");
    assert!(
        said(&mut words, 0).await.is_empty(),
        "the cache has answered"
    );
}

#[actix_web::test]
async fn work_can_invalidate_a_cached_path() {
    static RENDERS: AtomicU32 = AtomicU32::new(0);

    #[route(GET, "/after/kept", revalidate = false)]
    async fn kept() -> String {
        RENDERS.fetch_add(1, Ordering::Relaxed).to_string()
    }
    #[route(POST, "/after/kept")]
    async fn write(words: Words) -> &'static str {
        after(async move {
            revalidate_path(kept::path()).await.unwrap();
            words.send("thrown away").unwrap();
        });
        "written"
    }
    let routes = Routes::from_iter([kept::ROUTE, write::ROUTE]).unwrap();
    let (app, mut words) = app(routes.mode(Mode::Production)).await;
    let ask = || TestRequest::with_uri(&kept::path()).to_request();
    assert_eq!(test::call_and_read_body(&app, ask()).await, "0");
    assert_eq!(test::call_and_read_body(&app, ask()).await, "0");
    let request = TestRequest::post().uri(&kept::path()).to_request();
    assert_eq!(test::call_and_read_body(&app, request).await, "written");
    assert_eq!(words.recv().await, Some("thrown away"));
    assert_eq!(test::call_and_read_body(&app, ask()).await, "1");
}

#[test]
fn work_does_not_wait_for_a_client_that_has_left() {
    #[route("/after/endless")]
    async fn endless(words: Words, _request: HttpRequest) -> impl Responder {
        leave(&words, "gone");
        let chunk = Bytes::from_static(&[b'x'; 4096]);
        HttpResponse::Ok().streaming(stream::repeat(chunk).map(Ok::<_, Infallible>))
    }
    let (words, mut said) = unbounded_channel();
    let routes = Routes::from_iter([endless::ROUTE, text::ROUTE])
        .unwrap()
        .data(words);
    let server = Server::start(move || App::new().service(routes.clone()));
    let mut connection = TcpStream::connect(server.address()).unwrap();
    let request = request("GET", &endless::path(), &[], "");
    connection.write_all(request.as_bytes()).unwrap();
    connection.read_exact(&mut [0; 8192]).unwrap();
    assert!(said.try_recv().is_err());
    drop(connection);
    assert_eq!(said.blocking_recv(), Some("gone"));
    assert_eq!(server.get(&text::path()).text(), "text");
    assert_eq!(said.blocking_recv(), Some("first"));
}
