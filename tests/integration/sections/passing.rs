//! A property: whatever is answered under a pattern has passed the sections that cover it, in the
//! order in which they were declared.

use std::sync::{Arc, Mutex};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::test::TestRequest;
use actix_web::web;
use actix_web::{App, Error, HttpMessage as _, HttpRequest};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use route_runtime::testing::TestApp;
use route_runtime::{Mode, Routes, route};

#[route("/passing/admin")]
mod admin {
    use actix_web::HttpRequest;

    use super::seen;

    pub async fn GET() -> &'static str {
        "admin"
    }

    pub async fn POST(request: HttpRequest) -> String {
        seen(&request)
    }
}

#[route("/passing/admin/users/[id]", revalidate = 60)]
async fn user(id: String) -> String {
    id
}

#[route("/passing/[...slug]")]
async fn other(_slug: Vec<String>, request: HttpRequest) -> String {
    seen(&request)
}

#[route("/passing")]
async fn root() -> &'static str {
    "root"
}

/// The sections that a request has passed, as its extensions say.
fn seen(request: &HttpRequest) -> String {
    let extensions = request.extensions();
    let names = extensions.get::<Vec<&str>>().cloned().unwrap_or_default();
    names.join("")
}

/// Every section, with its name and the segments of its pattern.
const SECTIONS: [(&str, &str); 5] = [
    ("a", "/passing/admin/[[...rest]]"),
    ("b", "/[[...rest]]"),
    ("c", "/passing/admin/users/[...rest]"),
    ("d", "/[any]/admin"),
    ("e", "/passing/[section]/[[...rest]]"),
];

/// Returns whether a pattern matches decoded segments.
fn matches(pattern: &str, path: &[String]) -> bool {
    let mut path = path.iter();
    for segment in pattern.split('/').skip(1) {
        let is_match = match segment {
            "[[...rest]]" => return true,
            "[...rest]" => return path.next().is_some(),
            "[any]" | "[section]" => path.next().is_some(),
            literal => path.next().is_some_and(|text| text == literal),
        };
        if !is_match {
            return false;
        }
    }
    path.next().is_none()
}

/// Returns the decoded segments of a path, with dots resolved, or the text of one that cannot be
/// decoded.
fn segments(raw: &str) -> Vec<String> {
    let mut segments: Vec<String> = Vec::new();
    for segment in raw.split('/') {
        match decoded(segment).as_deref() {
            Some("" | ".") => {}
            Some("..") => drop(segments.pop()),
            Some(text) => segments.push(text.into()),
            None => segments.push(segment.into()),
        }
    }
    segments
}

fn decoded(segment: &str) -> Option<String> {
    let mut bytes = segment.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            let is_hex = digits.bytes().all(|it| it.is_ascii_hexdigit());
            out.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

type Passed = Arc<Mutex<Vec<&'static str>>>;

/// Notes in three places that a request has passed.
async fn pass(
    name: &'static str,
    passed: Passed,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    passed.lock().unwrap().push(name);
    request
        .extensions_mut()
        .get_or_insert(Vec::<&str>::new())
        .push(name);
    let mut response = next.call(request).await?;
    response.headers_mut().append(
        HeaderName::from_static("x-passed"),
        HeaderValue::from_static(name),
    );
    Ok(response)
}

/// An app whose sections are those of the indices, in this order, behind a prefix.
async fn app(order: &[usize], prefix: &str, has_neighbours: bool) -> (TestApp, Passed) {
    let passed = Passed::default();
    let routes = [
        admin::GET::ROUTE,
        admin::POST::ROUTE,
        user::ROUTE,
        other::ROUTE,
        root::ROUTE,
    ];
    let mut routes = Routes::from_iter(routes).unwrap().mode(Mode::Production);
    if !prefix.is_empty() {
        routes = routes.at(prefix).unwrap();
    }
    for &index in order {
        let (name, pattern) = SECTIONS[index];
        let passed = Arc::clone(&passed);
        routes = routes.wrap(pattern, move |request: ServiceRequest, next: Next<_>| {
            pass(name, Arc::clone(&passed), request, next)
        });
    }
    let app = match has_neighbours {
        false => TestApp::new(routes).await,
        true => {
            let theirs = format!("{prefix}/passing/admin/theirs");
            TestApp::with(routes, move |routes| {
                App::new()
                    .route(&theirs, web::to(|| async { "not ours" }))
                    .service(routes)
            })
            .await
        }
    };
    (app.unwrap(), passed)
}

fn paths() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        4 => Just("passing"), 1 => Just("%70assing"), 1 => Just("PASSING"),
        4 => Just("admin"), 1 => Just("%61dmin"), 1 => Just("admi%6E"), 1 => Just("Admin"),
        3 => Just("users"), 2 => Just("7"), 1 => Just("a%2Fb"), 1 => Just("%zz"),
        1 => Just("theirs"), 1 => Just("."), 1 => Just(".."), 1 => Just("%2e"), 2 => Just(""),
    ];
    let free = prop::collection::vec(segment.clone(), 0..5);
    let below = prop::collection::vec(segment, 0..3);
    let near = (
        prop_oneof![Just("/passing"), Just("//passing"), Just("/./passing")],
        below,
    )
        .prop_map(|(start, rest)| format!("{start}/admin/{}", rest.join("/")));
    prop_oneof![free.prop_map(|all| format!("/{}", all.join("/"))), near]
}

fn methods() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "GET", "HEAD", "POST", "OPTIONS", "DELETE", "BREW", "TRACE",
    ])
}

#[actix_web::test]
async fn whatever_is_answered_under_a_pattern_has_passed_its_sections_in_order() {
    let mut runner = TestRunner::new(Config::default());
    let orders =
        prop::sample::subsequence((0..SECTIONS.len()).collect::<Vec<_>>(), 1..=5).prop_shuffle();
    let asks = prop::collection::vec((methods(), paths()), 40);
    let cases = (
        orders,
        prop::sample::select(vec!["", "/v1", "/v1/api"]),
        any::<bool>(),
        asks,
    );
    for _ in 0..80 {
        let (order, prefix, has_neighbours, asks) = cases.new_tree(&mut runner).unwrap().current();
        let (app, passed) = app(&order, prefix, has_neighbours).await;
        for (method, path) in asks {
            let path = format!("{prefix}{path}");
            passed.lock().unwrap().clear();
            let request = TestRequest::with_uri(&path);
            let request = request.method(Method::from_bytes(method.as_bytes()).unwrap());
            let response = app.send(request).await;

            let below: Vec<_> = segments(&path);
            let depth = prefix.split('/').skip(1).count();
            let is_behind = below.len() >= depth
                && below
                    .iter()
                    .zip(prefix.split('/').skip(1))
                    .all(|(a, b)| a == b);
            let own = below.get(depth..).unwrap_or_default();
            let expected: Vec<_> = order
                .iter()
                .map(|&index| SECTIONS[index])
                .filter(|(_, pattern)| is_behind && matches(pattern, own))
                .map(|(name, _)| name)
                .collect();
            let found = passed.lock().unwrap().clone();
            let what = format!("{method} {path} in {order:?} behind {prefix:?}: {response:?}");

            let is_theirs = response.body() == "not ours";
            let has_app_404 =
                has_neighbours && response.status() == 404 && response.body().is_empty();
            if is_theirs || has_app_404 {
                // The app answered, and not we.
                assert!(has_neighbours && found.is_empty(), "{what}");
                continue;
            }
            assert_eq!(found, expected, "{what}");
            let headers = response.headers().get_all("x-passed");
            let mut headers: Vec<_> = headers.map(|it| it.to_str().unwrap()).collect();
            headers.reverse();
            assert_eq!(headers, expected, "{what}");
            // A handler that reads the request finds what the sections left in it.
            let is_read = response.status() == 200 && method != "HEAD" && !own.is_empty();
            let is_cached = matches(SECTIONS[3].1, own) && method == "GET"
                || matches("/passing/admin/users/[any]", own)
                || own.len() == 1;
            if is_read && !is_cached {
                assert_eq!(response.text(), expected.join(""), "{what}");
            }
        }
    }
}
