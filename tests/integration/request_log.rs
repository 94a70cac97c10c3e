//! The log of requests.

use tests::{Program, request};

const LOGGED: &str = env!("CARGO_BIN_EXE_logged");

/// Returns what the program wrote on stderr while it answered GETs for these paths.
fn log_of(paths: &[&str], environment: &[(&str, &str)]) -> String {
    let mut environment = environment.to_vec();
    environment.push(("PORT", "0"));
    let mut program = Program::start(LOGGED, &[], &environment);
    let mut connection = program.connect();
    for path in paths {
        connection.send(&request("GET", path, &[], ""));
    }
    drop(connection);
    program.signal("INT");
    let ended = program.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.stderr
}

#[test]
fn the_logger_of_actix_is_heard_by_default_in_both_modes() {
    for mode in ["development", "production"] {
        let log = log_of(&["/"], &[("ROUTE_MODE", mode)]);
        let lines: Vec<_> = log.lines().filter(|line| line.contains("actix")).collect();
        let [line] = lines.as_slice() else {
            panic!("{log}");
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
    let log = log_of(&["/"], &[("RUST_LOG", "warn")]);
    assert_eq!(log, "");
}
