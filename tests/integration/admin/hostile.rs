//! Clients of the admin listener that mean harm.

use super::*;

/// The most bytes that a body may have.
const BODY: usize = 64 * 1024;

/// Returns a body of this length that could be used.
fn body(length: usize) -> String {
    let body = r#"{"tags":["nobody's"]}"#;
    format!("{body}{}", " ".repeat(length - body.len()))
}

fn head(more: &str) -> String {
    format!(
        "POST /revalidate HTTP/1.1\r\nHost: test.example\r\nAuthorization: {}\r\nContent-Type: \
         application/json\r\n{more}\r\n\r\n",
        bearer()
    )
}

#[track_caller]
fn check_others(operated: &Operated) {
    assert_eq!(operated.ask("GET", "/health", &[], "").status, 200);
    let answer = operated.revalidate(json!({ "tags": ["posts"] }));
    assert_eq!(answer.status, 200);
}

#[test]
fn a_body_that_is_too_large_is_413() {
    let operated = Operated::start(&[]);
    assert_eq!(operated.revalidate(body(BODY)).status, 200);
    for (more, body) in [
        (format!("Content-Length: {}", BODY + 1), String::new()),
        ("Content-Length: 99999999999".into(), String::new()),
        (
            "Transfer-Encoding: chunked".into(),
            format!("{:x}\r\n{}\r\n", BODY + 1, body(BODY + 1)),
        ),
        (
            "Transfer-Encoding: chunked".into(),
            "1\r\n{\r\n".repeat(BODY + 1),
        ),
    ] {
        let mut connection = Connection::open(operated.operators);
        connection.write(head(&more) + &body);
        let answer = connection.response(false);
        assert_eq!(answer.status, 413, "{more}");
        assert_eq!(detail(&answer), "the body may have 65536 bytes");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("connection"), Some("close"));
    }
    let mut connection = Connection::open(operated.operators);
    let chunked = format!("{:x}\r\n{}\r\n0\r\n\r\n", BODY, body(BODY));
    connection.write(head("Transfer-Encoding: chunked") + &chunked);
    assert_eq!(connection.response(false).status, 200);
    check_others(&operated);
}

#[test]
fn a_body_that_is_no_plain_json_is_415() {
    let operated = Operated::start(&[]);
    let bearer = bearer();
    let ask = |headers: &[(&str, &str)]| {
        let mut headers = headers.to_vec();
        headers.push(("Authorization", &bearer));
        operated.ask("POST", "/revalidate", &headers, r#"{"tags":["posts"]}"#)
    };
    for wrong in [
        &[][..],
        &[("Content-Type", "")],
        &[("Content-Type", "json")],
        &[("Content-Type", "text/plain")],
        &[("Content-Type", "application/x-www-form-urlencoded")],
        &[("Content-Type", "application/problem+json")],
        &[
            ("Content-Type", "application/json"),
            ("Content-Encoding", "gzip"),
        ],
    ] {
        let answer = ask(wrong);
        assert_eq!(answer.status, 415, "{wrong:?}");
        let expected = "expected `Content-Type: application/json` and no `Content-Encoding`";
        assert_eq!(detail(&answer), expected);
    }
    let answer = ask(&[("content-type", "Application/JSON; charset=utf-8")]);
    assert_eq!(answer.status, 200);
}

#[test]
fn a_body_that_never_ends_is_408() {
    let operated = Operated::start(&[]);
    let slow = [
        head("Content-Length: 100") + "{",
        head("Transfer-Encoding: chunked") + "ff\r\n{",
    ]
    .map(|request| {
        let mut connection = Connection::open(operated.operators);
        connection.write(request);
        connection
    });
    check_others(&operated);
    for mut connection in slow {
        assert_eq!(connection.response(false).status, 408);
        assert!(connection.is_closed());
    }
}

#[test]
fn large_heads_are_refused_and_harm_nobody() {
    let operated = Operated::start(&[]);
    let long = "x".repeat(60_000);
    let answer = operated.ask(
        "POST",
        "/revalidate",
        &[("Authorization", &format!("Bearer {long}"))],
        "",
    );
    assert_eq!(answer.status, 401);
    let many: Vec<_> = (0..80).map(|_| ("Authorization", SECRET)).collect();
    let answer = operated.ask("POST", "/revalidate", &many, "");
    assert_eq!(answer.status, 401);
    let path = format!("/{long}");
    assert_eq!(operated.ask("GET", &path, &[], "").status, 404);

    let mut connection = Connection::open(operated.operators);
    let huge = format!("Authorization: Bearer {}", "x".repeat(200_000));
    // The server may refuse the request before it has read it all.
    connection.try_write(head(&huge)).ok();
    assert_eq!(connection.head().status, 431);
    check_others(&operated);
}

#[test]
fn a_refused_request_hides_no_other_in_its_body() {
    let operated = Operated::start(&[]);
    let before = operated.get("/posts/7");
    let inner = head("Content-Length: 18") + r#"{"tags":["posts"]}"#;
    for outer in [
        request("POST", "/revalidate", &[], &inner),
        request("POST", "/health", &[], &inner),
        request("POST", "/nowhere", &[], &inner),
    ] {
        let mut connection = Connection::open(operated.operators);
        let answer = connection.send(&outer);
        assert!(matches!(answer.status, 401 | 404 | 405), "{outer}");
        connection.finish();
        let rest = String::from_utf8(connection.rest()).unwrap();
        assert!(!rest.contains("200 OK"), "{rest}");
    }
    assert_eq!(operated.get("/posts/7").text(), before.text());
}

#[test]
fn the_secret_is_never_printed_or_logged() {
    let sent = "another-secret-that-a-client-sends";
    let operated = Operated::start(&[("RUST_LOG", "trace")]);
    let bearer = format!("Bearer {sent}");
    let headers = [("Authorization", &*bearer)];
    for path in ["/revalidate", "/health", "/nowhere"] {
        operated.ask("POST", path, &headers, "nonsense");
    }
    operated.revalidate(json!({ "tags": ["posts"] }));
    operated.revalidate("nonsense");
    operated.program.signal("TERM");
    let ended = operated.program.end();
    for secret in [SECRET, sent] {
        assert!(!ended.stdout.contains(secret), "{}", ended.stdout);
        assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
    }
    assert!(!ended.stderr.is_empty(), "there is a log");
}
