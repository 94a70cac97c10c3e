//! Middleware of a section that refuses, fails, panics, answers itself, changes the request, or
//! keeps it.

use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::ErrorForbidden;
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, Uri};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::Bytes;
use actix_web::{App, Error, HttpMessage as _, HttpRequest, HttpResponse, ResponseError};
use route_runtime::{Mode, Routes, not_found, page, route};
use tests::{Server, production};

static RUNS: AtomicU32 = AtomicU32::new(0);

#[route("/sections/odd/[id]")]
mod odd {
    use super::{Bytes, HttpRequest, Ordering, RUNS};

    pub async fn GET(id: String, request: HttpRequest) -> String {
        RUNS.fetch_add(1, Ordering::Relaxed);
        format!("{} {id} {}", request.method(), request.path())
    }

    pub async fn POST(id: String, body: Bytes) -> String {
        format!("{id} {}", body.len())
    }
}

#[page("/sections/odd-page", wrap = odd_middleware)]
async fn odd_page() -> &'static str {
    "<p>page</p>"
}

#[route("/sections/even/[id]", revalidate = 60)]
async fn even(id: String) -> String {
    format!("even {id}")
}

/// Does what the header `X-Do` says.
async fn odd_middleware(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let order = request.headers().get("x-do").cloned();
    match order.as_ref().map_or("", |order| order.to_str().unwrap()) {
        "refuse" => return Err(ErrorForbidden("refused")),
        "problem" => return Err(not_found().into()),
        "fail" => return Err(std::io::Error::other("a secret").into()),
        "panic" => panic!("<secret>"),
        "answer" => {
            let answer = HttpResponse::ImATeapot().body("itself");
            return Ok(request.into_response(answer).map_into_right_body());
        }
        "keep" => {
            let kept = request.request().clone();
            let response = next.call(request).await?;
            drop(kept);
            return Ok(response.map_into_left_body());
        }
        "move" => request.head_mut().uri = Uri::from_static("/sections/even/other"),
        "become a POST" => request.head_mut().method = Method::POST,
        "become a HEAD" => request.head_mut().method = Method::HEAD,
        "clear" => request.extensions_mut().clear(),
        "read" => {
            let body = request.extract::<Bytes>().await?;
            request.set_payload(Payload::from(body));
        }
        "cookie" => {
            let mut response = next.call(request).await?;
            let headers = response.headers_mut();
            let public = HeaderValue::from_static("public, max-age=60");
            headers.insert(header::CACHE_CONTROL, public);
            headers.insert(header::SET_COOKIE, HeaderValue::from_static("a=b"));
            return Ok(response.map_into_left_body());
        }
        _ => {}
    }
    Ok(next.call(request).await?.map_into_left_body())
}

fn routes() -> Routes {
    production([
        odd::GET::ROUTE,
        odd::POST::ROUTE,
        odd_page::ROUTE,
        even::ROUTE,
    ])
    .wrap("/sections/[...rest]", odd_middleware)
}

#[test]
fn whatever_the_middleware_makes_itself_is_for_one_request() {
    let server = Server::routes(&routes());
    let runs = RUNS.load(Ordering::Relaxed);
    let mut wire = server.connect();
    for (order, status, text) in [
        ("refuse", 403, "refused"),
        (
            "problem",
            404,
            "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}",
        ),
        ("answer", 418, "itself"),
    ] {
        for method in ["GET", "POST", "DELETE", "OPTIONS"] {
            let reply = wire.ask(&format!("{method} /sections/odd/a HTTP/1.1\nX-Do: {order}"));
            assert_eq!(
                (reply.status, reply.text()),
                (status, text),
                "{order} {method}"
            );
            let told = reply.header("cache-control").unwrap();
            assert!(
                told.contains("private") && told.contains("no-store"),
                "{told}"
            );
        }
    }
    assert_eq!(RUNS.load(Ordering::Relaxed), runs);
}

#[test]
fn a_failure_or_a_panic_is_a_500_that_says_nothing_and_the_connection_stays_usable() {
    let server = Server::routes(&routes());
    let mut wire = server.connect();
    for order in ["fail", "panic", "clear"] {
        for path in ["/sections/odd/a", "/sections/even/a", "/sections/odd-page"] {
            let reply = wire.ask(&format!("GET {path} HTTP/1.1\nX-Do: {order}"));
            assert_eq!(reply.status, 500, "{order} {path}");
            assert!(!reply.text().contains("secret"), "{}", reply.text());
            let told = reply.header("cache-control").unwrap();
            assert!(told.contains("no-store"), "{told}");
        }
    }
    let page = wire.ask("GET /sections/odd-page HTTP/1.1\nX-Do: fail");
    let html = Some("text/html; charset=utf-8");
    assert_eq!((page.status, page.header("content-type")), (500, html));
    let developed = Server::routes(&routes().mode(Mode::Development));
    let reply = developed
        .connect()
        .ask("GET /sections/odd/a HTTP/1.1\nX-Do: panic");
    assert!(
        reply.text().contains("a middleware panicked: <secret>"),
        "{}",
        reply.text()
    );
}

#[test]
fn a_changed_path_or_method_is_undone() {
    let server = Server::routes(&routes());
    for order in ["move", "become a POST", "become a HEAD"] {
        for (path, text) in [
            ("/sections/odd/a", "GET a /sections/odd/a"),
            ("/sections/even/a", "even a"),
            ("/sections/even/a", "even a"),
            ("/sections/even/other", "even other"),
        ] {
            let reply = server
                .connect()
                .ask(&format!("GET {path} HTTP/1.1\nX-Do: {order}"));
            assert_eq!((reply.status, reply.text()), (200, text), "{order} {path}");
        }
    }
}

#[test]
fn a_section_that_keeps_the_request_changes_nothing() {
    let server = Server::routes(&routes());
    let reply = server
        .connect()
        .ask("GET /sections/odd/a HTTP/1.1\nX-Do: keep");
    assert_eq!(reply.text(), "GET a /sections/odd/a");
    let reply = server
        .connect()
        .ask("GET /sections/even/a HTTP/1.1\nX-Do: keep");
    assert_eq!(reply.text(), "even a");
}

#[test]
fn a_section_reads_a_body_up_to_the_limit_of_the_handler() {
    #[route(POST, "/sections/small/[id]", body_limit = 10)]
    async fn small(id: String, body: Bytes) -> String {
        format!("{id} {}", body.len())
    }

    let routes = production([small::ROUTE]).wrap("/sections/small/[id]", odd_middleware);
    let server = Server::routes(&routes);
    let send = |headers: &str, body: &str| {
        let mut wire = server.connect();
        wire.begin(&format!("POST /sections/small/a HTTP/1.1\n{headers}"));
        wire.write(body);
        let reply = wire.response(false);
        (
            reply.status,
            reply.header("content-type").unwrap().to_owned(),
        )
    };
    let chunked = "Transfer-Encoding: chunked\nX-Do: read";
    let problem = (413, "application/problem+json".into());
    assert_eq!(send(chunked, "3\r\nabc\r\n0\r\n\r\n").0, 200);
    assert_eq!(send(chunked, "b\r\nabcdefghijk\r\n0\r\n\r\n"), problem);
    assert_eq!(
        send("Content-Length: 11\nX-Do: read", "abcdefghijk"),
        problem
    );
    assert_eq!(send("Content-Length: 11", "abcdefghijk"), problem);
    // It still decides first.
    assert_eq!(
        send("Content-Length: 11\nX-Do: refuse", "abcdefghijk").0,
        403
    );
}

#[test]
fn a_response_that_gets_a_cookie_is_private_also_a_hit() {
    let server = Server::routes(&routes());
    for path in ["/sections/even/c", "/sections/even/c", "/sections/odd/c"] {
        let reply = server
            .connect()
            .ask(&format!("GET {path} HTTP/1.1\nX-Do: cookie"));
        assert_eq!(reply.status, 200);
        let told = reply.header("cache-control").unwrap();
        assert!(
            told.contains("private") && !told.contains("public"),
            "{told}"
        );
    }
    let plain = server.get("/sections/even/c");
    assert!(plain.cache_status().starts_with("route; hit"));
    assert_eq!(plain.header("set-cookie"), None);
}

/// An error of the app's own, whose response is made by code of the app's own.
#[derive(Debug)]
struct Mine(&'static str);

impl std::fmt::Display for Mine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl ResponseError for Mine {
    fn error_response(&self) -> HttpResponse {
        match self.0 {
            "panic" => panic!("while the response is made"),
            text => HttpResponse::PaymentRequired().body(text),
        }
    }
}

/// Fails with an error of the app's own.
async fn failing(request: ServiceRequest, _: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    match request.headers().contains_key("x-panic") {
        true => Err(Mine("panic").into()),
        false => Err(Mine("pay").into()),
    }
}

/// Knows the error of the app's own by its type, and looks at its response.
async fn knowing(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    let response = next.call(request).await;
    if let Err(error) = &response {
        assert!(error.as_error::<Mine>().is_some());
        if error.to_string() == "pay" {
            assert_eq!(error.error_response().status(), 402);
        }
    }
    response
}

#[test]
fn an_error_keeps_its_type_inside_sections_and_its_response_outside() {
    let routes = production([odd::GET::ROUTE])
        .wrap("/sections/[...rest]", knowing)
        .wrap("/sections/[...rest]", failing);
    let server = Server::start(move || {
        App::new().service(routes.clone()).wrap(from_fn(
            async |request: ServiceRequest, next: Next<BoxBody>| {
                let response = next.call(request).await;
                if let Err(error) = &response {
                    let status = error.as_response_error().status_code();
                    assert_eq!(error.error_response().status(), status);
                }
                response
            },
        ))
    });
    let mut wire = server.connect();
    for _ in 0..2 {
        let reply = wire.ask("GET /sections/odd/a HTTP/1.1");
        assert_eq!((reply.status, reply.text()), (402, "pay"));
        let told = reply.header("cache-control").unwrap();
        assert!(told.contains("no-store"), "{told}");
        let reply = wire.ask("GET /sections/odd/a HTTP/1.1\nX-Panic: 1");
        assert_eq!(reply.status, 500);
    }
}

#[test]
fn a_section_reads_a_body_up_to_a_limit_whatever_the_method() {
    let server = Server::routes(&routes());
    for method in ["GET", "HEAD", "POST", "OPTIONS", "DELETE"] {
        let mut wire = server.connect();
        wire.begin(&format!(
            "{method} /sections/odd/a HTTP/1.1\nTransfer-Encoding: chunked\nX-Do: read"
        ));
        let chunk = "a".repeat(1 << 16);
        for _ in 0..40 {
            // The server may have closed the connection already.
            wire.try_write(format!("{:x}\r\n{chunk}\r\n", chunk.len()))
                .ok();
        }
        wire.try_write("0\r\n\r\n").ok();
        assert_eq!(wire.response(method == "HEAD").status, 413, "{method}");
    }
    // A handler of a method without a body has no limit.
    let mut wire = server.connect();
    wire.begin("GET /sections/odd/a HTTP/1.1\nContent-Length: 2000000");
    wire.try_write("a".repeat(2_000_000)).ok();
    assert_eq!(wire.response(false).text(), "GET a /sections/odd/a");
}
