//! The command line of a program: what each command prints, and how it ends.

use std::net::TcpListener;

use serde_json::Value;
use tests::{Directory, Ended, Program, request};

mod building;
mod exporting;
mod locking;

const BUILT: &str = env!("CARGO_BIN_EXE_built");
const COMMANDS: &str = env!("CARGO_BIN_EXE_commands");
const EXPORTED: &str = env!("CARGO_BIN_EXE_exported");
const WARNED: &str = env!("CARGO_BIN_EXE_warned");
const COLLIDING: &str = env!("CARGO_BIN_EXE_colliding");

#[track_caller]
fn check(ended: &Ended, code: i32, stdout: &str, stderr: &str) {
    assert_eq!(ended.stdout, stdout);
    assert_eq!(ended.stderr, stderr);
    assert_eq!(ended.code, Some(code));
}

/// Runs a program that reads and writes no files, and waits for its end.
fn run(program: &str, arguments: &str, environment: &[(&str, &str)]) -> Ended {
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    Program::start(program, &arguments, environment).end()
}

#[test]
fn help_lists_commands_options_and_environment() {
    let help = "\
Serves the routes of this program

Usage: commands [OPTIONS]
       commands <COMMAND>

Commands:
  serve       Serve the routes; what is done without a command
  build       Render everything ahead into files, for `start`
  start       Serve in production what `build` has left
  routes      Print the table of routes, without starting anything
  check       Fail where `serve` would not start; with `--locked`, also where routes have changed
  lock        Write how each route is rendered to a file, for `check --locked`
  revalidate  Invalidate what other processes serve from the same directory or Redis
  export      Render the routes into a directory that a CDN or any server of files can serve

Options:
      --host <HOST>          The address to listen on [env: HOST] [default: 127.0.0.1]
      --port <PORT>          The port to listen on; 0 for any that is free [env: PORT] [default: 3000]
      --admin <ADDRESS>      A second address to listen on, for operators: /health and /revalidate [env: ROUTE_ADMIN] [default: none]
      --workers <N>          How many threads answer requests [env: ROUTE_WORKERS] [default: one per core]
      --mode <MODE>          How to render [env: ROUTE_MODE] [default: development in debug builds] [possible values: development, production]
      --cache-bytes <BYTES>  How many bytes of responses and data to keep in memory [env: ROUTE_CACHE_BYTES] [default: 50000000]
      --renders <N>          How many places there are for renders that requests wait for [env: ROUTE_RENDERS] [default: 128]
      --refreshes <N>        How many places there are for renders that replace stale responses and data [env: ROUTE_REFRESHES] [default: 4 per core]
      --cache-dir <DIR>      The directory where responses and data are kept beyond memory [env: ROUTE_CACHE_DIR] [default: none; of `start` .route/cache]
      --cache-url <URL>      The Redis where they are kept, shared with other instances [env: ROUTE_CACHE_URL]
      --log-format <FORMAT>  How to log on stderr [env: ROUTE_LOG_FORMAT] [default: text] [possible values: text, json]
  -h, --help                 Print help

Environment:
  HOST, PORT, ROUTE_ADMIN, ROUTE_WORKERS, ROUTE_MODE, ROUTE_CACHE_BYTES, ROUTE_RENDERS,
  ROUTE_REFRESHES, ROUTE_CACHE_DIR, ROUTE_CACHE_URL,
  ROUTE_LOG_FORMAT        Each as the option that names it
  ROUTE_BUILD_ID          The build whose responses are taken from a store
                          [default: a hash of the program]
  ROUTE_ADMIN_SECRET      The secret with which operators invalidate; without it, they cannot
  ROUTE_CDN               Whether shared caches outside may keep cached responses [default: false]
  ROUTE_TAG_HEADER        The header for tags that shared caches outside read [default: Cache-Tag]
  RUST_LOG                What is logged, as in `info` or `warn,route_runtime=debug`

An option comes before what the program says by itself, and that before the environment.
";
    check(&run(COMMANDS, "--help", &[]), 0, help, "");
    check(&run(COMMANDS, "-h", &[]), 0, help, "");
}

#[test]
fn a_wrong_command_line_is_explained_and_ends_with_code_2() {
    let more = "\n\nFor more information, try '--help'.\n";
    for (arguments, error) in [
        (
            "rotes",
            "error: unrecognized subcommand 'rotes'\n\n  tip: a similar subcommand exists: \
             'routes'\n\nUsage: commands [OPTIONS]\n       commands <COMMAND>",
        ),
        (
            "--prot 80",
            "error: unexpected argument '--prot' found\n\n  tip: a similar argument exists: \
             '--port'\n\nUsage: commands --port <PORT>",
        ),
        (
            "routes --port 80",
            "error: unexpected argument '--port' found\n\nUsage: commands routes [OPTIONS]",
        ),
        (
            "--port http",
            "error: invalid value 'http' for '--port <PORT>': expected a port, from 0 to 65535",
        ),
        (
            "serve --workers 0",
            "error: invalid value '0' for '--workers <N>': expected a number of threads, at least \
             1",
        ),
        (
            "--admin 9000",
            "error: invalid value '9000' for '--admin <ADDRESS>': expected a host and a port, such \
             as `127.0.0.1:9000`",
        ),
        (
            "--renders 0",
            "error: invalid value '0' for '--renders <N>': expected a number of renders, at least 1",
        ),
        (
            "--cache-bytes 1GB",
            "error: invalid value '1GB' for '--cache-bytes <BYTES>': expected a number of bytes",
        ),
        (
            "--mode prod",
            "error: invalid value 'prod' for '--mode <MODE>'\n  [possible values: development, \
             production]\n\n  tip: a similar value exists: 'production'",
        ),
        (
            "check --log-format xml",
            "error: invalid value 'xml' for '--log-format <FORMAT>'\n  [possible values: text, \
             json]",
        ),
        (
            "check --file routes.lock",
            "error: the following required arguments were not provided:\n  --locked\n\nUsage: \
             commands check --locked --file <FILE>",
        ),
        (
            "export",
            "error: the following required arguments were not provided:\n  <DIR>\n\nUsage: \
             commands export <DIR>",
        ),
    ] {
        check(
            &run(COMMANDS, arguments, &[]),
            2,
            "",
            &format!("{error}{more}"),
        );
    }
}

#[test]
fn routes_prints_the_table_and_starts_nothing() {
    // The command needs neither a free port nor app data.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let environment = [("PORT", &*port), ("WITHOUT_DATA", "1")];
    check(
        &run(COMMANDS, "routes", &environment),
        0,
        "  \
  Path           Methods    Revalidate  Expire  Tags       Wrap   Why
○ /              GET                                              reads nothing of the request
○ /guarded       GET                                       guard  reads nothing of the request
◐ /news          GET        10s         60s     news              `revalidate = 10`
● /posts/[id]    GET                            post:{id}         `static_params`
ƒ /search        GET                                              reads the request: `req: HttpRequest`
○ /stock/[name]  GET                                              `revalidate = false`
ƒ /votes         GET, POST                                        POST at tests/fixtures/commands.rs:44

○ static: rendered for each request, with a blank one; in production, once
● rendered for each request; in production, ahead, from `static_params`
◐ revalidated: rendered for each request; in production, again when stale
ƒ dynamic: rendered for each request
",
        "",
    );
}

#[test]
fn routes_json_prints_each_route_with_its_options() {
    let ended = run(COMMANDS, "routes --json", &[]);
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    let routes: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    let names: Vec<_> = routes
        .iter()
        .map(|route| format!("{} {}", route["method"], route["pattern"]).replace('"', ""))
        .collect();
    let expected = [
        "GET /",
        "GET /guarded",
        "GET /news",
        "GET /posts/[id]",
        "GET /search",
        "GET /stock/[name]",
        "GET /votes",
        "POST /votes",
    ];
    assert_eq!(names, expected);
    let post = r#"  {
    "method": "GET",
    "pattern": "/posts/[id]",
    "kind": "route",
    "rendering": "cached",
    "reason": "`static_params`",
    "revalidate": false,
    "expire": null,
    "tags": [
      "post:{id}"
    ],
    "static_params": true,
    "dynamic_params": false,
    "cdn": false,
    "store": true,
    "wrap": [],
    "handler": "post",
    "crate": "commands",
    "file": "tests/fixtures/commands.rs",
    "line": 20,
    "column": 1,
    "warnings": []
  },
"#;
    assert!(ended.stdout.contains(post), "{}", ended.stdout);
    let guard = serde_json::json!([
        { "name": "guard", "section": null, "open": false, "sometimes": false }
    ]);
    assert_eq!(routes[1]["wrap"], guard);
    assert_eq!(routes[2]["revalidate"], 10);
    assert_eq!(routes[2]["expire"], 60);
    assert_eq!(routes[4]["rendering"], "dynamic");
    assert_eq!(routes[4]["revalidate"], Value::Null);
    assert_eq!(routes[4]["store"], Value::Null);
}

#[test]
fn check_fails_with_what_would_keep_the_program_from_serving() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    // `check` does not listen, so the port may be taken.
    let ended = run(COMMANDS, "check", &[("PORT", &port)]);
    check(&ended, 0, "8 routes: nothing wrong\n", "");
    check(
        &run(COMMANDS, "check", &[("WITHOUT_DATA", "1")]),
        1,
        "",
        "\
Error: 1 problem with the routes

a cached route needs app data that is not registered
  GET /news at tests/fixtures/commands.rs:15:1 (crate `commands`)
  `greeting: Data<String>` finds no `web::Data<alloc::string::String>`
  help: register it with `.data(…)` on `Server` or `Routes`, or in their `.configure(…)`; what only \
         your `App` has, cached handlers do not see, as they run in an app of their own
",
    );
    for (name, value, expected) in [
        ("PORT", "http", "a port, from 0 to 65535"),
        ("ROUTE_CDN", "yes", "`true` or `false`"),
        (
            "ROUTE_TAG_HEADER",
            "X-Tags",
            "`Cache-Tag`, `Edge-Cache-Tag`, `Surrogate-Key` or `xkey`",
        ),
        ("ROUTE_LOG_FORMAT", "xml", "`text` or `json`"),
        (
            "RUST_LOG",
            "a=b=c",
            "levels, as in `info` or `warn,route_runtime=debug`",
        ),
    ] {
        let error = format!("Error: {name} is `{value}`\n  help: expected {expected}\n");
        check(&run(COMMANDS, "check", &[(name, value)]), 1, "", &error);
    }
    let colliding = run(COLLIDING, "check", &[]);
    assert_eq!(colliding.code, Some(1));
    let served = run(COLLIDING, "serve", &[]);
    assert_eq!(colliding.stderr, served.stderr);
    assert!(
        colliding
            .stderr
            .starts_with("Error: 5 problems with the routes\n")
    );
}

#[test]
fn check_warns_of_what_is_probably_not_meant_and_passes() {
    check(
        &run(WARNED, "check", &[]),
        0,
        "3 routes: nothing wrong; 3 warnings\n",
        "\
warning: a route that reads app data is cached for ever in production, unless what it fetches says otherwise
  GET /motto at tests/fixtures/warned.rs:8:1 (crate `warned`)
  it has neither `revalidate` nor `tags`
  help: write `revalidate = N` to render it again after N seconds, `tags = […]` to invalidate it, \
         `dynamic = \"force-dynamic\"` to render it for each request, or `revalidate = false` if it \
         is meant to be kept

warning: every path of a route is 404
  GET /blog/[slug] at tests/fixtures/warned.rs:13:1 (crate `warned`)
  its `static_params` gives no path, and `dynamic_params = false` allows no others
  help: give a path, or remove `dynamic_params = false`

warning: every path of a route is 503 as long as its `static_params` fails
  GET /teams/[id] at tests/fixtures/warned.rs:22:1 (crate `warned`)
  it failed: no database
  help: correct it, or ignore this if it needs something that is not there now, such as a database

",
    );
    let listed = run(WARNED, "check", &[("IDS", "1")]);
    assert_eq!(listed.stdout, "3 routes: nothing wrong; 2 warnings\n");
}

#[test]
fn a_server_says_at_start_of_which_routes_every_path_is_404() {
    let environment = [("IDS", "none"), ("PORT", "0"), ("ROUTE_MODE", "production")];
    let mut program = Program::start(WARNED, &[], &environment);
    program.address();
    program.signal("INT");
    let ended = program.end();
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ended.stderr);
    for (line, pattern) in lines.iter().zip(["/blog/[slug]", "/teams/[id]"]) {
        assert!(line.contains(" WARN route_runtime::routes: every path of this route is 404: "));
        assert!(
            line.ends_with(&format!("http.route=\"{pattern}\"")),
            "{line}"
        );
    }
}

#[test]
fn options_override_the_program_which_overrides_the_environment() {
    // Another listener has the address of `BUILT`, and no host has that of `HOST`.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let bound = taken.local_addr().unwrap().to_string();
    let environment = [
        ("BUILT", &*bound),
        ("HOST", "192.0.2.1"),
        ("ROUTE_WORKERS", "2"),
    ];
    let ended = Program::start(COMMANDS, &[], &environment).end();
    let start = format!("Error: cannot listen on {bound}: ");
    assert!(ended.stderr.starts_with(&start), "{}", ended.stderr);
    for arguments in [
        ["--port", "0", "--mode", "production"].as_slice(),
        ["serve", "--mode=production", "--port=0"].as_slice(),
    ] {
        let mut program = Program::start(COMMANDS, arguments, &environment);
        let mut connection = program.connect();
        let news = connection.send(&request("GET", "/news", &[], ""));
        assert_eq!(news.text(), "hello");
        // The program itself chooses development mode, in which nothing is kept.
        let status = news.header("cache-status").unwrap();
        assert!(status.starts_with("route; hit"), "{status}");
    }
    let port = taken.local_addr().unwrap().port().to_string();
    let environment = [("HOST", "192.0.2.1"), ("PORT", &*port)];
    let arguments = ["--host", "127.0.0.1", "--port", "0"];
    let address = Program::start(COMMANDS, &arguments, &environment).address();
    assert!(address.ip().is_loopback());
    assert_ne!(address.port().to_string(), port);
}

#[test]
fn the_log_is_on_stderr_and_has_one_line_for_each_event() {
    let start = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut environment = environment.to_vec();
        environment.extend([("BROKEN", "1"), ("PORT", "0"), ("ROUTE_MODE", "production")]);
        let mut program = Program::start(EXPORTED, arguments, &environment);
        program.address();
        program.signal("INT");
        let ended = program.end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stderr
    };
    let message = "/mood was not rendered ahead: it answered 500 Internal Server Error";
    let text = start(&[], &[]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 1, "{text}");
    assert!(lines[0].contains(" WARN route_runtime::routes: "), "{text}");
    assert!(lines[0].contains(message), "{text}");
    assert!(!text.contains('\x1b'), "{text}");

    for json in [
        start(&["--log-format", "json"], &[("ROUTE_LOG_FORMAT", "text")]),
        start(&[], &[("ROUTE_LOG_FORMAT", "json")]),
    ] {
        let record: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(record["level"], "WARN");
        assert_eq!(record["fields"]["message"], message);
        assert_eq!(record["fields"]["path"], "/mood");
    }
    assert_eq!(start(&[], &[("RUST_LOG", "error")]), "");
}
