//! The end of a request. If a server in front could see the request end elsewhere, it is refused,
//! and so is everything behind it on the connection.

use actix_web::web::{Bytes, Data};
use route_runtime::route;
use tests::Runs;

use super::*;

#[route("/hostile/framing/smuggled", dynamic = "force-dynamic")]
async fn smuggled(runs: Data<Runs>) -> String {
    format!("run {}", runs.next())
}

#[route(POST, "/hostile/framing/sink")]
async fn sink(body: Bytes) -> String {
    format!("took {}", body.len())
}

#[route("/hostile/framing/cached", revalidate = 3600)]
async fn cached() -> &'static str {
    "cached"
}

#[route("/hostile/framing/dynamic", dynamic = "force-dynamic")]
async fn dynamic() -> &'static str {
    "dynamic"
}

const LAST: &str = "GET /hostile/framing/smuggled HTTP/1.1\r\nHost: test.example\r\n\
                    Connection: close\r\n\r\n";

/// Returns a server, and the counter of how often it ran the handler `smuggled`.
fn server() -> (Server, Runs) {
    let all = [sink::ROUTE, smuggled::ROUTE, cached::ROUTE, dynamic::ROUTE];
    let ran = Runs::default();
    (Server::routes(&production(all).data(ran.clone())), ran)
}

/// Asserts that a request with these header lines and this body is refused, and that the request
/// that it would smuggle is not run.
fn check_refused((server, ran): &(Server, Runs), method: &str, lines: &str, body: &str) {
    let before = ran.count();
    for target in ["sink", "cached", "dynamic"] {
        let request = format!(
            "{method} /hostile/framing/{target} HTTP/1.1\r\nHost: test.example\r\n{lines}\r\n\r\n\
             {body}{LAST}"
        );
        let answer = raw(server, request.as_bytes());
        assert_eq!(statuses(&answer), [400], "{request:?}");
    }
    assert_eq!(ran.count(), before, "{lines:?}");
}

#[test]
fn what_could_end_in_two_places_is_refused() {
    let server = server();
    let chunked = "Transfer-Encoding: chunked";
    for lines in [
        // A length and chunks, in either order, whichever is longer.
        format!("Content-Length: 5\r\n{chunked}"),
        format!("{chunked}\r\nContent-Length: 0"),
        format!("Content-Length: 4096\r\n{chunked}"),
        format!("{chunked}\r\nContent-Length: x"),
        // Two headers of one kind.
        format!("{chunked}\r\n{chunked}"),
        format!("{chunked}\r\nTransfer-Encoding: identity"),
        format!("Transfer-Encoding: identity\r\n{chunked}"),
        format!("{chunked}\r\nTransfer-Encoding: x"),
        "Content-Length: 5\r\nContent-Length: 5".into(),
        "Content-Length: 5\r\nContent-Length: 6".into(),
        "Content-Length: 5, 5".into(),
        // Values that are not quite `chunked`.
        "Transfer-Encoding: xchunked".into(),
        "Transfer-Encoding: chunkedx".into(),
        "Transfer-Encoding: chunked, identity".into(),
        "Transfer-Encoding: identity, chunked".into(),
        "Transfer-Encoding: gzip, chunked".into(),
        "Transfer-Encoding: chunked;q=1".into(),
        "Transfer-Encoding: \"chunked\"".into(),
        "Transfer-Encoding: [chunked]".into(),
        "Transfer-Encoding: identity".into(),
        "Transfer-Encoding:".into(),
        "Transfer-Encoding: chu\tnked".into(),
        "Transfer-Encoding: \u{b}chunked".into(),
        "Transfer-Encoding: chunked\0".into(),
        "Transfer-Encoding: chunk\u{ed}".into(),
        // Lines that one server reads as a header and another does not.
        "Transfer-Encoding : chunked".into(),
        "Transfer-Encoding\t: chunked".into(),
        " Transfer-Encoding: chunked".into(),
        "X: y\r\n Transfer-Encoding: chunked".into(),
        "X: y\r\n\tfolded".into(),
        "Transfer-Encoding:\r\n chunked".into(),
        "X: y\rTransfer-Encoding: chunked".into(),
        "X: y\0z".into(),
        "X\0: y".into(),
        "X Y: z".into(),
        ": y".into(),
        "no colon".into(),
        "Transfer-Enc\u{f6}ding: chunked".into(),
        "\u{feff}Transfer-Encoding: chunked".into(),
        "(X): y".into(),
        // Lengths that are no numbers.
        "Content-Length: +5".into(),
        "Content-Length: -5".into(),
        "Content-Length: 5 5".into(),
        "Content-Length: 0x5".into(),
        "Content-Length: 5.0".into(),
        "Content-Length: 1e1".into(),
        "Content-Length: 5;x".into(),
        "Content-Length: 5,".into(),
        "Content-Length: \"5\"".into(),
        "Content-Length:".into(),
        "Content-Length : 5".into(),
        "Content-Length: 5\u{b}".into(),
        "Content-Length: \u{665}".into(),
        "Content-Length: 18446744073709551616".into(),
        "Content-Length: 99999999999999999999999999".into(),
    ] {
        for method in ["GET", "POST"] {
            check_refused(&server, method, &lines, "0\r\n\r\n");
        }
    }
}

#[test]
fn an_older_version_has_no_chunks() {
    let (server, ran) = server();
    let before = ran.count();
    for lines in [
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Connection: keep-alive\r\nTransfer-Encoding: chunked",
    ] {
        let head = format!("POST /hostile/framing/sink HTTP/1.0\r\n{lines}\r\n\r\n0\r\n\r\n{LAST}");
        assert_eq!(statuses(&raw(&server, head.as_bytes())), [400], "{lines}");
    }
    assert_eq!(ran.count(), before);
}

#[test]
fn broken_chunks_end_the_connection() {
    let (server, ran) = server();
    let before = ran.count();
    for body in [
        "\r\n\r\n",
        "x\r\n",
        "-1\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5 5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "5;a\0b\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloo\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "0\r\nX: y\r \r\n\r\n",
    ] {
        let request = format!(
            "POST /hostile/framing/sink HTTP/1.1\r\nHost: test.example\r\n\
             Transfer-Encoding: chunked\r\n\r\n{body}{LAST}"
        );
        assert_eq!(
            statuses(&raw(&server, request.as_bytes())),
            [400],
            "{body:?}"
        );
    }
    assert_eq!(ran.count(), before);
}

/// The reverse: an odd but unambiguous request is read as it is meant, and the next one as well.
#[test]
fn what_is_clear_is_read_to_its_end_and_no_further() {
    let (server, _) = server();
    for (lines, body, answer) in [
        ("Content-Length: 5", "hello", "took 5"),
        ("Content-Length:5", "hello", "took 5"),
        ("Content-Length: \t 5 \t ", "hello", "took 5"),
        ("Content-Length: 005", "hello", "took 5"),
        ("content-LENGTH: 5", "hello", "took 5"),
        (
            "Transfer-Encoding: CHUNKED",
            "5\r\nhello\r\n0\r\n\r\n",
            "took 5",
        ),
        (
            "Transfer-Encoding:\tchunked\t",
            "5\r\nhello\r\n0\r\n\r\n",
            "took 5",
        ),
        (
            "Transfer-Encoding: chunked",
            "0005\r\nhello\r\n000\r\n\r\n",
            "took 5",
        ),
        (
            "Transfer-Encoding: chunked",
            "5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n",
            "took 5",
        ),
        (
            "Transfer-Encoding: chunked",
            "5 \t\r\nhello\r\n0\r\n\r\n",
            "took 5",
        ),
        (
            "Transfer-Encoding: chunked",
            "5\r\nhello\r\n0\r\nContent-Length: 999\r\nHost: evil\r\n\r\n",
            "took 5",
        ),
        // Headers that are not the ones they look like.
        (
            "Transfer_Encoding: chunked\r\nContent-Length: 5",
            "0\r\n\r\n",
            "took 5",
        ),
        (
            "Content_Length: 9\r\nContent-Length: 5",
            "0\r\n\r\n",
            "took 5",
        ),
    ] {
        let request = format!(
            "POST /hostile/framing/sink HTTP/1.1\r\nHost: test.example\r\n{lines}\r\n\r\n\
             {body}{LAST}"
        );
        let found = raw(&server, request.as_bytes());
        assert_eq!(statuses(&found), [200, 200], "{request:?}");
        let text = String::from_utf8_lossy(&found).into_owned();
        assert!(text.contains(answer) && text.contains("run "), "{text}");
    }
}

/// RFC 9112 lets a bare line feed end a line, and actix-http accepts it. So a header that a server
/// in front took for a part of the previous line counts here, and contradicts what it saw.
#[test]
fn a_bare_line_feed_hides_no_header() {
    let server = server();
    for lines in [
        "X: y\nTransfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nX: y\nTransfer-Encoding: chunked",
        "Content-Length: 5\r\nX: y\nContent-Length: 6",
        "X: y\n Transfer-Encoding: chunked",
        "Content-Length: 5\r\nX: y\nHost: evil.example",
    ] {
        for method in ["GET", "POST"] {
            check_refused(&server, method, lines, "0\r\n\r\n");
        }
    }
    // A request whose lines all end in a bare line feed is unambiguous.
    let request = "POST /hostile/framing/sink HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello";
    let found = raw(&server.0, format!("{request}{LAST}").as_bytes());
    assert_eq!(statuses(&found), [200, 200]);
}

#[test]
fn a_request_that_names_no_host_or_two_is_refused() {
    let (server, _) = server();
    for host in [
        "",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nhost: b\r\n",
        "Host : a\r\n",
    ] {
        let head = format!("GET /hostile/framing/cached HTTP/1.1\r\n{host}\r\n{LAST}");
        assert_eq!(statuses(&raw(&server, head.as_bytes())), [400], "{host:?}");
    }
}

/// A response that does not need the body leaves it unread, but the body still is no request.
#[test]
fn the_body_of_a_request_is_no_request() {
    let (server, ran) = server();
    assert_eq!(server.get("/hostile/framing/cached").status, 200);
    let prefix = "GET /hostile/framing/smuggled HTTP/1.1\r\nHost: test.example\r\n\r\n";
    let chunked = format!("{:x}\r\n{prefix}\r\n0\r\n\r\n", prefix.len());
    let length = format!("Content-Length: {}", prefix.len());
    for (framing, body) in [
        (&*length, prefix),
        ("Transfer-Encoding: chunked", &*chunked),
    ] {
        for line in [
            "GET /hostile/framing/cached",
            "HEAD /hostile/framing/cached",
            "GET /hostile/framing/dynamic",
            "POST /hostile/framing/dynamic",
            "GET /hostile/framing/sink",
            "OPTIONS /hostile/framing/sink",
            "GET /hostile/framing//cached",
            "GET /hostile/nothing",
            "POST /hostile/framing/sink",
        ] {
            let before = ran.count();
            let attack =
                format!("{line} HTTP/1.1\r\nHost: test.example\r\n{framing}\r\n\r\n{body}");
            // Only the bytes behind it are another request, if the connection goes on at all.
            let found = raw(&server, format!("{attack}{LAST}").as_bytes());
            let count = statuses(&found).len();
            let runs = ran.count() - before;
            assert!(
                count == 1 && runs == 0 || count == 2 && runs == 1,
                "{attack:?} {runs}: {count}"
            );
            // The same must hold if the body arrives later.
            let mut connection = server.connect();
            let end = attack.len() - body.len();
            connection.write(&attack[..end]);
            connection.try_write(&attack[end..]).ok();
            connection.try_write(LAST).ok();
            let found = connection.rest();
            let count = statuses(&found).len();
            let runs = ran.count() - before - runs;
            assert!(
                count == 1 && runs == 0 || count == 2 && runs == 1,
                "{attack:?} {runs}: {count}"
            );
        }
    }
}

/// `Upgrade` is only a wish. If nobody grants it, the bytes that follow are no request either.
#[test]
fn an_upgrade_that_nobody_granted_hides_no_request() {
    let (server, ran) = server();
    for upgrade in [
        "Upgrade: websocket",
        "Connection: Upgrade\r\nUpgrade: websocket",
        "Connection: Upgrade\r\nUpgrade: h2c",
    ] {
        for target in ["cached", "dynamic"] {
            let before = ran.count();
            let request = format!(
                "GET /hostile/framing/{target} HTTP/1.1\r\nHost: test.example\r\n{upgrade}\r\n\
                 Content-Length: {}\r\n\r\n{LAST}",
                LAST.len()
            );
            let mut connection = server.connect();
            connection.write(request);
            let response = connection.response(false);
            assert_eq!(response.status, 200, "{upgrade} {target}");
            connection.finish();
            assert_eq!(statuses(&connection.rest()), [0_u16; 0], "{upgrade}");
            assert_eq!(ran.count(), before);
        }
    }
}
