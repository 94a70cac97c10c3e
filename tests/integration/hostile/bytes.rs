//! A fuzzer that sends bytes that are nearly HTTP to a whole server.

use std::cell::Cell;

use actix_web::HttpRequest;
use actix_web::web::{Bytes, Json};
use route_runtime::{Cookies, RequestExt as _, route};

use super::*;

#[route("/fuzz/plain", revalidate = 3600)]
async fn plain() -> String {
    "plain ".repeat(400)
}

#[route("/fuzz/cached/[id]", revalidate = 3600)]
async fn cached(id: String) -> String {
    id
}

#[route("/fuzz/dynamic/[[...path]]")]
async fn dynamic(path: Vec<String>, cookies: Cookies, request: HttpRequest) -> String {
    let cookies: Vec<_> = cookies.iter().collect();
    format!(
        "{path:?} {cookies:?} {:?}",
        request.search_params().get("a")
    )
}

#[route(POST, "/fuzz/sink", body_limit = 1000, max_duration = 5)]
async fn sink(body: Bytes) -> String {
    body.len().to_string()
}

#[route(POST, "/fuzz/json", max_duration = 5)]
async fn json(body: Json<Vec<u8>>) -> String {
    body.len().to_string()
}

/// The number of inputs after which an innocent client sends its requests.
const BATCH: u32 = 32;

#[test]
fn fuzz_server() {
    let all = [
        plain::ROUTE,
        cached::ROUTE,
        dynamic::ROUTE,
        sink::ROUTE,
        json::ROUTE,
    ];
    let server = Server::routes(&production(all).cache_capacity(1_000_000));
    let targets = ["/fuzz/plain", "/fuzz/cached/a", "/fuzz/dynamic/b"];
    let expected = targets.map(|target| innocent(&server, target));
    let words = [
        "GET",
        "HEAD",
        "POST",
        "OPTIONS",
        "CONNECT",
        " ",
        "/",
        "/fuzz/cached/",
        "/fuzz/plain",
        "/fuzz/dynamic",
        "/fuzz/sink",
        " HTTP/1.1",
        " HTTP/1.0",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\r",
        "\0",
        "\t",
        ":",
        ": ",
        "Host: a",
        "Content-Length: ",
        "Transfer-Encoding: chunked",
        "0\r\n\r\n",
        "5\r\nhello\r\n",
        "ffffffff",
        "Connection: close",
        "Connection: keep-alive",
        "Upgrade: websocket",
        "Expect: 100-continue",
        "Accept-Encoding: ",
        "If-None-Match: ",
        "Range: ",
        "Cookie: ",
        "%2f",
        "%00",
        "..",
        "//",
        "?",
        "#",
        "é",
        "http://a",
        "\"",
        ";q=0",
        "Content-Encoding: gzip",
    ];
    let count = Cell::new(0_u32);
    fuzz::run("server", &words, |input| {
        let mut connection = server.connect();
        connection.try_write(input).ok();
        connection.finish();
        let statuses = statuses(&connection.rest());
        assert!(statuses.iter().all(|status| *status < 500), "{statuses:?}");
        count.set(count.get() + 1);
        if count.get().is_multiple_of(BATCH) {
            assert_eq!(targets.map(|target| innocent(&server, target)), expected);
        }
        statuses
    });
}
