//! The option `wrap`: middleware of one handler.

use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorForbidden, ErrorUnauthorized};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{StatusCode, Uri};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, Error, HttpMessage as _, HttpRequest, HttpResponse};
use route_runtime::{Matched, Mode, Routes, page, route};
use tests::{Server, production};

/// The one key that is accepted, kept as app data.
struct Secret(&'static str);

async fn authorised(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let secret = request.app_data::<Data<Secret>>().unwrap().0;
    let given = request.headers().get("authorization");
    if given.is_none_or(|given| given != secret) {
        return Err(ErrorUnauthorized("no"));
    }
    next.call(request).await
}

static GUARDED: AtomicU32 = AtomicU32::new(0);

#[route("/wrapping/guarded", revalidate = false, wrap = authorised)]
async fn guarded() -> String {
    format!("run {}", GUARDED.fetch_add(1, Ordering::Relaxed) + 1)
}

#[test]
fn an_unauthorised_client_reaches_neither_the_handler_nor_the_entry() {
    let server = Server::routes(&production([guarded::ROUTE]).data(Secret("Bearer s")));
    let ask = |headers: &str| {
        server
            .connect()
            .ask(&format!("GET /wrapping/guarded HTTP/1.1\n{headers}"))
    };
    let refused = |headers: &str| {
        let reply = ask(headers);
        assert_eq!((reply.status, reply.text()), (401, "no"), "{headers}");
        assert_eq!(reply.header("etag"), None);
        assert_eq!(reply.header("cache-status"), None);
    };
    refused("");
    assert_eq!(GUARDED.load(Ordering::Relaxed), 0);
    let first = ask("Authorization: Bearer s");
    assert_eq!((first.status, first.text()), (200, "run 1"));
    // Now there is an entry, and a client may know its `ETag`.
    refused("");
    refused("Authorization: Bearer t");
    refused(&format!("If-None-Match: {}", first.header("etag").unwrap()));
    refused("If-None-Match: *");
    let hit = ask("Authorization: Bearer s");
    assert_eq!((hit.text(), hit.cache_status()), ("run 1", "route; hit"));
    // A client that keeps the response must revalidate it, so it too can be refused. A shared cache
    // may not keep it.
    assert_eq!(hit.header("cache-control"), Some("private, no-cache"));
    let head = server.connect().ask("HEAD /wrapping/guarded HTTP/1.1");
    assert_eq!(head.status, 401);
}

/// Records `name` on the way in and on the way out.
async fn trace(
    name: &'static str,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let seen = request.headers().get("x-seen").cloned();
    request
        .extensions_mut()
        .get_or_insert(Vec::<String>::new())
        .push(format!("{name} {seen:?}"));
    let mut response = next.call(request).await?;
    response.headers_mut().append(
        HeaderName::from_static("x-trace"),
        HeaderValue::from_static(name),
    );
    Ok(response)
}

async fn first(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    trace("first", request, next).await
}

async fn second(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    trace("second", request, next).await
}

#[route("/wrapping/order", wrap = first, wrap = second)]
async fn order(request: HttpRequest) -> String {
    let extensions = request.extensions();
    extensions.get::<Vec<String>>().unwrap().join(", ")
}

#[route("/wrapping/order/cached", wrap = first, wrap = second)]
async fn order_cached() -> &'static str {
    "cached"
}

#[test]
fn the_first_wrap_is_the_outermost_and_sees_the_real_request() {
    let server = Server::routes(&production([order::ROUTE, order_cached::ROUTE]));
    let reply = server
        .connect()
        .ask("GET /wrapping/order HTTP/1.1\nX-Seen: a");
    assert_eq!(reply.text(), r#"first Some("a"), second Some("a")"#);
    let traces = |reply: &tests::Response| -> Vec<String> {
        let headers = reply.headers.iter();
        let traces = headers.filter(|(name, _)| name == "x-trace");
        traces.map(|(_, value)| value.clone()).collect()
    };
    // The response passes the middleware in reverse order.
    assert_eq!(traces(&reply), ["second", "first"]);
    for status in ["route; fwd=miss; stored", "route; hit"] {
        let reply = server.get("/wrapping/order/cached");
        assert_eq!(reply.cache_status(), status);
        // The middleware is around the entry and not in it.
        assert_eq!(traces(&reply), ["second", "first"]);
    }
}

async fn shut(
    request: ServiceRequest,
    _next: Next<impl MessageBody>,
) -> Result<ServiceResponse, Error> {
    let response = HttpResponse::build(StatusCode::IM_A_TEAPOT).body("shut");
    Ok(request.into_response(response))
}

static SHUT: AtomicU32 = AtomicU32::new(0);

#[route(POST, "/wrapping/shut", wrap = shut, wrap = first)]
async fn never() -> &'static str {
    SHUT.fetch_add(1, Ordering::Relaxed);
    "never"
}

#[test]
fn a_wrap_that_responds_itself_skips_inner_wraps_and_the_handler() {
    let server = Server::routes(&production([never::ROUTE]));
    let mut wire = server.connect();
    for _ in 0..2 {
        let reply = wire.ask("POST /wrapping/shut HTTP/1.1");
        assert_eq!((reply.status, reply.text()), (418, "shut"));
        assert_eq!(reply.header("x-trace"), None);
    }
    assert_eq!(SHUT.load(Ordering::Relaxed), 0);
}

/// Checks the body of a request, and puts it back.
async fn signed(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let body = request.extract::<Bytes>().await?;
    if !body.starts_with(b"signed ") {
        return Err(ErrorUnauthorized("unsigned"));
    }
    request.set_payload(Payload::from(body));
    next.call(request).await
}

#[route(POST, "/wrapping/signed", wrap = signed, body_limit = 20)]
async fn signed_body(body: Bytes) -> Bytes {
    body
}

#[test]
fn a_wrap_that_reads_the_body_is_bound_by_the_body_limit() {
    let server = Server::routes(&production([signed_body::ROUTE]));
    let send = |body: &str| {
        let mut wire = server.connect();
        wire.begin("POST /wrapping/signed HTTP/1.1\nTransfer-Encoding: chunked");
        wire.write(format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()));
        let reply = wire.response(false);
        (reply.status, String::from_utf8(reply.body).unwrap())
    };
    assert_eq!(send("signed abc"), (200, "signed abc".into()));
    assert_eq!(send("abc"), (401, "unsigned".into()));
    assert_eq!(send("signed but rather longer than that").0, 413);
}

/// Rewrites the path of a request to that of another route.
async fn moving(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    request.head_mut().uri = Uri::from_static("/wrapping/b/other?moved");
    next.call(request).await
}

#[route("/wrapping/moved/[id]", revalidate = 60, wrap = moving)]
async fn moved(id: String) -> String {
    id
}

#[route("/wrapping/moved/[id]/now", wrap = moving)]
async fn moved_now(id: String, request: HttpRequest) -> String {
    format!("{id} {}", request.path())
}

#[route("/wrapping/b/[id]", revalidate = 60)]
async fn other(id: String) -> String {
    format!("other {id}")
}

#[test]
fn a_wrap_that_rewrites_the_path_changes_neither_parameters_nor_keys() {
    let routes = production([moved::ROUTE, moved_now::ROUTE, other::ROUTE]);
    let server = Server::routes(&routes);
    for (path, expected) in [
        ("/wrapping/moved/a", "a"),
        ("/wrapping/moved/a/now", "a /wrapping/moved/a/now"),
        ("/wrapping/b/other", "other other"),
        ("/wrapping/moved/b", "b"),
    ] {
        for _ in 0..2 {
            let reply = server.connect().ask(&format!("GET {path} HTTP/1.1"));
            assert_eq!((reply.status, reply.text()), (200, expected));
        }
    }
}

async fn breaking(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let response = next.call(request).await?;
    match response.headers().contains_key("x-break") {
        true => panic!("<broken>"),
        false => Ok(response),
    }
}

#[route("/wrapping/broken/[how]", wrap = breaking)]
async fn broken(how: String) -> HttpResponse {
    HttpResponse::Ok().insert_header(("x-break", how)).finish()
}

#[page("/wrapping/broken-page", wrap = breaking)]
async fn broken_page() -> HttpResponse {
    HttpResponse::Ok().insert_header(("x-break", "1")).finish()
}

#[test]
fn a_wrap_that_panics_is_a_500_and_the_connection_stays_usable() {
    let server = Server::routes(&production([broken::ROUTE, broken_page::ROUTE]));
    let mut wire = server.connect();
    for _ in 0..2 {
        let reply = wire.ask("GET /wrapping/broken/a HTTP/1.1");
        assert_eq!(reply.status, 500);
        assert_eq!(
            reply.header("content-type"),
            Some("application/problem+json")
        );
        assert!(!reply.text().contains("broken"), "{}", reply.text());
    }
    let page = wire.ask("GET /wrapping/broken-page HTTP/1.1");
    let kind = page.header("content-type");
    assert_eq!((page.status, kind), (500, Some("text/html; charset=utf-8")));

    let developed = Routes::from_iter([broken_page::ROUTE]).unwrap();
    let server = Server::routes(&developed.mode(Mode::Development));
    let page = server.connect().ask("GET /wrapping/broken-page HTTP/1.1");
    assert!(
        page.text()
            .contains("a middleware panicked: &lt;broken&gt;")
    );
}

async fn outer(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    request.extensions_mut().insert(vec!["outer"]);
    let mut response = next.call(request).await?;
    let name = HeaderName::from_static("x-outer");
    let value = HeaderValue::from_static("yes");
    response.headers_mut().insert(name, value);
    Ok(response)
}

async fn inner(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request.query_string() == "stop" {
        return Err(ErrorForbidden("stopped"));
    }
    if let Some(seen) = request.extensions_mut().get_mut::<Vec<&str>>() {
        seen.push("inner");
    }
    next.call(request).await
}

#[route("/wrapping/wrapped/[id]", wrap = outer, wrap = self::inner)]
async fn wrapped(id: u8, request: HttpRequest, path: web::Path<u8>) -> HttpResponse {
    let seen = request.extensions().get::<Vec<&str>>().cloned();
    HttpResponse::Ok().body(format!("{id} {path} {seen:?}"))
}

#[route(DELETE, "/wrapping/wrapped/[id]")]
async fn bare(id: u8) -> String {
    id.to_string()
}

/// Middleware for the app, which passes each request on.
async fn pass(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    next.call(request).await
}

#[test]
fn wrap_applies_to_one_handler_only() {
    let routes = Routes::from_iter([wrapped::ROUTE, bare::ROUTE]).unwrap();
    let server = Server::start(move || App::new().wrap(from_fn(pass)).service(routes.clone()));
    let response = server.get("/wrapping/wrapped/7");
    assert_eq!(response.text(), "7 7 Some([\"outer\", \"inner\"])");
    assert_eq!(response.header("x-outer"), Some("yes"));
    let response = server.get("/wrapping/wrapped/7?stop");
    assert_eq!((response.status, response.text()), (403, "stopped"));
    let response = server.ask("HEAD", "/wrapping/wrapped/7");
    assert_eq!(
        (response.status, response.header("x-outer")),
        (200, Some("yes"))
    );
    assert_eq!(response.header("content-length"), Some("28"));

    let response = server.ask("DELETE", "/wrapping/wrapped/7");
    assert_eq!((response.text(), response.header("x-outer")), ("7", None));
    // A 405 is answered for the path, and belongs to no handler.
    let response = server.ask("POST", "/wrapping/wrapped/7");
    assert_eq!((response.status, response.header("x-outer")), (405, None));
}

/// Asks the handler again, for another path, if it finds nothing.
async fn retrying(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    let response = next.call(request).await?;
    if response.status() != StatusCode::NOT_FOUND {
        return Ok(response);
    }
    let (request, _) = response.into_parts();
    let mut again = ServiceRequest::from_request(request);
    again.head_mut().uri = Uri::from_static("/wrapping/retried/longname");
    next.call(again).await
}

#[route("/wrapping/retried/[...path]", revalidate = 60, wrap = retrying)]
async fn retried(path: Vec<String>) -> HttpResponse {
    match path.join("/") {
        path if path == "ab" => HttpResponse::NotFound().finish(),
        path => HttpResponse::Ok().body(path),
    }
}

#[test]
fn a_wrap_that_calls_the_handler_again_cannot_change_its_path_either() {
    let server = Server::routes(&production([retried::ROUTE]));
    assert_eq!(server.get("/wrapping/retried/ab").status, 404);
    let other = server.get("/wrapping/retried/longname");
    assert_eq!((other.status, other.text()), (200, "longname"));
    assert_eq!(other.cache_status(), "route; fwd=miss; stored");
}

/// Puts the match of an earlier request into this one.
async fn mixing(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    static KEPT: std::sync::Mutex<Option<Matched>> = std::sync::Mutex::new(None);
    let own = request.extensions().get::<Matched>().cloned();
    let other = KEPT.lock().unwrap().replace(own.unwrap());
    if let Some(other) = other {
        request.extensions_mut().insert(other);
    }
    next.call(request).await
}

#[route("/wrapping/mixed/[id]", revalidate = 60, wrap = mixing)]
async fn mixed(id: String) -> String {
    id
}

#[route("/wrapping/mixed/[id]/below", revalidate = 60, wrap = mixing)]
async fn mixed_below(id: String) -> String {
    format!("below {id}")
}

#[test]
fn a_wrap_that_inserts_the_match_of_another_request_reaches_its_own_route() {
    let server = Server::routes(&production([mixed::ROUTE, mixed_below::ROUTE]));
    for (path, text) in [
        ("/wrapping/mixed/longer", "longer"),
        ("/wrapping/mixed/a/below", "below a"),
        ("/wrapping/mixed/b", "b"),
        ("/wrapping/mixed/b", "b"),
        ("/wrapping/mixed/c/below", "below c"),
    ] {
        assert_eq!(server.get(path).text(), text, "{path}");
    }
}
