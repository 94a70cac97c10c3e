//! The end of the admin listener, which comes with the end of its server.

use std::net::TcpStream;

use super::*;

/// The head of a request that waits until it is told to go on with its body.
fn head(path: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: test.example\r\nAuthorization: {}\r\nContent-Type: \
         application/json\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n",
        bearer()
    )
}

/// Begins a request, and returns once the server reads it.
fn begin(address: SocketAddr, path: &str, length: usize) -> Connection {
    let mut connection = Connection::open(address);
    connection.write(head(path, length));
    assert_eq!(connection.head().status, 100);
    connection
}

/// Asks again and again until `is_so`.
#[track_caller]
fn until(mut is_so: impl FnMut() -> bool) {
    assert!((0..1_000_000).any(|_| is_so()), "it never is");
}

#[test]
fn the_health_is_503_while_clients_are_still_answered() {
    let operated = Operated::start(&[]);
    let mut client = begin(operated.clients, "/slow", 2);
    operated.program.signal("TERM");
    until(|| operated.ask("GET", "/health", &[], "").status == 503);
    let health = operated.ask("GET", "/health", &[], "");
    assert_eq!(detail(&health), "the server is shutting down");
    let mut connection = Connection::open(operated.operators);
    let head = connection.send(&request("HEAD", "/health", &[], ""));
    assert_eq!(head.status, 503);
    // What a client still reads can still be invalidated.
    assert_eq!(
        operated.revalidate(json!({ "tags": ["posts"] })).status,
        200
    );

    client.write("ok");
    assert_eq!(client.response(false).text(), "ok");
    let ended = operated.program.end();
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
}

#[test]
fn a_request_of_an_operator_is_answered_before_the_program_ends() {
    let operated = Operated::start(&[]);
    let body = r#"{"tags":["posts"]}"#;
    let mut operator = begin(operated.operators, "/revalidate", body.len());
    operated.program.signal("TERM");
    until(|| TcpStream::connect(operated.operators).is_err());
    operator.write(body);
    let answer = operator.response(false);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let ended = operated.program.end();
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
}

#[test]
fn sigint_ends_the_admin_listener_at_once() {
    for signal in ["INT", "QUIT"] {
        let operated = Operated::start(&[]);
        let mut operator = begin(operated.operators, "/revalidate", 7);
        operated.program.signal(signal);
        assert_eq!(operated.program.end().code, Some(0), "{signal}");
        assert!(operator.is_closed(), "{signal}");
    }
}

#[test]
fn idle_connections_of_operators_do_not_hold_up_the_end() {
    let operated = Operated::start(&[]);
    let mut idle = Connection::open(operated.operators);
    let health = request("GET", "/health", &[], "");
    assert_eq!(idle.send(&health).status, 200);
    operated.program.signal("TERM");
    assert_eq!(operated.program.end().code, Some(0));
    assert!(idle.is_closed());
}
