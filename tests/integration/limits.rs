//! Limits on the size of a request, and on the time that it may take.

use std::future::{Ready, pending, ready};
use std::io::Write as _;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::web::{self, Bytes, Form, Json, JsonConfig};
use actix_web::{App, FromRequest, HttpRequest, HttpResponse};
use futures_util::StreamExt as _;
use route_runtime::route;
use route_runtime::testing::TestApp;
use tests::{Gate, Response, Server, production};

mod forms;

fn post(server: &Server, path: &str, kind: &str, body: &[u8]) -> Response {
    let mut wire = server.connect();
    let length = body.len();
    wire.begin(&format!(
        "POST {path} HTTP/1.1\nContent-Type: {kind}\nContent-Length: {length}"
    ));
    // A request that is refused for its length alone may have lost its connection by now.
    if length <= 3_000_000 {
        wire.write(body);
    }
    wire.response(false)
}

#[route(POST, "/limits/small", body_limit = 10)]
async fn small(body: Bytes) -> String {
    body.len().to_string()
}

static SMALL_STREAM: Gate = Gate::new();

#[route(POST, "/limits/small/stream", body_limit = 10)]
async fn small_stream(mut body: web::Payload) -> String {
    let mut read = Vec::new();
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(chunk) => read.extend_from_slice(&chunk),
            Err(error) => return format!("{} then {error}", read.len()),
        }
        SMALL_STREAM.open();
    }
    read.len().to_string()
}

#[test]
fn a_length_beyond_the_limit_is_refused_before_the_body() {
    let server = Server::routes(&production([small::ROUTE]));
    let mut wire = server.connect();
    // No body is sent, so a server that waited for one would never respond.
    let reply = wire.ask("POST /limits/small HTTP/1.1\nContent-Length: 11");
    assert_eq!(reply.status, 413);
    assert_eq!(
        reply.text(),
        r#"{"type":"about:blank","title":"Payload Too Large","status":413,"detail":"the body may have 10 bytes"}"#
    );
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(wire.is_closed());
    assert_eq!(post(&server, "/limits/small", "x/y", &[7; 10]).text(), "10");
}

#[actix_web::test]
async fn chunks_beyond_the_limit_are_refused_as_they_arrive() {
    let server = Server::routes(&production([small::ROUTE, small_stream::ROUTE]));
    let mut wire = server.connect();
    wire.begin("POST /limits/small HTTP/1.1\nTransfer-Encoding: chunked");
    wire.write("6\r\n123456\r\n5\r\n12345\r\n");
    // The end of the body is never sent.
    let reply = wire.response(false);
    assert_eq!(reply.status, 413);
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(wire.is_closed());

    // A handler that reads the body itself gets an error, and responds as it likes.
    let mut wire = server.connect();
    wire.begin("POST /limits/small/stream HTTP/1.1\nTransfer-Encoding: chunked");
    wire.write("6\r\n123456\r\n");
    SMALL_STREAM.pass().await;
    wire.write("5\r\n12345\r\n0\r\n\r\n");
    let reply = wire.response(false);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.text(), "6 then payload reached size limit");

    let mut wire = server.connect();
    wire.begin("POST /limits/small HTTP/1.1\nTransfer-Encoding: chunked");
    wire.write("6\r\n123456\r\n4\r\n1234\r\n0\r\n\r\n");
    let reply = wire.response(false);
    assert_eq!(reply.text(), "10");
}

/// `Connection: Upgrade` is a wish of the client, not something that the server has agreed to.
#[test]
fn an_upgrade_that_nobody_granted_lifts_no_limit() {
    let server = Server::routes(&production([small_stream::ROUTE]));
    let mut wire = server.connect();
    wire.begin(
        "POST /limits/small/stream HTTP/1.1
        Connection: Upgrade
        Upgrade: anything
        Transfer-Encoding: chunked",
    );
    wire.write("b\r\n12345678901\r\n0\r\n\r\n");
    let reply = wire.response(false);
    assert_eq!(reply.text(), "0 then payload reached size limit");
}

#[route(POST, "/limits/bytes")]
async fn bytes(body: Bytes) -> String {
    body.len().to_string()
}

#[route(POST, "/limits/text", body_limit = "3MB")]
async fn text(body: String) -> String {
    body.len().to_string()
}

#[route(POST, "/limits/json", body_limit = "3MB")]
async fn json(body: Json<String>) -> String {
    body.len().to_string()
}

#[route(POST, "/limits/json/default")]
async fn json_default(body: Json<String>) -> String {
    body.len().to_string()
}

#[derive(serde::Deserialize)]
struct Filled {
    a: String,
}

#[route(POST, "/limits/form", body_limit = "64KB")]
async fn form(body: Form<Filled>) -> String {
    body.a.len().to_string()
}

#[test]
fn body_limits_raise_and_lower_the_limits_of_extractors() {
    let server = Server::routes(&production([
        bytes::ROUTE,
        text::ROUTE,
        json::ROUTE,
        json_default::ROUTE,
        form::ROUTE,
    ]));
    let quoted = |length: usize| format!("\"{}\"", "x".repeat(length));
    for (path, kind, body, expected) in [
        // The limit of actix-web itself is 256 KiB here.
        ("/limits/bytes", "x/y", "x".repeat(1 << 20), "1048576"),
        ("/limits/text", "x/y", "x".repeat(2 << 20), "2097152"),
        // The limit of actix-web itself is 2 MiB here.
        (
            "/limits/json",
            "application/json",
            quoted(2_500_000),
            "2500000",
        ),
        (
            "/limits/json/default",
            "application/json",
            quoted(1_000_000),
            "1000000",
        ),
        // The limit of actix-web itself is 16 KiB here.
        (
            "/limits/form",
            "application/x-www-form-urlencoded",
            format!("a={}", "x".repeat(60_000)),
            "60000",
        ),
    ] {
        let reply = post(&server, path, kind, body.as_bytes());
        assert_eq!((reply.status, reply.text()), (200, expected), "{path}");
    }
    for (path, kind, length) in [
        ("/limits/bytes", "x/y", (1 << 20) + 1),
        ("/limits/json", "application/json", 3_200_000),
        // Our limit is below that of actix-web itself.
        ("/limits/json/default", "application/json", 1_100_000),
        ("/limits/form", "application/x-www-form-urlencoded", 70_000),
    ] {
        let head = format!("POST {path} HTTP/1.1\nContent-Type: {kind}\nContent-Length: {length}");
        assert_eq!(server.connect().ask(&head).status, 413, "{path}");
    }
}

#[test]
fn the_json_error_handler_of_the_app_stays_in_use() {
    let routes = production([json::ROUTE, json_default::ROUTE]);
    let server = Server::start(move || {
        let config = JsonConfig::default()
            .limit(5)
            .content_type_required(false)
            .error_handler(|error, _| {
                let response = HttpResponse::Conflict().body(format!("ours: {error}"));
                InternalError::from_response(error, response).into()
            });
        App::new().app_data(config).service(routes.clone())
    });
    for path in ["/limits/json", "/limits/json/default"] {
        let broken = post(&server, path, "application/json", b"[");
        assert_eq!(broken.status, 409);
        assert!(broken.text().starts_with("ours: Json deserialize error"));
    }
    // A limit that is written at the route overrides that of the app.
    let longer = b"\"longer than five\"";
    let fine = post(&server, "/limits/json", "", longer);
    assert_eq!((fine.status, fine.text()), (200, "16"));
    let refused = post(&server, "/limits/json/default", "", longer);
    assert_eq!(refused.status, 409);
    let why = "ours: JSON payload (18 bytes) is larger than allowed (limit: 5 bytes)";
    assert!(refused.text().starts_with(why), "{}", refused.text());
}

#[test]
fn limits_of_the_app_apply_to_routes_without_a_body_limit() {
    #[route(POST, "/limits/form/default")]
    async fn form_default(body: Form<Filled>) -> String {
        body.a.len().to_string()
    }
    #[route(POST, "/limits/bytes/default")]
    async fn bytes_default(body: Bytes) -> String {
        body.len().to_string()
    }
    let routes = production([form_default::ROUTE, bytes_default::ROUTE]);
    let limited = {
        let routes = routes.clone();
        Server::start(move || {
            App::new()
                .app_data(web::FormConfig::default().limit(5))
                .app_data(web::Data::new(web::PayloadConfig::new(5)))
                .service(routes.clone())
        })
    };
    let server = Server::routes(&routes);
    let form = "application/x-www-form-urlencoded";
    for (path, kind) in [
        ("/limits/form/default", form),
        ("/limits/bytes/default", "x/y"),
    ] {
        assert_eq!(post(&limited, path, kind, b"a=xxx").status, 200, "{path}");
        assert_eq!(post(&limited, path, kind, b"a=xxxx").status, 413, "{path}");
        assert_eq!(post(&server, path, kind, b"a=xxxx").status, 200, "{path}");
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[route(POST, "/limits/zipped", body_limit = 2000)]
async fn zipped(body: Bytes) -> String {
    body.len().to_string()
}

#[test]
fn a_compressed_body_is_bounded_by_its_decompressed_size() {
    let server = Server::routes(&production([zipped::ROUTE]));
    let send = |body: &[u8]| {
        let mut wire = server.connect();
        wire.begin(&format!(
            "POST /limits/zipped HTTP/1.1\nContent-Encoding: gzip\nContent-Length: {}",
            body.len()
        ));
        wire.write(body);
        wire.response(false)
    };
    let small = gzip(&[b'x'; 1900]);
    assert!(small.len() < 100);
    assert_eq!(send(&small).text(), "1900");
    let bomb = gzip(&vec![0; 1_000_000]);
    assert!(bomb.len() < 2000, "{}", bomb.len());
    assert_eq!(send(&bomb).status, 413);
}

static HANGING: Gate = Gate::new();

#[route("/limits/hanging", dynamic = "force-dynamic", max_duration = 30)]
async fn hanging() -> &'static str {
    HANGING.open();
    pending().await
}

#[actix_web::test]
async fn a_handler_that_hangs_is_a_504_after_max_duration() {
    let app = TestApp::new(production([hanging::ROUTE])).await.unwrap();
    let answered = app.get("/limits/hanging");
    let (response, ()) = tokio::join!(answered, async {
        HANGING.pass().await;
        app.advance(Duration::from_secs(30));
    });
    assert_eq!(response.status(), 504);
    assert_eq!(
        response.text(),
        r#"{"type":"about:blank","title":"Gateway Timeout","status":504}"#
    );
    assert_eq!(
        response.header("cache-status"),
        Some("route; fwd=bypass; detail=dynamic")
    );
}

/// An extractor that signals that the arguments are being read.
struct Begun;

static BEGUN: Gate = Gate::new();

impl FromRequest for Begun {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        BEGUN.open();
        ready(Ok(Self))
    }
}

#[route(POST, "/limits/upload", max_duration = 30)]
async fn upload(_begun: Begun, body: Bytes) -> String {
    body.len().to_string()
}

#[actix_web::test]
async fn a_client_that_stops_sending_its_body_gets_a_408() {
    let app = TestApp::new(production([upload::ROUTE])).await.unwrap();
    let server = Server::routes(app.routes());
    let mut wire = server.connect();
    wire.begin("POST /limits/upload HTTP/1.1\nContent-Length: 10");
    wire.write("12345");
    BEGUN.pass().await;
    app.advance(Duration::from_secs(30));
    let reply = wire.response(false);
    assert_eq!(reply.status, 408);
    // The next bytes would be the rest of the body, not a request, so the connection ends.
    assert!(wire.is_closed());

    let mut wire = server.connect();
    wire.begin("POST /limits/upload HTTP/1.1\nContent-Length: 10");
    wire.write("1234567890");
    let reply = wire.response(false);
    assert_eq!(reply.text(), "10");
}
