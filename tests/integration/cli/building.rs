//! The commands `build` and `start`.

use std::fs;
use std::net::TcpListener;

use tests::{Program, request};

use super::{BUILT, Directory, Ended, WARNED, check};

/// A program that serves what it, or an earlier run, has rendered into a directory.
struct Started(Program);

fn start(scratch: &Directory, arguments: &str, environment: &[(&str, &str)]) -> Started {
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    let environment: Vec<_> = [("PORT", "0")].iter().chain(environment).copied().collect();
    let directory = scratch.path();
    Started(Program::start_in(
        directory,
        BUILT,
        &arguments,
        &environment,
    ))
}

impl Started {
    /// Sends these requests, stops the program, and returns the bodies and how it ended.
    fn asked<const N: usize>(mut self, asked: [&str; N]) -> ([String; N], Ended) {
        let mut connection = self.0.connect();
        let answers = asked.map(|asked| {
            let (method, target) = asked.split_once(' ').unwrap();
            let answer = connection.send(&request(method, target, &[], ""));
            answer.text().to_owned()
        });
        drop(connection);
        self.0.signal("TERM");
        (answers, self.0.end())
    }
}

const DONE: &str = "4 responses in `.route/cache`\n";
const LEFT: &str = "\
left to each request, whose own its response is: /cookie
left to the start, because of `store = false`: /own
";

#[test]
fn start_serves_what_build_has_rendered() {
    let scratch = Directory::new("build");
    // `build` renders in production mode, whatever the environment says, and needs no port.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let environment = [("ROUTE_MODE", "development"), ("PORT", &*port)];
    let built = scratch.run(BUILT, "build", &environment);
    check(&built, 0, DONE, LEFT);

    let all = [
        "GET /rendered",
        "GET /each/1",
        "GET /each/2",
        "GET /data",
        "GET /own",
    ];
    let ([rendered, one, two, data, own], ended) = start(&scratch, "start", &[]).asked(all);
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("/cookie was not rendered ahead"));
    assert!(ended.stdout.contains("/rendered"), "{}", ended.stdout);
    assert_eq!(
        (one, two),
        (format!("1 {rendered}"), format!("2 {rendered}"))
    );
    assert_ne!(
        data, rendered,
        "it was called first by the one that started"
    );
    assert_eq!(own, data, "it stays out of the files");

    // The next run knows what one run has invalidated, and what it has rendered since.
    let asked = [
        "POST /invalidate/rendered",
        "GET /rendered",
        "GET /each/1",
        "GET /data",
    ];
    let ([_, anew, still, data_again], _) = start(&scratch, "start", &[]).asked(asked);
    assert_ne!(anew, rendered);
    assert_eq!((still, &data_again), (format!("1 {rendered}"), &data));
    let ([last, ..], _) = start(&scratch, "start", &[]).asked(all);
    assert_eq!(last, anew);

    // A second build renders everything again, except data, which has a lifetime of its own.
    check(&scratch.run(BUILT, "build", &[]), 0, DONE, LEFT);
    let ([again, _, _, data_still, _], _) = start(&scratch, "start", &[]).asked(all);
    assert!(![&rendered, &anew].contains(&&again));
    assert_eq!(data_still, data);
}

#[test]
fn start_serves_nothing_that_another_program_built() {
    let scratch = Directory::new("build-other");
    let ([rendered], ended) = start(&scratch, "start", &[]).asked(["GET /rendered"]);
    assert!(
        ended.stderr.contains("nothing is built in `.route/cache`"),
        "{}",
        ended.stderr
    );
    let other = [("ROUTE_BUILD_ID", "other")];
    check(&scratch.run(BUILT, "build", &other), 0, DONE, LEFT);
    let ([served], ended) = start(&scratch, "start", &[]).asked(["GET /rendered"]);
    assert!(
        ended.stderr.contains("was built by another program"),
        "{}",
        ended.stderr
    );
    assert_eq!(served, rendered, "it finds what it has left itself");
}

#[test]
fn build_says_of_which_routes_every_path_is_404() {
    let scratch = Directory::new("build-empty");
    let ended = scratch.run(WARNED, "build", &[("IDS", "none")]);
    let said = "\
every path is 404, because `static_params` gives none: /blog/[slug]
every path is 404, because `static_params` gives none: /teams/[id]
";
    check(&ended, 0, "1 response in `.route/cache`\n", said);
}

#[test]
fn a_failed_render_fails_the_build() {
    let scratch = Directory::new("build-fails");
    let ended = scratch.run(BUILT, "build", &[("BROKEN", "1")]);
    let error = "\
Error: 1 path could not be rendered
  /fails: it answered 418 I'm a teapot
";
    check(&ended, 1, "", error);
    assert!(!scratch.join(".route/cache/build.json").exists());
}

#[test]
fn build_start_and_serve_accept_another_directory() {
    let scratch = Directory::new("build-out");
    let ended = scratch.run(BUILT, "build --out left", &[("ROUTE_CACHE_DIR", "unused")]);
    check(&ended, 0, "4 responses in `left`\n", LEFT);
    let asked = ["GET /rendered"];
    let ([rendered], _) = start(&scratch, "start --cache-dir left", &[]).asked(asked);
    let environment = [("ROUTE_CACHE_DIR", "left"), ("ROUTE_MODE", "production")];
    // `serve` uses the responses too, if it is told the directory.
    let ([served], _) = start(&scratch, "serve", &environment).asked(asked);
    assert_eq!(served, rendered);

    fs::write(scratch.join("file"), "").unwrap();
    let ended = scratch.run(BUILT, "build --out file/below", &[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(
        ended
            .stderr
            .contains("Error: `file/below` cannot be used for files")
    );
}

#[test]
fn a_directory_and_a_url_of_a_store_exclude_each_other() {
    let scratch = Directory::new("build-store");
    let both = [
        ("ROUTE_CACHE_DIR", "a"),
        ("ROUTE_CACHE_URL", "redis://me:secret@b"),
    ];
    for command in ["serve", "start", "check"] {
        let ended = scratch.run(BUILT, command, &both);
        let error = "\
Error: the cache's store cannot be used: ROUTE_CACHE_DIR is `a` and ROUTE_CACHE_URL is \
`redis://…@b`, and there can be only one
  help: unset one of them
";
        check(&ended, 1, "", error);
    }
    let ended = scratch.run(BUILT, "serve --cache-dir a --cache-url redis://b", &[]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("cannot be used with"),
        "{}",
        ended.stderr
    );
    // `check` finds what keeps the program from serving, without connecting to anything.
    let (url, error) = if cfg!(feature = "redis") {
        ("redis:me:secret@b", "this is no URL of a Redis server")
    } else {
        (
            "redis://me:secret@b",
            "the cache's store cannot be used: `--cache-url` is `redis://…@b`, and this program is \
             built without Redis\n  help: build it with the feature `redis`",
        )
    };
    for command in ["serve", "start", "check"] {
        let ended = scratch.run(BUILT, &format!("{command} --cache-url {url}"), &[]);
        assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{command}");
        assert!(ended.stderr.contains(error), "{}", ended.stderr);
        assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
    }
    if cfg!(not(feature = "redis")) {
        let ended = scratch.run(BUILT, "check", &[("ROUTE_CACHE_URL", url)]);
        let named = "ROUTE_CACHE_URL is `redis://…@b`, and this program";
        assert!(ended.stderr.contains(named), "{}", ended.stderr);
    }
    if cfg!(feature = "redis") {
        for url in [
            "redis://nobody.invalid",
            "rediss-cluster://nobody.invalid,nobody.invalid:7",
            "redis-sentinel://nobody.invalid/main/1",
        ] {
            let ended = scratch.run(BUILT, &format!("check --cache-url {url}"), &[]);
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        }
    }
}

#[test]
fn a_cache_directory_that_cannot_work_is_refused() {
    let scratch = Directory::new("build-unusable");
    fs::write(scratch.join("file"), "").unwrap();
    let error = "\
Error: the cache's store cannot be used: no files can be kept in `file`: Not a directory (os error 20)
  help: name a directory that can be written, with `--cache-dir` or ROUTE_CACHE_DIR
";
    for command in ["serve", "start", "check"] {
        let typed = format!("{command} --cache-dir file");
        let typed = scratch.run(BUILT, &typed, &[]);
        let told = scratch.run(BUILT, command, &[("ROUTE_CACHE_DIR", "file")]);
        for ended in [typed, told] {
            assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{command}");
            assert!(ended.stderr.ends_with(error), "{}", ended.stderr);
        }
    }
    let ended = scratch.run(BUILT, "check --cache-dir not/there", &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!scratch.join("not").exists(), "it only looks");
}

#[test]
fn the_command_revalidate_reaches_what_start_serves() {
    let scratch = Directory::new("build-revalidate");
    let refused = scratch.run(BUILT, "revalidate --tag any", &[]);
    assert_eq!((refused.code, &*refused.stdout), (Some(1), ""));
    assert!(
        refused
            .stderr
            .contains("help: name the directory or the Redis that the server has"),
        "{}",
        refused.stderr
    );
    check(&scratch.run(BUILT, "build", &[]), 0, DONE, LEFT);
    let all = ["GET /rendered", "GET /each/1"];
    let (before, _) = start(&scratch, "start", &[]).asked(all);
    check(
        &scratch.run(BUILT, "revalidate --path /rendered", &[]),
        0,
        "path `/rendered` is invalidated\n",
        "",
    );
    let (after, _) = start(&scratch, "start", &[]).asked(all);
    assert_ne!(after[0], before[0]);
    assert_eq!(after[1], before[1]);

    let stale = scratch.run(
        BUILT,
        "revalidate --pattern /each/[id] --tag any --stale",
        &[],
    );
    check(
        &stale,
        0,
        "tag `any` is stale\npattern `/each/[id]` is stale\n",
        "",
    );
    let unknown = scratch.run(BUILT, "revalidate --path /nowhere", &[]);
    check(&unknown, 1, "", "Error: no route has the path `/nowhere`\n");
    let nothing = scratch.run(BUILT, "revalidate", &[]);
    assert_eq!(nothing.code, Some(2), "{}", nothing.stderr);
    let useless = scratch.run(BUILT, "revalidate --tag any --port 1", &[]);
    assert_eq!(useless.code, Some(2), "{}", useless.stderr);
}

#[test]
fn the_command_revalidate_invalidates_everything_that_it_names_or_nothing() {
    let scratch = Directory::new("build-revalidate-all");
    check(&scratch.run(BUILT, "build", &[]), 0, DONE, LEFT);
    let all = ["GET /rendered", "GET /each/1"];
    let (before, _) = start(&scratch, "start", &[]).asked(all);
    let refused = "revalidate --tag rendered --path /each/1 --path /nowhere";
    let error = "Error: no route has the path `/nowhere`\n";
    check(&scratch.run(BUILT, refused, &[]), 1, "", error);
    let (still, _) = start(&scratch, "start", &[]).asked(all);
    assert_eq!(still, before);

    let ended = scratch.run(BUILT, "revalidate --tag rendered --path /each/1", &[]);
    let done = "tag `rendered` is invalidated\npath `/each/1` is invalidated\n";
    check(&ended, 0, done, "");
    let (after, _) = start(&scratch, "start", &[]).asked(all);
    assert_ne!(after[0], before[0]);
    assert_ne!(after[1], before[1]);
}
