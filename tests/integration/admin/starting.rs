//! The start of the admin listener: its address, its settings, and the commands that leave it alone.

use std::fs;
use std::net::TcpListener;

use tests::Directory;

use super::*;

/// Returns a listener, and its address, which nothing else can have.
fn take_address() -> (TcpListener, String) {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    (taken, address)
}

#[test]
fn the_address_is_printed_before_the_one_for_clients() {
    let operated = Operated::start(&[]);
    assert!(operated.operators.ip().is_loopback());
    assert_ne!(operated.operators.port(), 0);
    assert_ne!(operated.operators.port(), operated.clients.port());
    let Operated {
        program,
        clients,
        operators,
    } = operated;
    program.signal("TERM");
    let ended = program.end();
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    let last = format!("\nadmin http://{operators}\nserving http://{clients}\n");
    assert!(ended.stdout.ends_with(&last), "{}", ended.stdout);
}

#[test]
fn there_is_no_admin_listener_unless_one_is_asked_for() {
    let environment = [
        ("PORT", "0"),
        ("ROUTE_ADMIN", ""),
        ("ROUTE_ADMIN_SECRET", "short"),
    ];
    let mut program = Program::start(OPERATED, &[], &environment);
    program.address();
    program.signal("TERM");
    let ended = program.end();
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{ended:?}");
    assert!(!ended.stdout.contains("admin"), "{}", ended.stdout);
}

#[test]
fn an_option_overrides_the_program_which_overrides_the_environment() {
    let (_taken, taken) = take_address();
    let start = |arguments: &[&str], program: &str, environment: &str| {
        let environment = [
            ("PORT", "0"),
            ("ADMIN", program),
            ("ROUTE_ADMIN", environment),
        ];
        Operated::of(Program::start(OPERATED, arguments, &environment))
    };
    for operated in [
        start(&[], "127.0.0.1:0", "nonsense"),
        start(&["--admin", "127.0.0.1:0"], &taken, "nonsense"),
        start(&["serve", "--admin=localhost:0"], &taken, &taken),
    ] {
        assert_eq!(operated.ask("GET", "/health", &[], "").text(), "ok");
    }
}

#[test]
fn the_command_start_has_an_admin_listener_too() {
    let scratch = Directory::new("admin-start");
    let environment = [("PORT", "0"), ("ROUTE_ADMIN_SECRET", SECRET)];
    let arguments = ["start", "--admin", "127.0.0.1:0"];
    let program = Program::start_in(scratch.path(), OPERATED, &arguments, &environment);
    let operated = Operated::of(program);
    let before = operated.get("/posts/7");
    assert_eq!(operated.get("/posts/7").text(), before.text());
    assert_eq!(
        operated.revalidate(json!({ "tags": ["posts"] })).status,
        200
    );
    assert_ne!(operated.get("/posts/7").text(), before.text());
}

#[test]
fn an_address_that_cannot_be_had_is_an_error_with_help() {
    let (_taken, taken) = take_address();
    let start = |address: &str| {
        let environment = [("PORT", "0"), ("ADMIN", address)];
        let ended = Program::start(OPERATED, &[], &environment).end();
        assert_eq!((ended.code, &*ended.stdout), (Some(1), ""));
        let start = format!("Error: cannot listen on {address} for operators: ");
        assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
        let help = "\n  help: choose an address of this machine with a free port, such as \
            127.0.0.1:9000, with `--admin`, `Server::admin` or ROUTE_ADMIN\n";
        assert!(ended.stderr.ends_with(help), "{}", ended.stderr);
        ended.stderr
    };
    assert!(start(&taken).contains("Address already in use"));
    start("192.0.2.1:9000");
    start("nonsense");

    // The address for clients is no address for operators.
    let (_, address) = take_address();
    let (_, port) = address.rsplit_once(':').unwrap();
    let environment = [("PORT", port), ("ROUTE_ADMIN", &*address)];
    let ended = Program::start(OPERATED, &[], &environment).end();
    assert_eq!((ended.code, &*ended.stdout), (Some(1), ""));
    let start = format!("Error: cannot listen on {address}");
    assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
}

#[test]
fn settings_that_cannot_be_used_are_refused_before_anything_starts() {
    let admin = ("ROUTE_ADMIN", "127.0.0.1:0");
    let help = "help: make one with `openssl rand -hex 32`";
    let short = format!(
        "Error: ROUTE_ADMIN_SECRET has fewer than 16 bytes, and could be guessed\n  {help}\n"
    );
    let invisible = format!(
        "Error: ROUTE_ADMIN_SECRET has a character that is not visible ASCII, and no client could \
         send it\n  {help}\n"
    );
    let address = "Error: ROUTE_ADMIN is `9000`\n  help: expected a host and a port, such as \
        `127.0.0.1:9000`\n";
    for command in ["serve", "start", "check"] {
        for (environment, error) in [
            ([admin, ("ROUTE_ADMIN_SECRET", "hunter2hunter2!")], &*short),
            (
                [admin, ("ROUTE_ADMIN_SECRET", "a secret in words")],
                &invisible,
            ),
            (
                [("ROUTE_ADMIN", "9000"), ("ROUTE_ADMIN_SECRET", SECRET)],
                address,
            ),
        ] {
            let scratch = Directory::new(&format!("admin-refused-{command}"));
            let ended = scratch.run(OPERATED, command, &environment);
            assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{command}");
            assert!(ended.stderr.ends_with(error), "{}", ended.stderr);
        }
    }
}

#[test]
fn other_commands_neither_listen_nor_read_the_secret() {
    let (_taken, taken) = take_address();
    let scratch = Directory::new("admin-commands");
    let environment = [("ROUTE_ADMIN", &*taken), ("ROUTE_ADMIN_SECRET", "short")];
    for command in [
        "routes",
        "routes --json",
        "lock",
        "build",
        "export out --partial",
        "revalidate --tag posts",
    ] {
        let ended = scratch.run(OPERATED, command, &environment);
        assert_eq!(ended.code, Some(0), "{command}: {}", ended.stderr);
        let printed = ended.stdout + &ended.stderr;
        assert!(!printed.contains("short"), "{command}: {printed}");
    }
    let environment = [("ROUTE_ADMIN", &*taken), ("ROUTE_ADMIN_SECRET", SECRET)];
    let ended = scratch.run(OPERATED, "check", &environment);
    assert_eq!(ended.code, Some(0), "it does not listen: {}", ended.stderr);
    let ended = scratch.run(OPERATED, "build --admin 127.0.0.1:0", &[]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
}

#[test]
fn a_store_that_cannot_record_is_503_with_the_reason() {
    let scratch = Directory::new("admin-store");
    let [cache, away] = ["cache", "away"].map(|name| scratch.join(name));
    let operated = Operated::start(&[("ROUTE_CACHE_DIR", cache.to_str().unwrap())]);
    // The response was rendered ahead, so nothing is being written to the store any more.
    let before = operated.get("/pinned/1");
    let pattern = json!({ "patterns": ["/pinned/[id]"] });
    fs::rename(&cache, &away).unwrap();
    fs::write(&cache, "").unwrap();
    let answer = operated.revalidate(&pattern);
    assert_eq!(answer.status, 503);
    let detail = detail(&answer);
    let start = "the cache's store could not record the invalidation: ";
    assert!(detail.starts_with(start), "{detail}");
    assert!(detail.contains("Not a directory"), "{detail}");
    assert_eq!(operated.get("/pinned/1").text(), before.text());

    fs::remove_file(&cache).unwrap();
    fs::rename(&away, &cache).unwrap();
    assert_eq!(operated.revalidate(&pattern).status, 200);
    assert_ne!(operated.get("/pinned/1").text(), before.text());
}
