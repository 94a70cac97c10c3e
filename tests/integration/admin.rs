//! The admin listener: what operators may ask of a running program, and how it starts and ends.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tests::{Connection, Program, Response, request};

mod hostile;
mod starting;
mod stopping;

const OPERATED: &str = env!("CARGO_BIN_EXE_operated");

const SECRET: &str = "0123456789abcdef-for-operators";

/// A program that has started, with its two addresses.
struct Operated {
    program: Program,
    clients: SocketAddr,
    operators: SocketAddr,
}

impl Operated {
    /// Starts a program in production, with a secret for operators, and with this in its
    /// environment.
    fn start(environment: &[(&str, &str)]) -> Self {
        let secret = ("ROUTE_ADMIN_SECRET", SECRET);
        let environment: Vec<_> = [secret].iter().chain(environment).copied().collect();
        Self::start_without_secret(&environment)
    }

    fn start_without_secret(environment: &[(&str, &str)]) -> Self {
        let always = [
            ("ROUTE_ADMIN", "127.0.0.1:0"),
            ("ROUTE_MODE", "production"),
            ("ROUTE_WORKERS", "1"),
            ("PORT", "0"),
        ];
        let environment: Vec<_> = always.iter().chain(environment).copied().collect();
        Self::of(Program::start(OPERATED, &[], &environment))
    }

    fn of(mut program: Program) -> Self {
        let clients = program.address();
        let operators = program.admin_address();
        Self {
            program,
            clients,
            operators,
        }
    }

    /// Sends a client's request.
    fn get(&self, path: &str) -> Response {
        Connection::open(self.clients).send(&request("GET", path, &[], ""))
    }

    /// Sends an operator's request.
    #[track_caller]
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let request = request(method, path, headers, body);
        let answer = Connection::open(self.operators).send(&request);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-app"), None);
        if answer.status != 200 {
            let content_type = answer.header("content-type");
            assert_eq!(content_type, Some("application/problem+json"));
        }
        answer
    }

    /// Asks for an invalidation, with the secret.
    #[track_caller]
    fn revalidate(&self, body: impl ToString) -> Response {
        let bearer = bearer();
        let headers = [
            ("Authorization", &*bearer),
            ("Content-Type", "application/json"),
        ];
        self.ask("POST", "/revalidate", &headers, &body.to_string())
    }
}

fn bearer() -> String {
    format!("Bearer {SECRET}")
}

fn detail(answer: &Response) -> String {
    let problem: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(problem["status"], answer.status);
    problem["detail"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn tags_paths_and_patterns_are_invalidated_before_the_response() {
    let operated = Operated::start(&[]);
    let both = || ["/posts/7", "/posts/8"].map(|path| operated.get(path).text().to_owned());
    let mut before = both();
    assert_eq!(both(), before, "they are kept");
    for (body, changes_both) in [
        (json!({ "paths": ["/posts/7"] }), false),
        (json!({ "tags": ["posts"] }), true),
        (json!({ "patterns": ["/posts/[id]"] }), true),
        (
            json!({ "paths": ["/posts/7", "/posts/8", "/posts/7"] }),
            true,
        ),
        (
            json!({ "tags": ["nobody's"], "paths": ["/posts/7"], "stale": false }),
            false,
        ),
    ] {
        let answer = operated.revalidate(&body);
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let mut expected = json!({ "tags": [], "paths": [], "patterns": [], "stale": false });
        let named = body.as_object().unwrap().clone();
        expected.as_object_mut().unwrap().extend(named);
        let done: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(done, expected);

        let after = both();
        assert_ne!(after[0], before[0], "{body}");
        assert_eq!(after[1] != before[1], changes_both, "{body}");
        before = after;
    }
}

#[test]
fn stale_content_is_served_once_more() {
    let operated = Operated::start(&[]);
    let before = operated.get("/posts/7");
    let answer = operated.revalidate(r#" {"tags":["posts"],"stale":true} "#);
    assert_eq!(answer.status, 200);
    let done = r#"{"tags":["posts"],"paths":[],"patterns":[],"stale":true}"#;
    assert_eq!(answer.text(), done);
    let after = operated.get("/posts/7");
    assert_eq!(after.text(), before.text());
    assert!(
        after.cache_status().contains("hit; ttl=-"),
        "{}",
        after.cache_status()
    );
}

#[test]
fn a_wrong_name_is_refused_and_nothing_is_invalidated() {
    let operated = Operated::start(&[]);
    let before = operated.get("/posts/7");
    for (body, why) in [
        (
            json!({ "tags": ["posts"], "paths": ["/nowhere"] }),
            "no route has the path `/nowhere`",
        ),
        (
            json!({ "tags": ["posts"], "paths": ["/posts/7", "posts/7"] }),
            "a path begins with a slash",
        ),
        (
            json!({ "tags": ["posts"], "paths": ["/posts/[id]"] }),
            "is a pattern and not a path",
        ),
        (
            json!({ "tags": ["posts"], "paths": ["/pinned/2"] }),
            "is always 404",
        ),
        (
            json!({ "tags": ["posts"], "patterns": ["/posts/[slug]"] }),
            "no route is declared with the pattern `/posts/[slug]`",
        ),
        (
            json!({ "tags": ["posts"], "patterns": ["/posts/7"] }),
            "is a path and not a pattern",
        ),
        (json!({ "tags": ["posts", ""] }), "is no tag"),
        (json!({ "tags": ["posts", "a\nb"] }), "is no tag"),
    ] {
        let answer = operated.revalidate(&body);
        assert_eq!(answer.status, 400, "{body}");
        assert!(detail(&answer).contains(why), "{}", answer.text());
    }
    assert_eq!(operated.get("/posts/7").text(), before.text());
}

#[test]
fn a_body_that_cannot_be_used_is_refused_with_what_is_expected() {
    let operated = Operated::start(&[]);
    let before = operated.get("/posts/7");
    let expected = "; expected a JSON object that names what to invalidate, such as \
        {\"tags\":[\"posts\"],\"paths\":[\"/posts/7\"],\"patterns\":[\"/posts/[id]\"],\"stale\":false}";
    for (body, why) in [
        ("", "the body is no JSON object"),
        ("null", "the body is no JSON object"),
        ("\"posts\"", "the body is no JSON object"),
        (r#"["posts"]"#, "the body is no JSON object"),
        (r#"[["posts"],[],[],false]"#, "the body is no JSON object"),
        ("{}", "the body names nothing"),
        (r#"{"stale":true}"#, "the body names nothing"),
        (r#"{"tags":[],"paths":[]}"#, "the body names nothing"),
        (r#"{"tag":["posts"]}"#, "unknown field `tag`"),
        (r#"{"tags":["posts"],"all":true}"#, "unknown field `all`"),
        (
            r#"{"tags":["posts"],"tags":["a"]}"#,
            "duplicate field `tags`",
        ),
        (r#"{"tags":"posts"}"#, "invalid type: string \"posts\""),
        (r#"{"tags":[7]}"#, "invalid type: integer `7`"),
        (r#"{"tags":null}"#, "invalid type: null"),
        (r#"{"tags":["posts"],"stale":"no"}"#, "expected a boolean"),
        (r#"{"tags":["posts"]"#, "EOF while parsing"),
        (r#"{"tags":["posts"]}}"#, "trailing characters"),
        ("tags=posts", "the body is no JSON object"),
    ] {
        let answer = operated.revalidate(body);
        assert_eq!(answer.status, 400, "{body}");
        let detail = detail(&answer);
        assert!(detail.contains(why), "{body}: {detail}");
        assert!(detail.ends_with(expected), "{body}: {detail}");
    }
    assert_eq!(operated.get("/posts/7").text(), before.text());
}

#[test]
fn only_the_secret_authorises_an_invalidation() {
    let operated = Operated::start(&[]);
    let before = operated.get("/posts/7");
    let ask = |authorization: &[&str]| {
        let headers = authorization.iter().map(|value| ("Authorization", *value));
        let headers: Vec<_> = headers
            .chain([("Content-Type", "application/json")])
            .collect();
        operated.ask("POST", "/revalidate", &headers, r#"{"tags":["posts"]}"#)
    };
    for wrong in [
        &[][..],
        &[""],
        &["Bearer"],
        &["Bearer another-secret-of-the-same-length"],
        &[SECRET],
        &[&format!("Basic {SECRET}")],
        &[&bearer()[..bearer().len() - 1]],
        &[&format!("{}0", bearer())],
        &[&bearer(), &bearer()],
        &["Bearer wrong", &bearer()],
    ] {
        let answer = ask(wrong);
        assert_eq!(answer.status, 401, "{wrong:?}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert!(!answer.text().contains("operators"), "{}", answer.text());
    }
    // Whoever is not authorised learns nothing of the body.
    let answer = operated.ask("POST", "/revalidate", &[], "nonsense");
    assert_eq!(answer.status, 401);
    assert_eq!(operated.get("/posts/7").text(), before.text());
    assert_eq!(ask(&[&format!("bearer  {SECRET}")]).status, 200);
    assert_ne!(operated.get("/posts/7").text(), before.text());
}

#[test]
fn without_a_secret_nothing_can_be_invalidated() {
    for secret in [None, Some(""), Some(" \n")] {
        let secret = secret.map(|secret| ("ROUTE_ADMIN_SECRET", secret));
        let operated = Operated::start_without_secret(secret.as_slice());
        for bearer in ["Bearer", "Bearer ", &bearer()] {
            let headers = [
                ("Authorization", bearer),
                ("Content-Type", "application/json"),
            ];
            let answer = operated.ask("POST", "/revalidate", &headers, r#"{"tags":["posts"]}"#);
            assert_eq!(answer.status, 404, "{secret:?}");
            assert!(detail(&answer).starts_with("ROUTE_ADMIN_SECRET is not set"));
        }
        assert_eq!(operated.ask("GET", "/revalidate", &[], "").status, 404);
        assert_eq!(operated.ask("GET", "/health", &[], "").status, 200);
    }
}

#[test]
fn the_health_of_a_server_that_serves_is_ok() {
    let operated = Operated::start(&[]);
    let health = operated.ask("GET", "/health", &[], "");
    assert_eq!((health.status, health.text()), (200, "ok"));
    let content_type = health.header("content-type");
    assert_eq!(content_type, Some("text/plain; charset=utf-8"));
    let mut connection = Connection::open(operated.operators);
    let head = connection.send(&request("HEAD", "/health", &[], ""));
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("2"))
    );
    assert_eq!(head.header("cache-control"), Some("no-store"));
    // The response to HEAD had no body, which would come before this.
    let next = connection.send(&request("GET", "/health?a=b", &[], ""));
    assert_eq!((next.status, next.text()), (200, "ok"));
}

#[test]
fn other_methods_are_405_and_other_paths_404() {
    let operated = Operated::start(&[]);
    let bearer = bearer();
    let authorised = [("Authorization", &*bearer)];
    for (path, allow, methods) in [
        ("/health", "GET, HEAD", ["POST", "DELETE", "OPTIONS"]),
        ("/revalidate", "POST", ["GET", "PUT", "OPTIONS"]),
    ] {
        for method in methods {
            let answer = operated.ask(method, path, &authorised, "");
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some(allow));
        }
    }
    for path in [
        "/",
        "/posts/7",
        "/stats",
        "/health/",
        "/Health",
        "//health",
        "/%68ealth",
        "/revalidate/",
        "/x/../health",
    ] {
        for method in ["GET", "POST"] {
            let answer = operated.ask(method, path, &authorised, "");
            assert_eq!(answer.status, 404, "{method} {path}");
        }
    }
}

#[test]
fn nothing_of_the_admin_listener_is_on_the_address_for_clients() {
    let operated = Operated::start(&[]);
    let mut without = Program::start(
        OPERATED,
        &[],
        &[("ROUTE_MODE", "production"), ("PORT", "0")],
    );
    let without = without.address();
    assert_eq!(operated.get("/health").text(), "for clients");
    let bearer = bearer();
    let headers = [
        ("Authorization", &*bearer),
        ("Content-Type", "application/json"),
    ];
    for method in ["GET", "POST", "OPTIONS"] {
        let request = request(method, "/revalidate", &headers, r#"{"tags":["posts"]}"#);
        let [here, there] = [operated.clients, without].map(|address| {
            let mut answer = Connection::open(address).send(&request);
            answer.headers.retain(|(name, _)| name != "date");
            answer
        });
        assert_eq!(here.status, 404);
        assert_eq!(here, there);
    }
}

#[test]
fn requests_of_operators_reach_no_middleware_and_no_count() {
    let operated = Operated::start(&[]);
    operated.get("/posts/7");
    let stats = || {
        let answer = operated.get("/stats");
        let (requests, stats) = answer.text().split_once(' ').unwrap();
        (requests.parse::<u64>().unwrap(), stats.to_owned())
    };
    let (requests, before) = stats();
    for body in [r#"{"tags":["nobody's"]}"#, "nonsense"] {
        operated.revalidate(body);
    }
    for path in ["/health", "/posts/7", "/revalidate"] {
        operated.ask("GET", path, &[], "");
    }
    assert_eq!(stats(), (requests + 1, before));
}
