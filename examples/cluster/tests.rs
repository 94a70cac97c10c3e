//! Tests of the example as a program: what it prints, what it serves, how it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use actix_web::http::Method;
use actix_web::rt::time::sleep;
use route_runtime::fetch;

/// The running example. Dropping it ends the program and everything that the program has started.
struct Example {
    child: Child,
    output: BufReader<ChildStdout>,
    shown: Vec<String>,
    urls: Vec<String>,
}

impl Example {
    fn start(environment: &[(&str, &str)]) -> Self {
        let mut child = command(environment).spawn().expect("it starts");
        let output = child.stdout.take().expect("it is piped");
        let mut example = Self {
            child,
            output: BufReader::new(output),
            shown: Vec::new(),
            urls: Vec::new(),
        };
        while example.urls.len() < 3 {
            let mut line = String::new();
            let read = example.output.read_line(&mut line).expect("text");
            assert_ne!(read, 0, "it serves: {:?}", example.shown);
            match line.trim_end().strip_prefix("serving ") {
                Some(url) => example.urls.push(url.into()),
                None => example.shown.push(line.trim_end().into()),
            }
        }
        example
    }

    fn cache(&self) -> &str {
        self.shown[0].strip_prefix("one cache: ").expect("its URL")
    }

    fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        kill.args(["-s", name, &self.child.id().to_string()]);
        assert!(kill.status().expect("there is a `kill`").success());
    }

    /// Waits until the program ends. Returns its exit code and its standard error.
    fn end(&mut self) -> (Option<i32>, String) {
        let mut complaint = String::new();
        let mut errors = self.child.stderr.take().expect("it is piped");
        errors.read_to_string(&mut complaint).expect("text");
        (self.child.wait().expect("it is ours").code(), complaint)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // The program still runs only if a test failed before ending it.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal("INT");
            self.child.wait().ok();
        }
    }
}

/// Returns a command for the example, with only `PATH`, free ports and these variables set.
fn command(environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cluster"));
    command.env_clear().env("PORT", "0");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.envs(environment.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn is_open(url: &str) -> bool {
    let (_, address) = url.split_once("://").expect("a URL");
    TcpStream::connect(address).is_ok()
}

async fn get(instance: &str, path: &str) -> String {
    ask(Method::GET, instance, path).await
}

async fn ask(method: Method, instance: &str, path: &str) -> String {
    let asked = fetch(format!("{instance}{path}")).method(method);
    let answer = asked.await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    answer.text().trim_end().into()
}

#[actix_web::test]
async fn one_instance_renders_for_all_and_all_end_with_the_program() {
    let mut example = Example::start(&[]);
    let shown = example.shown.join("\n");
    let count = |what: &str| shown.matches(what).count();
    assert_eq!(count("rust: render 1 of instance 1"), 6, "{shown}");
    assert_eq!(count("route; fwd=miss; stored"), 1, "{shown}");
    assert_eq!(count("invalidated by instance 2"), 1, "{shown}");
    assert_eq!(count("rust: render 1 of instance 2"), 3, "{shown}");
    for rendered in ["instance 1 rendered 1", "instance 2 rendered 1"] {
        assert_eq!(count(rendered), 1, "{shown}");
    }
    assert_eq!(count("instance 3 rendered 0"), 1, "{shown}");

    // The instances continue to serve.
    let [first, second, third] = &example.urls[..] else {
        panic!("three instances")
    };
    for (number, url) in (1..).zip([first, second, third]) {
        assert_eq!(get(url, "/name").await, format!("instance {number}"));
    }
    let old = get(third, "/news/music").await;
    assert_eq!(old, "music: render 1 of instance 3");
    assert_eq!(get(first, "/news/music").await, old);
    ask(Method::POST, first, "/news").await;
    let deadline = Instant::now() + Duration::from_secs(30);
    while get(second, "/news/music").await == old {
        assert!(Instant::now() < deadline, "it is seen");
        sleep(Duration::from_millis(20)).await;
    }

    let redis = example.cache().to_owned();
    assert!(is_open(&redis));
    example.signal("INT");
    assert_eq!(example.end(), (Some(0), String::new()));
    for url in example.urls.iter().chain([&redis]) {
        assert!(!is_open(url), "{url} has ended");
    }
}

#[actix_web::test]
async fn a_redis_that_the_example_did_not_start_is_left_running() {
    let first = Example::start(&[]);
    let mut second = Example::start(&[("ROUTE_CACHE_URL", first.cache())]);
    assert_eq!(second.cache(), "that of ROUTE_CACHE_URL");
    // Clusters share invalidations. They share no responses: each cluster is a build of its own.
    let renders = |it: &Example| it.shown.join("\n").matches("fwd=miss; stored").count();
    assert_eq!((renders(&first), renders(&second)), (1, 1));
    let deadline = Instant::now() + Duration::from_secs(30);
    while get(&first.urls[0], "/news/rust").await != "rust: render 2 of instance 1" {
        assert!(Instant::now() < deadline, "it is heard");
        sleep(Duration::from_millis(20)).await;
    }
    second.signal("TERM");
    assert_eq!(second.end(), (Some(0), String::new()));
    assert!(is_open(first.cache()));
    assert!(!is_open(&second.urls[0]));
}

#[test]
fn the_example_fails_when_its_redis_ends() {
    let mut example = Example::start(&[]);
    let (_, redis) = example.cache().split_once("://").expect("a URL");
    let mut redis = TcpStream::connect(redis).expect("it listens");
    redis.write_all(b"SHUTDOWN NOSAVE\r\n").expect("it is open");
    let (code, complaint) = example.end();
    assert_eq!(code, Some(1));
    let end = "cluster: redis-server has ended: exit status: 0\n";
    assert!(complaint.ends_with(end), "{complaint}");
    assert!(example.urls.iter().all(|url| !is_open(url)));
}

#[test]
fn a_missing_redis_and_invalid_settings_are_reported() {
    for (environment, expected) in [
        (
            [("PATH", "/nowhere")],
            "cluster: there is no `redis-server`: install Redis (`apt install redis-server`, \
             `brew install redis`), or name one that runs in ROUTE_CACHE_URL\n",
        ),
        ([("PORT", "http")], "cluster: PORT is `http`\n"),
        (
            [("ROUTE_CACHE_URL", "nonsense")],
            "cluster: instance 1 does not serve\n",
        ),
    ] {
        let ended = command(&environment).output().expect("it starts");
        let complaint = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1));
        assert!(complaint.ends_with(expected), "{complaint}");
    }
}
