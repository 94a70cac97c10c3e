//! Matching: the route that a path reaches, and the values of its parameters.

use actix_web::HttpRequest;
use actix_web::web;
use route_runtime::{Matched, Routes, route};
use tests::Server;

/// Declares handlers that answer with the pattern that matched.
macro_rules! patterns {
    ($($name:ident $pattern:literal)*) => {
        $(
            #[route($pattern)]
            async fn $name(request: HttpRequest) -> String {
                use actix_web::HttpMessage as _;
                let extensions = request.extensions();
                let matched = extensions.get::<Matched>().expect("it matched");
                matched.pattern().into()
            }
        )*
    };
}

patterns! {
    new "/matching/new/[x]"
    fixed "/matching/fixed"
    edit "/matching/[id]/edit"
    one "/matching/[id]"
    deep "/matching/[id]/x/[y]/z"
    rest "/matching/[...rest]"
    index "/matching/docs"
    docs "/matching/docs/[...slug]"
    all "/matching/all/[[...slug]]"
    all_fixed "/matching/all/fixed"
    all_one "/matching/all/[id]/one"
}

const EVERY: [route_runtime::RouteDescriptor; 11] = [
    new::ROUTE,
    fixed::ROUTE,
    edit::ROUTE,
    one::ROUTE,
    deep::ROUTE,
    rest::ROUTE,
    index::ROUTE,
    docs::ROUTE,
    all::ROUTE,
    all_fixed::ROUTE,
    all_one::ROUTE,
];

#[test]
fn the_most_specific_pattern_wins_whatever_the_order() {
    let cases = [
        ("/matching/fixed", fixed::PATTERN),
        ("/matching/other", one::PATTERN),
        // The first segment that differs decides.
        ("/matching/new/edit", new::PATTERN),
        ("/matching/7/edit", edit::PATTERN),
        // Matching backtracks from a literal that leads nowhere.
        ("/matching/fixed/edit", edit::PATTERN),
        ("/matching/new/x/y/z", deep::PATTERN),
        ("/matching/new/x/y", rest::PATTERN),
        ("/matching/new", one::PATTERN),
        ("/matching/new/edit/3", rest::PATTERN),
        ("/matching/7/x/8/z", deep::PATTERN),
        ("/matching/7/x/8/z/9", rest::PATTERN),
        ("/matching/docs", index::PATTERN),
        ("/matching/docs/a", docs::PATTERN),
        // A catch-all below a literal comes before `[id]` beside the literal.
        ("/matching/docs/edit", docs::PATTERN),
        ("/matching/all", all::PATTERN),
        ("/matching/all/a/b", all::PATTERN),
        ("/matching/all/fixed", all_fixed::PATTERN),
        ("/matching/all/fixed/one", all_one::PATTERN),
        ("/matching/all/fixed/two", all::PATTERN),
    ];
    let reversed = EVERY.into_iter().rev();
    let server = Server::of(EVERY);
    let routes = Routes::from_iter(reversed).unwrap();
    for (path, pattern) in cases {
        assert_eq!(server.get(path).text(), pattern, "{path}");
        assert_eq!(routes.pattern_of(path), Some(pattern), "{path}");
    }
    for path in ["/matching", "/Matching/fixed", "/", "/matchin/fixed"] {
        assert_eq!(server.get(path).status, 404, "{path}");
        assert_eq!(routes.pattern_of(path), None, "{path}");
    }
}

/// A route whose parameter is checked, although it is not used.
#[route("/unused/[id]")]
async fn unused(_id: u64) -> &'static str {
    "a number"
}

#[route("/unused/[id]/[_name]")]
async fn unused_beside(_name: String, _id: web::Query<Vec<(String, String)>>, id: u64) -> String {
    format!("{_name} {id}")
}

#[test]
fn an_argument_with_a_leading_underscore_is_bound_to_its_parameter() {
    let server = Server::of([unused::ROUTE, unused_beside::ROUTE]);
    assert_eq!(server.get("/unused/7").text(), "a number");
    assert_eq!(server.get("/unused/x").status, 404);
    assert_eq!(unused::path(7), "/unused/7");
    assert_eq!(server.get("/unused/7/a").text(), "a 7");
}

#[route("/decoding/one/[value]")]
async fn one_value(value: String) -> String {
    value
}

#[route("/decoding/many/[...values]")]
async fn many_values(values: Vec<String>) -> String {
    values.join("|")
}

#[route("/decoding/actix/[value]")]
async fn actix_value(path: web::Path<String>) -> String {
    path.into_inner()
}

#[test]
fn a_parameter_is_decoded_once_and_never_split() {
    let server = Server::of([one_value::ROUTE, many_values::ROUTE, actix_value::ROUTE]);
    for (text, value) in [
        ("plain", "plain"),
        ("a%20b", "a b"),
        ("a+b", "a+b"),
        ("a%2Bb", "a+b"),
        ("a%2Fb", "a/b"),
        ("a%2fb", "a/b"),
        ("%2F", "/"),
        ("%E6%97%A5", "日"),
        ("%e6%97%a5", "日"),
        ("a%25b", "a%b"),
        ("a%2520b", "a%20b"),
        ("a%252Fb", "a%2Fb"),
        ("a%3Fb", "a?b"),
        ("a%23b", "a#b"),
        (";:@,=&.", ";:@,=&."),
        ("!$'()*", "!$'()*"),
        ("%5Bvalue%5D", "[value]"),
        ("[value]", "[value]"),
        (r"a%5Cb", r"a\b"),
        ("a%00b", "a\0b"),
        ("...", "..."),
        ("a?value=z", "a"),
    ] {
        for pattern in ["one", "many", "actix"] {
            let response = server.get(&format!("/decoding/{pattern}/{text}"));
            let found = (response.status, response.text());
            assert_eq!(found, (200, value), "{pattern} {text}");
        }
    }
    let response = server.get("/decoding/many/a%2Fb/c%20d/;");
    assert_eq!(response.text(), "a/b|c d|;");
}

#[route("/decoding/100%/a+b/[value]")]
async fn odd_literals(value: String, path: web::Path<String>) -> String {
    format!("{value} {path}")
}

#[route("/decoding/日 本/[value]")]
async fn encoded_literals(value: String, path: web::Path<String>) -> String {
    format!("{value} {path}")
}

/// `web::Path` reads the same values as arguments, also where actix-web itself decodes less.
#[test]
fn a_literal_matches_every_encoded_spelling_of_itself() {
    let server = Server::of([odd_literals::ROUTE, encoded_literals::ROUTE]);
    for path in [
        "/decoding/100%25/a+b/7",
        "/decoding/100%25/a%2Bb/7",
        "/decoding/%31%300%25/a+b/7",
        "/decoding/%E6%97%A5%20%E6%9C%AC/7",
        "/%64ecoding/%e6%97%a5%20%e6%9c%ac/%37",
    ] {
        let response = server.get(path);
        assert_eq!((response.status, response.text()), (200, "7 7"), "{path}");
    }
}
