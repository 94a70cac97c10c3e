//! Clients that send too much, or too slowly, and must cost nobody else time or memory.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use route_runtime::route;

use super::*;

#[route("/hostile/floods/cached/[id]", revalidate = 3600)]
async fn cached(id: String) -> String {
    id
}

#[route(POST, "/hostile/floods/sink", max_duration = 2)]
async fn sink(body: Bytes) -> String {
    body.len().to_string()
}

fn server() -> Server {
    Server::routes(&production([cached::ROUTE, sink::ROUTE]))
}

/// A time that is far longer than a response takes, and far shorter than the attack.
const SOON: Duration = Duration::from_secs(4);

#[track_caller]
fn check_others(server: &Server) {
    let start = Instant::now();
    for _ in 0..20 {
        assert_eq!(server.get("/hostile/floods/cached/other").text(), "other");
    }
    assert!(start.elapsed() < SOON, "others wait {:?}", start.elapsed());
}

/// Returns `wanted`, but at most a quarter of the files that this process may have open.
///
/// Both ends of each connection are in this process.
fn affordable(wanted: usize) -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let files = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    wanted.min(files.unwrap_or(1024) / 4)
}

#[test]
fn heads_that_never_end_are_cut_off_and_keep_nobody_waiting() {
    let server = server();
    let mut slow = Vec::new();
    for start in [
        "G",
        "GET /hostile/floods/cached/slow",
        "GET /hostile/floods/cached/slow HTTP/1.1\r\nHost: test.example\r\nX-A: b\r\n",
    ] {
        for _ in 0..50 {
            let mut connection = server.connect();
            connection.write(start);
            slow.push(connection);
        }
    }
    check_others(&server);
    // Sending byte by byte gains no time. Being slow is the attack, so this test sleeps.
    let start = Instant::now();
    while slow[0].try_write("x").is_ok() {
        assert!(start.elapsed() < Duration::from_secs(60), "it goes on");
        thread::sleep(Duration::from_millis(200));
    }
    for mut connection in slow {
        let statuses = statuses(&connection.rest());
        assert!(matches!(statuses[..], [] | [408]), "{statuses:?}");
    }
    check_others(&server);
}

#[test]
fn bodies_that_never_end_are_cut_off_and_keep_nobody_waiting() {
    let server = server();
    let mut slow: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for (number, connection) in slow.iter_mut().enumerate() {
        let head = "POST /hostile/floods/sink HTTP/1.1\r\nHost: test.example\r\n";
        connection.write(head);
        connection.write(match number % 3 {
            0 => "Content-Length: 1000\r\n\r\nx",
            1 => "Transfer-Encoding: chunked\r\n\r\nff\r\nx",
            // These trailers come after the last chunk, where no limit on the body applies.
            _ => "Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: b",
        });
    }
    check_others(&server);
    for mut connection in slow {
        assert_eq!(statuses(&connection.rest()), [408]);
    }
    check_others(&server);
}

#[test]
fn a_thousand_idle_connections_keep_nobody_waiting() {
    let server = server();
    let mut idle: Vec<_> = (0..affordable(1000)).map(|_| server.connect()).collect();
    check_others(&server);
    // Connections that have been served once are idle afterwards too.
    for connection in idle.iter_mut().take(100) {
        connection.begin("GET /hostile/floods/cached/idle HTTP/1.1");
        assert_eq!(connection.response(false).status, 200);
    }
    check_others(&server);
    drop(idle);
    check_others(&server);
}

#[test]
fn heads_that_are_too_large_are_refused() {
    let server = server();
    let head = |lines: &str| {
        format!(
            "GET /hostile/floods/cached/large HTTP/1.1\r\nHost: test.example\r\n{lines}\
             Connection: close\r\n\r\n"
        )
    };
    let many = |count: usize| "X-A: b\r\n".repeat(count);
    let long = |length: usize| format!("X-A: {}\r\n", "b".repeat(length));
    for (lines, expected) in [
        (many(90), 200),
        (many(1000), 431),
        (long(60_000), 200),
        (long(200_000), 431),
        (format!("{}: b\r\n", "A".repeat(60_000)), 200),
        (format!("Cookie: {}\r\n", "a=b; ".repeat(10_000)), 200),
        (
            format!("Accept-Encoding: {}\r\n", "gzip;q=0.1,".repeat(5000)),
            200,
        ),
        (
            format!("If-None-Match: {}\r\n", "\"a\",".repeat(10_000)),
            200,
        ),
    ] {
        let found = statuses(&raw(&server, head(&lines).as_bytes()));
        let start: String = lines.chars().take(40).collect();
        assert_eq!(found, [expected], "{start}");
    }
    // actix-http panics on such a long name, which ends only this connection.
    let name = format!("{}: b\r\n", "A".repeat(70_000));
    let found = statuses(&raw(&server, head(&name).as_bytes()));
    assert!(matches!(found[..], [] | [400 | 431]), "{found:?}");
    for (length, expected) in [(60_000, 200), (70_000, 400), (300_000, 431)] {
        let path = "a".repeat(length);
        let request = format!(
            "GET /hostile/floods/cached/{path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        );
        let found = statuses(&raw(&server, request.as_bytes()));
        assert_eq!(found, [expected], "{length}");
    }
    // Paths of 15 000 to 60 000 segments.
    for path in [
        "/".repeat(60_000),
        "/a".repeat(30_000),
        "/%61".repeat(15_000),
        "/..".repeat(20_000),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert_eq!(statuses(&raw(&server, request.as_bytes())), [404]);
    }
    check_others(&server);
}

/// Each path is a key of its own, so the bound on memory has to count keys.
#[test]
fn long_paths_do_not_fill_the_memory() {
    let routes = production([cached::ROUTE]).cache_capacity(2_000_000);
    let server = Server::routes(&routes);
    for number in 0..200 {
        let path = format!("{number}{}", "%00".repeat(19_000));
        assert_eq!(
            server.get(&format!("/hostile/floods/cached/{path}")).status,
            200
        );
    }
    let stats = routes.stats();
    assert!(stats.bytes <= stats.capacity, "{stats:?}");
    // All 200 entries would have keys of 57 000 bytes and values of 19 000.
    assert!(stats.entries < 30, "{stats:?}");
}
