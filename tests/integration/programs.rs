//! Whole programs: how they start, why they do not start, and how they end.

use std::net::TcpListener;

use tests::{Ended, Program, request};

const SERVING: &str = env!("CARGO_BIN_EXE_serving");
const COLLIDING: &str = env!("CARGO_BIN_EXE_colliding");

/// Runs a program that must fail to start, and returns how it ended.
fn refused(path: &str, environment: &[(&str, &str)]) -> Ended {
    let ended = Program::start(path, &[], environment).end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "");
    ended
}

#[test]
fn collisions_between_crates_end_a_program_before_it_listens() {
    // If the program listened, the port in use would be another error.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = refused(COLLIDING, &[("PORT", &port)]);
    // The guide shows this message.
    assert_eq!(ended.stderr, include_str!("../fixtures/colliding.stderr"));
}

#[test]
fn a_program_serves_its_routes_and_those_of_linked_crates() {
    let environment = [("PORT", "0"), ("ROUTE_WORKERS", "1"), ("RUST_LOG", "warn")];
    let mut program = Program::start(SERVING, &[], &environment);
    let mut connection = program.connect();
    let mut get = |path| {
        connection
            .send(&request("GET", path, &[], ""))
            .text()
            .to_owned()
    };
    assert_eq!(get("/"), "home\n");
    assert_eq!(get("/neighbour"), "from another crate\n");
    let nothing = connection.send(&request("GET", "/nowhere", &[], ""));
    assert_eq!(nothing.status, 404);
    assert_eq!(nothing.header("cache-control"), Some("no-cache"));
    assert_eq!(
        nothing.header("content-type"),
        Some("application/problem+json")
    );

    program.signal("INT");
    let ended = program.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
    let line =
        "ƒ /number/[number]            GET      reads the request: `text: web::Json<String>`\n";
    assert!(ended.stdout.contains(line), "{}", ended.stdout);
    let address = ended.stdout.lines().next_back().unwrap();
    assert!(
        address.starts_with("serving http://127.0.0.1:"),
        "{address}"
    );
}

#[test]
fn a_server_names_its_mode_and_how_to_change_it() {
    for (mode, expected) in [
        (
            "development",
            "\ndevelopment: every request renders; `--mode production` caches responses\n",
        ),
        (
            "production",
            "\nproduction: responses are cached; `serve --mode development` renders every request\n",
        ),
    ] {
        let mut program = Program::start(SERVING, &[], &[("PORT", "0"), ("ROUTE_MODE", mode)]);
        program.address();
        program.signal("INT");
        let ended = program.end();
        assert!(ended.stdout.contains(expected), "{}", ended.stdout);
        let is_once = ended.stdout.contains("static: rendered once");
        assert_eq!(is_once, mode == "production", "{}", ended.stdout);
    }
}

#[test]
fn sigint_and_sigterm_end_a_program_with_code_0() {
    for signal in ["INT", "TERM"] {
        let mut program = Program::start(SERVING, &[], &[("PORT", "0")]);
        program.address();
        program.signal(signal);
        assert_eq!(program.end().code, Some(0), "{signal}");
    }
}

#[test]
fn a_program_ends_after_the_work_left_by_its_handlers() {
    let mut program = Program::start(SERVING, &["built"], &[]);
    let mut connection = program.connect();
    let answer = connection.send(&request("POST", "/later", &[], ""));
    assert_eq!(answer.text(), "now");
    drop(connection);
    program.signal("TERM");
    let ended = program.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.ends_with("\nlater: Ok(())\n"), "{ended:?}");
}

#[test]
fn a_port_in_use_is_an_error_with_help() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = refused(SERVING, &[("PORT", &port)]);
    let start = format!("Error: cannot listen on 127.0.0.1:{port}: Address already in use");
    assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
    let help = "help: end the program that does, or choose another port with `--port` or PORT\n";
    assert!(ended.stderr.ends_with(help), "{}", ended.stderr);
}

#[test]
fn a_variable_with_a_meaningless_value_is_an_error() {
    for (variable, value, expected) in [
        ("PORT", "http", "a port, from 0 to 65535"),
        ("PORT", "65536", "a port, from 0 to 65535"),
        ("PORT", "-1", "a port, from 0 to 65535"),
        ("ROUTE_WORKERS", "many", "a number of threads, at least 1"),
        ("ROUTE_WORKERS", "-1", "a number of threads, at least 1"),
        ("ROUTE_WORKERS", "0", "a number of threads, at least 1"),
        ("ROUTE_MODE", "fast", "`development` or `production`"),
    ] {
        let ended = refused(SERVING, &[(variable, value)]);
        let message = format!("Error: {variable} is `{value}`\n  help: expected {expected}\n");
        assert_eq!(ended.stderr, message);
    }
    let ended = refused(SERVING, &[("HOST", "not a host"), ("PORT", "0")]);
    let start = "Error: cannot listen on not a host:0: ";
    assert!(ended.stderr.starts_with(start), "{}", ended.stderr);
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let empty = [
        ("HOST", ""),
        ("ROUTE_WORKERS", ""),
        ("ROUTE_MODE", ""),
        ("PORT", " 0 "),
    ];
    let mut program = Program::start(SERVING, &[], &empty);
    assert!(program.address().ip().is_loopback());
}

#[test]
fn a_host_can_be_an_address_of_ipv6() {
    let has_loopback = TcpListener::bind("[::1]:0").is_ok();
    for host in ["::1", "[::1]"] {
        let mut program = Program::start(SERVING, &[], &[("HOST", host), ("PORT", "0")]);
        if !has_loopback {
            // The program understands the address all the same, but cannot listen on it.
            let ended = program.end();
            let start = "Error: cannot listen on [::1]:0: ";
            assert!(ended.stderr.starts_with(start), "{}", ended.stderr);
            continue;
        }
        let mut connection = program.connect();
        assert_eq!(
            connection.send(&request("GET", "/", &[], "")).text(),
            "home\n"
        );
    }
}

#[test]
fn the_mode_comes_from_the_environment() {
    for (mode, detail) in [("development", true), ("production", false)] {
        let environment = [("PORT", "0"), ("ROUTE_MODE", mode)];
        let mut program = Program::start(SERVING, &[], &environment);
        let response = program
            .connect()
            .send(&request("GET", "/greeting", &[], ""));
        assert_eq!(response.status, 500);
        assert_eq!(response.text().contains("\"detail\""), detail, "{mode}");
    }
}

#[test]
fn the_builder_of_a_server_overrides_the_environment() {
    // The builder overrides the environment, which is then not even read.
    for mode in ["development", "nonsense"] {
        let environment = [("ROUTE_MODE", mode), ("ROUTE_WORKERS", "1")];
        let mut program = Program::start(SERVING, &["built"], &environment);
        let mut connection = program.connect();
        let mut get = |path| connection.send(&request("GET", path, &[], ""));
        let greeting = get("/greeting");
        assert_eq!(greeting.text(), "registered");
        assert_eq!(greeting.header("x-app"), Some("ours"));
        let nobodys = get("/nowhere");
        assert_eq!((nobodys.status, nobodys.text()), (418, "nobody's"));
        let fault = get("/number/7");
        assert_eq!(fault.status, 400);
        // In development, it would be the text of actix-web.
        let detail = "the header `Content-Type` must be `application/json`";
        assert!(fault.text().contains(detail), "{}", fault.text());
    }
}
