//! The log of requests: the one that a server writes in development, and that of actix-web.

use tests::{Ended, Program, request};

const LOGGED: &str = env!("CARGO_BIN_EXE_logged");

/// Runs the program until it has answered these requests, written as method and target.
fn answered(requests: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut environment = environment.to_vec();
    environment.push(("PORT", "0"));
    let mut program = Program::start(LOGGED, &[], &environment);
    let mut connection = program.connect();
    for line in requests {
        let (method, target) = line.split_once(' ').unwrap();
        connection.send(&request(method, target, &[], ""));
    }
    // The body of this response does not end, but its head arrives.
    connection.write(request("GET", "/endless", &[], ""));
    assert_eq!(connection.head().status, 200);
    connection.hang_up();
    program.signal("INT");
    let ended = program.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended
}

/// Returns the lines of the server's own log of requests, each without its time and duration.
fn lines_of(ended: &Ended) -> Vec<String> {
    let lines = ended.stderr.lines();
    let messages =
        lines.filter_map(|line| Some(line.split_once(" INFO route_runtime::access: ")?.1));
    messages
        .map(|message| {
            let (answered, rest) = message.split_once(" in ").expect("a duration");
            let (milliseconds, route) = rest.split_once(" ms").expect("a duration");
            assert!(milliseconds.parse::<f64>().is_ok(), "{message}");
            format!("{answered}{route}")
        })
        .collect()
}

#[test]
fn in_development_each_request_is_one_line_of_the_log() {
    let requests = [
        "GET /",
        "GET /posts/7?token=secret",
        "HEAD /posts/7",
        "GET /posts/x",
        "POST /",
        "GET /posts/7/",
        "GET /own",
        "GET /nowhere",
        "GET /refused",
    ];
    let ended = answered(&requests, &[]);
    let expected = [
        "GET / 200 http.route=\"/\"",
        "GET /posts/7 200 http.route=\"/posts/[id]\"",
        "HEAD /posts/7 200 http.route=\"/posts/[id]\"",
        "GET /posts/x 404 http.route=\"/posts/[id]\"",
        "POST / 405 http.route=\"/\"",
        "GET /posts/7/ 308 http.route=\"/posts/[id]\"",
        "GET /own 200",
        "GET /nowhere 404",
        "GET /refused 403",
        "GET /endless 200 http.route=\"/endless\"",
    ];
    assert_eq!(lines_of(&ended), expected);
    assert!(!ended.stdout.contains("GET /posts/7"), "{}", ended.stdout);
}

#[test]
fn the_log_of_requests_is_silent_in_production_and_where_rust_log_says_so() {
    for environment in [
        ("ROUTE_MODE", "production"),
        ("RUST_LOG", "warn"),
        ("RUST_LOG", "info,route_runtime::access=off"),
    ] {
        let ended = answered(&["GET /"], &[environment]);
        assert_eq!(lines_of(&ended), [""; 0], "{}", ended.stderr);
    }
}

#[test]
fn the_logger_of_actix_is_heard_by_default_in_both_modes() {
    for mode in ["development", "production"] {
        let ended = answered(&["GET /"], &[("ROUTE_MODE", mode)]);
        let lines = ended.stderr.lines();
        let lines: Vec<_> = lines.filter(|line| line.contains("GET / HTTP")).collect();
        let [line] = lines.as_slice() else {
            panic!("{}", ended.stderr);
        };
        assert!(
            line.contains(" INFO actix_web::middleware::logger: "),
            "{line}"
        );
        assert!(
            line.ends_with("by the logger of actix: GET / HTTP/1.1 200"),
            "{line}"
        );
    }
    let ended = answered(&["GET /"], &[("RUST_LOG", "warn")]);
    assert_eq!(ended.stderr, "");
}
