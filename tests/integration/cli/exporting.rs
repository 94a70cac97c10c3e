//! The command `export`.

use std::fs;
use std::net::TcpListener;

use super::{COMMANDS, Directory, EXPORTED, check};

const DONE: &str = "7 files and 1 redirect in `site`; 1 path without a file, for 404\n";

const FILES: [&str; 10] = [
    "site/.route-export",
    "site/_headers",
    "site/_redirects",
    "site/api/time/index.json",
    "site/blog/a/b c/index.html",
    "site/blog/a/index.html",
    "site/blog/é/index.html",
    "site/index.html",
    "site/mood/index.bin",
    "site/robots.txt/index.txt",
];

#[test]
fn export_writes_the_responses_headers_and_redirects_of_the_routes() {
    let scratch = Directory::new("export");
    // `export` renders in production mode, whatever the environment says, and needs no port.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let environment = [("ROUTE_MODE", "development"), ("PORT", &*port)];
    let ended = scratch.run(EXPORTED, "export site", &environment);
    check(&ended, 0, DONE, "");
    assert_eq!(scratch.files("site"), FILES);
    assert_eq!(scratch.files(""), FILES, "nothing is left beside it");
    for (file, content) in [
        ("site/index.html", "<h1>Home</h1>"),
        ("site/blog/a/b c/index.html", "<h1>a, b c</h1>"),
        ("site/api/time/index.json", "7"),
        ("site/robots.txt/index.txt", "User-agent: *\n"),
        (
            "site/_headers",
            "\
/
  content-type: text/html; charset=utf-8
/api/time
  content-type: application/json
/blog/%C3%A9
  content-type: text/html; charset=utf-8
/blog/a
  content-type: text/html; charset=utf-8
/blog/a/b%20c
  content-type: text/html; charset=utf-8
/robots.txt
  cache-control: max-age=60
  content-type: text/plain
  x-robots: welcome
",
        ),
        (
            "site/_redirects",
            "\
/api/time /api/time/index.json 200
/mood /mood/index.bin 200
/old /blog/a 308
/robots.txt /robots.txt/index.txt 200
",
        ),
    ] {
        assert_eq!(scratch.read(file), content, "{file}");
    }
}

#[test]
fn export_says_which_routes_have_no_file_because_they_list_no_path() {
    let scratch = Directory::new("export-empty");
    let ended = scratch.run(EXPORTED, "export site", &[("EMPTY", "1")]);
    let done = "4 files and 1 redirect in `site`; 1 path without a file, for 404\n";
    let said = "every path is 404, because `static_params` gives none: /blog/[...slug]\n";
    check(&ended, 0, done, said);
}

#[test]
fn export_replaces_an_earlier_export_and_nothing_else() {
    let scratch = Directory::new("export-again");
    fs::create_dir(scratch.join("site")).unwrap();
    for _ in 0..2 {
        check(&scratch.run(EXPORTED, "export site", &[]), 0, DONE, "");
        assert_eq!(scratch.files(""), FILES);
        // The next export removes this file.
        fs::write(scratch.join("site/old"), "").unwrap();
    }

    fs::remove_file(scratch.join("site/.route-export")).unwrap();
    let before = scratch.files("");
    let refused = |directory: &str, why: &str| {
        let ended = scratch.run(EXPORTED, &format!("export {directory}"), &[]);
        let stderr = format!(
            "Error: `{directory}` is not replaced by an export: {why}\n  help: name a directory \
             that is empty or that there is not yet; `--force` replaces what no export has \
             written\n"
        );
        check(&ended, 1, "", &stderr);
        assert_eq!(scratch.files(""), before);
    };
    refused("site", "it holds what no export has written");
    refused("site/index.html", "it is a file");
    refused(".", "the program runs in it");
    let ended = scratch.run(EXPORTED, "export --force ..", &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(scratch.files(""), before);

    check(
        &scratch.run(EXPORTED, "export --force site", &[]),
        0,
        DONE,
        "",
    );
    assert_eq!(scratch.files(""), FILES);
}

const REFUSED: &str = "\
has a `wrap`, which does not run before a file is read
  GET /guarded at tests/fixtures/commands.rs:49:1 (crate `commands`)
  help: let a program serve it, or remove `wrap` if everyone may read it

rendered for each request: reads the request: `req: HttpRequest`
  GET /search at tests/fixtures/commands.rs:34:1 (crate `commands`)
  help: let a program serve it, or remove the argument

has parameters that nothing lists
  GET /stock/[name] at tests/fixtures/commands.rs:29:1 (crate `commands`)
  help: list the parameters: `static_params = …, dynamic_params = false`

rendered for each request: POST at tests/fixtures/commands.rs:44
  GET /votes at tests/fixtures/commands.rs:39:1 (crate `commands`)
  help: let a program serve it, or write `revalidate = false` if the other method changes nothing of it

answers POST, and a file is only read
  POST /votes at tests/fixtures/commands.rs:44:1 (crate `commands`)
  help: let a program serve it
";

#[test]
fn routes_that_cannot_be_exported_are_listed_or_left_out() {
    let scratch = Directory::new("export-refused");
    let stderr = format!(
        "Error: 5 problems keep the routes from being exported\n\n{REFUSED}\nhelp: `--partial` \
         leaves these out and exports the others\n"
    );
    check(&scratch.run(COMMANDS, "export site", &[]), 1, "", &stderr);
    assert_eq!(scratch.files(""), [""; 0]);

    let ended = scratch.run(COMMANDS, "export --partial site", &[]);
    let left_out: String = REFUSED
        .split("\n\n")
        .map(|refusal| format!("left out: {}\n\n", refusal.trim_end()))
        .collect();
    let stdout = "4 files and 0 redirects in `site`; 5 left out\n";
    check(&ended, 0, stdout, &left_out);
    let files = [
        "site/.route-export",
        "site/_headers",
        "site/_redirects",
        "site/index.html",
        "site/news/index.txt",
        "site/posts/1/index.txt",
        "site/posts/2/index.txt",
    ];
    assert_eq!(scratch.files(""), files);

    let ended = scratch.run(COMMANDS, "export site", &[("WITHOUT_DATA", "1")]);
    assert_eq!(ended.code, Some(1));
    let first = "Error: 1 problem with the routes\n\na cached route needs app data";
    assert!(ended.stderr.starts_with(first), "{ended:?}");
    assert_eq!(scratch.files(""), files, "the earlier export stays");
}

#[test]
fn hostile_paths_and_failing_renders_write_nothing() {
    let scratch = Directory::new("export-hostile");
    let ended = scratch.run(EXPORTED, "export inner/site", &[("BROKEN", "1")]);
    check(
        &ended,
        1,
        "",
        "\
Error: 4 problems keep the routes from being exported

it differs from `/blog/A` in upper and lower case only
  /blog/a
  GET /blog/[...slug] at tests/fixtures/exported.rs:22:1 (crate `exported`)
  help: give it another path

`nul\\0` has a control character in it
  /blog/nul%00
  GET /blog/[...slug] at tests/fixtures/exported.rs:22:1 (crate `exported`)
  help: give it another path

`x/../../../../evil` has a slash in it
  /blog/x%2F..%2F..%2F..%2F..%2Fevil
  GET /blog/[...slug] at tests/fixtures/exported.rs:22:1 (crate `exported`)
  help: give it another path

it answers 500 Internal Server Error, and a file is answered with 200
  /mood
  GET /mood at tests/fixtures/exported.rs:64:1 (crate `exported`)
  help: correct what fails, or let a program serve it

help: `--partial` leaves these out and exports the others
",
    );
    assert_eq!(scratch.files(""), [""; 0]);
}
