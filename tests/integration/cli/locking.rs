//! The commands `lock` and `check --locked`.

use std::fs;

use super::{COMMANDS, Directory, check};

const LOCK: &str = "\
# How each route is rendered: `lock` writes it, `check --locked` compares it.
version 2
GET / cached revalidate=never # reads nothing of the request
GET /guarded cached revalidate=never wrap=guard # reads nothing of the request
GET /news cached revalidate=10 expire=60 tag=news # `revalidate = 10`
GET /posts/[id] cached revalidate=never tag=post:{id} # `static_params`
GET /search dynamic # reads the request: `req: HttpRequest`
GET /stock/[name] cached revalidate=never # `revalidate = false`
GET /votes dynamic # POST beside it
POST /votes dynamic # answers POST
";

#[test]
fn check_passes_while_the_routes_are_as_they_were_locked() {
    let scratch = Directory::new("lock");
    let ended = scratch.run(COMMANDS, "lock", &[]);
    check(&ended, 0, "8 routes in `routes.lock`\n", "");
    assert_eq!(scratch.read("routes.lock"), LOCK);
    let ended = scratch.run(COMMANDS, "check --locked", &[]);
    let same = "8 routes: nothing wrong, and as in `routes.lock`\n";
    check(&ended, 0, same, "");

    // Neither the mode nor the reason for how a route is rendered is compared.
    let reworded = LOCK.replace("`req: HttpRequest`", "`request: HttpRequest`");
    fs::write(scratch.join("routes.lock"), reworded.replace('\n', "\r\n")).unwrap();
    let ended = scratch.run(COMMANDS, "check --locked --mode production", &[]);
    check(&ended, 0, same, "");

    let ended = scratch.run(
        COMMANDS,
        "lock --file other.lock",
        &[("BUILT", "127.0.0.1:0")],
    );
    check(&ended, 0, "8 routes in `other.lock`\n", "");
    assert_eq!(scratch.read("other.lock"), LOCK);
    let ended = scratch.run(COMMANDS, "check --locked --file other.lock", &[]);
    assert_eq!(ended.code, Some(0));
    assert_eq!(scratch.files(""), ["other.lock", "routes.lock"]);
}

#[test]
fn each_kind_of_difference_is_quoted_with_its_cause() {
    let scratch = Directory::new("lock-differs");
    let differs = |old: &str, new: &str, expected: &str| {
        assert!(LOCK.contains(old), "{old}");
        fs::write(scratch.join("routes.lock"), LOCK.replace(old, new)).unwrap();
        let ended = scratch.run(COMMANDS, "check --locked", &[]);
        let stderr = format!(
            "Error: 1 route is not as it was locked\n\n{expected}\n\nhelp: if that is meant, run \
             `lock` and commit what it writes\n"
        );
        check(&ended, 1, "", &stderr);
    };
    // A cached route has become dynamic.
    differs(
        "GET /search dynamic # reads the request: `req: HttpRequest`",
        "GET /search cached revalidate=never # reads nothing of the request",
        "a route has changed
  - GET /search cached revalidate=never # reads nothing of the request
  + GET /search dynamic # reads the request: `req: HttpRequest`
  dynamic, because: reads the request: `req: HttpRequest`
  GET /search at tests/fixtures/commands.rs:34:1 (crate `commands`)",
    );
    // A cached route has become dynamic because of a declaration elsewhere.
    differs(
        "GET /votes dynamic",
        "GET /votes cached revalidate=never",
        "a route has changed
  - GET /votes cached revalidate=never # POST beside it
  + GET /votes dynamic # POST beside it
  dynamic, because: POST at tests/fixtures/commands.rs:44
  GET /votes at tests/fixtures/commands.rs:39:1 (crate `commands`)",
    );
    // A dynamic route has become cached.
    differs(
        "GET / cached revalidate=never # reads nothing of the request",
        "GET / dynamic # `revalidate = 0`",
        "a route has changed
  - GET / dynamic # `revalidate = 0`
  + GET / cached revalidate=never # reads nothing of the request
  cached, because: reads nothing of the request
  GET / at tests/fixtures/commands.rs:10:1 (crate `commands`)",
    );
    for (new, old) in [
        ("revalidate=10", "revalidate=20"),
        ("revalidate=10", "revalidate=never"),
        (" expire=60", " expire=61"),
        (" expire=60", ""),
        (" tag=news", ""),
        (" tag=news", " tag=posts"),
    ] {
        let line = "GET /news cached revalidate=10 expire=60 tag=news # `revalidate = 10`";
        let before = line.replacen(new, old, 1);
        differs(
            line,
            &before,
            &format!(
                "a route has changed
  - {before}
  + {line}
  cached, because: `revalidate = 10`
  GET /news at tests/fixtures/commands.rs:15:1 (crate `commands`)"
            ),
        );
    }
    differs(
        "POST /votes dynamic # answers POST\n",
        "",
        "a route is new
  + POST /votes dynamic # answers POST
  dynamic, because: answers POST
  POST /votes at tests/fixtures/commands.rs:44:1 (crate `commands`)",
    );
    differs(
        "POST /votes",
        "PUT /votes dynamic # answers PUT\nPOST /votes",
        "a route is gone\n  - PUT /votes dynamic # answers PUT",
    );
}

#[test]
fn every_difference_is_listed() {
    let scratch = Directory::new("lock-empty");
    fs::write(scratch.join("routes.lock"), "version 2\nGET /a dynamic\n").unwrap();
    let ended = scratch.run(COMMANDS, "check --locked", &[]);
    assert_eq!(ended.code, Some(1));
    let first = "Error: 9 routes are not as they were locked\n";
    assert!(ended.stderr.starts_with(first), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("a route is new\n").count(), 8);
}

#[test]
fn a_lock_that_cannot_be_used_is_an_error_that_says_why() {
    let scratch = Directory::new("lock-unusable");
    check(
        &scratch.run(COMMANDS, "check --locked", &[]),
        1,
        "",
        "Error: cannot read `routes.lock`: No such file or directory (os error 2)\n  help: run \
         `lock` to write it\n",
    );
    let text = LOCK.replace("GET /news", "<<<<<<< ours\nGET /news");
    fs::write(scratch.join("routes.lock"), text).unwrap();
    check(
        &scratch.run(COMMANDS, "check --locked", &[]),
        1,
        "",
        "Error: line 5 of the lock of the routes is no route: `<<<<<<< ours`\n  help: run `lock` \
         to write it anew\n",
    );
    fs::write(scratch.join("routes.lock"), "version 1\n").unwrap();
    check(
        &scratch.run(COMMANDS, "check --locked", &[]),
        1,
        "",
        "Error: the lock of the routes starts with `version 1`\n  help: expected `version 2`; run \
         `lock` to write it anew\n",
    );
    check(
        &scratch.run(COMMANDS, "lock --file none/routes.lock", &[]),
        1,
        "",
        "Error: cannot write `none/routes.lock`: No such file or directory (os error 2)\n",
    );
}
