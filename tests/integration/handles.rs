//! The handle of a route: its pattern, its paths, and where the route is declared.

use actix_web::web;
use route_runtime::{Kind, Method, Routes, page, route};

#[route(GET, "/handles/posts/[id]")]
async fn post(id: u64) -> String {
    id.to_string()
}

#[route("/handles/users/[name]/[type]")]
async fn user(r#type: char, name: String) -> String {
    format!("{name}{type}")
}

#[route("/(all)/handles/docs/[...slug]")]
async fn docs(slug: Vec<String>) -> String {
    slug.join("/")
}

#[route("/handles/days/[[...day]]")]
async fn days(day: Option<Vec<u8>>) -> String {
    format!("{day:?}")
}

#[route("/handles/actix/[first]/[...rest]")]
async fn actix(path: web::Path<(String, String)>) -> String {
    format!("{path:?}")
}

#[page("/handles/日本 %/a+b")]
async fn encoded() -> &'static str {
    "encoded"
}

#[route("/handles/module/[id]")]
mod module {
    pub async fn GET(id: i32) -> String {
        id.to_string()
    }

    pub async fn DELETE(id: String) -> String {
        id
    }
}

#[test]
fn the_pattern_of_a_handle_is_as_declared() {
    assert_eq!(post::PATTERN, "/handles/posts/[id]");
    assert_eq!(docs::PATTERN, "/(all)/handles/docs/[...slug]");
    assert_eq!(encoded::PATTERN, "/handles/日本 %/a+b");
    assert_eq!(module::PATTERN, "/handles/module/[id]");
}

#[test]
#[expect(
    clippy::needless_borrows_for_generic_args,
    reason = "it is what is tested"
)]
fn path_accepts_the_types_that_the_handler_accepts() {
    let check = |found: String, expected: &str| assert_eq!(found, expected);
    let seven = 7u64;
    check(post::path(7), "/handles/posts/7");
    check(post::path(seven), "/handles/posts/7");
    check(post::path(&7), "/handles/posts/7");
    check(post::path(&seven), "/handles/posts/7");
    check(module::path(-7), "/handles/module/-7");
    check(module::path(&-7), "/handles/module/-7");

    check(user::path("x", 'y'), "/handles/users/x/y");
    check(user::path(String::from("x"), &'y'), "/handles/users/x/y");
    check(user::path(&String::from("x"), 'y'), "/handles/users/x/y");

    check(docs::path(["a", "b"]), "/handles/docs/a/b");
    check(docs::path(["a", "b"].iter().copied()), "/handles/docs/a/b");
    check(docs::path(vec![String::from("a")]), "/handles/docs/a");
    check(docs::path(&[String::from("a")]), "/handles/docs/a");
    check(days::path([1, 2]), "/handles/days/1/2");
    check(days::path(&[1, 2]), "/handles/days/1/2");
    check(days::path([0u8; 0]), "/handles/days");

    // A parameter that only an extractor reads is text.
    check(actix::path("a", ["b", "c"]), "/handles/actix/a/b/c");
}

#[test]
fn paths_are_percent_encoded() {
    let check = |name: &str, expected: &str| {
        assert_eq!(
            user::path(name, 'y'),
            format!("/handles/users/{expected}/y")
        );
    };
    check("a b", "a%20b");
    check("a/b", "a%2Fb");
    check("a+b", "a+b");
    check("a%b", "a%25b");
    check("a?b#c", "a%3Fb%23c");
    check(";:@,=&.", ";:@,=&.");
    check("日", "%E6%97%A5");
    check(r"\evil", "%5Cevil");
    assert_eq!(docs::path(["a/b", "c d"]), "/handles/docs/a%2Fb/c%20d");
    assert_eq!(encoded::path(), "/handles/%E6%97%A5%E6%9C%AC%20%25/a+b");
}

#[test]
fn a_path_of_a_handle_leads_back_to_its_pattern() {
    let every = [
        post::ROUTE,
        user::ROUTE,
        docs::ROUTE,
        days::ROUTE,
        encoded::ROUTE,
    ];
    let routes = Routes::from_iter(every).unwrap();
    for (path, pattern) in [
        (post::path(u64::MAX), post::PATTERN),
        (user::path("/", '%'), user::PATTERN),
        (docs::path(["...", "?"]), docs::PATTERN),
        (days::path([1]), days::PATTERN),
        (days::path([0u8; 0]), days::PATTERN),
        (encoded::path(), encoded::PATTERN),
    ] {
        assert_eq!(routes.pattern_of(&path), Some(pattern), "{path}");
    }
}

#[test]
fn a_route_knows_where_it_is_declared() {
    let routes = Routes::from_iter([encoded::ROUTE, module::DELETE::ROUTE]).unwrap();
    let found: Vec<_> = routes
        .iter()
        .map(|it| (it.kind(), it.method(), it.handler(), it.source().module))
        .collect();
    let here = module_path!();
    let module = format!("{here}::module");
    assert_eq!(
        found,
        [
            (Kind::Page, Method::Get, "encoded", here),
            (Kind::Route, Method::Delete, "DELETE", &*module),
        ]
    );
    for route in routes.iter() {
        assert_eq!(route.source().file, file!());
        assert_eq!(route.source().crate_name(), "integration");
    }
}
