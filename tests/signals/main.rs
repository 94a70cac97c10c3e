//! Programs that are stopped and go on. These tests wait for time to pass, by the clock of the
//! machine.

use std::thread;
use std::time::Duration;

use tests::{Connection, Program, request};

const KEEPING: &str = env!("CARGO_BIN_EXE_keeping");

/// Asks for a path in a thread of its own, and returns its body.
fn asked(address: std::net::SocketAddr, path: &'static str) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut connection = Connection::open(address);
        let answer = connection.send(&request("GET", path, &[], ""));
        assert_eq!(answer.status, 200, "{path}");
        answer.text().to_owned()
    })
}

#[test]
fn a_program_that_was_stopped_takes_none_of_its_handlers_for_blocking() {
    let environment = [
        ("PORT", "0"),
        ("ROUTE_MODE", "production"),
        ("RUST_LOG", "warn"),
    ];
    let mut program = Program::start(KEEPING, &[], &environment);
    let address = program.address();
    // A short time at once, and a long one that is over when the program goes on.
    let waiting = [asked(address, "/waits/600"), asked(address, "/waits/601")];
    let kept = asked(address, "/keeps/50");
    thread::sleep(Duration::from_millis(20));
    program.signal("STOP");
    thread::sleep(Duration::from_secs(3));
    program.signal("CONT");
    assert_eq!(kept.join().unwrap(), "50");
    assert_eq!(waiting.map(|asked| asked.join().unwrap()), ["600", "601"]);
    program.signal("TERM");
    let ended = program.end();
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
}

#[test]
fn a_handler_that_keeps_its_thread_is_named_once() {
    let environment = [
        ("PORT", "0"),
        ("ROUTE_MODE", "production"),
        ("RUST_LOG", "warn"),
    ];
    let mut program = Program::start(KEEPING, &[], &environment);
    let address = program.address();
    for path in ["/keeps/1000", "/keeps/1001"] {
        let kept = asked(address, path);
        thread::sleep(Duration::from_millis(20));
        assert_eq!(asked(address, "/waits/10").join().unwrap(), "10");
        kept.join().unwrap();
    }
    program.signal("TERM");
    let ended = program.end();
    let lines: Vec<_> = ended.stderr.lines().collect();
    let [line] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert!(line.contains("`/keeps/[ms]` blocks its thread"), "{line}");
}
