//! Problems of a table of routes.
//!
//! Within one crate most of them do not compile, so the declarations here are made at run time.

use actix_web::web::Data;
use route_runtime::__private::{Segment, Source};
use route_runtime::{Kind, Method, RouteDescriptor, RouteProblem, Routes, route};

#[route("/table")]
async fn table() -> &'static str {
    "table"
}

/// Returns a declaration at this line of a crate `demo`.
fn declared(kind: Kind, method: Method, pattern: &'static str, line: u32) -> RouteDescriptor {
    let segment = |text: &'static str| {
        let inner = |open, close| text.strip_prefix(open)?.strip_suffix(close);
        if let Some(name) = inner("[[...", "]]") {
            Segment::OptionalCatchAll(name)
        } else if let Some(name) = inner("[...", "]") {
            Segment::CatchAll(name)
        } else if let Some(name) = inner("[", "]") {
            Segment::Param(name)
        } else if let Some(name) = inner("(", ")") {
            Segment::Group(name)
        } else {
            Segment::Literal(text)
        }
    };
    let segments: Vec<_> = pattern[1..].split('/').map(segment).collect();
    RouteDescriptor {
        kind,
        method,
        pattern,
        segments: segments.leak(),
        source: Source {
            module: "demo::routes",
            file: "src/routes.rs",
            line,
            column: 1,
        },
        ..table::ROUTE
    }
}

fn get(pattern: &'static str, line: u32) -> RouteDescriptor {
    declared(Kind::Route, Method::Get, pattern, line)
}

fn post(pattern: &'static str, line: u32) -> RouteDescriptor {
    declared(Kind::Route, Method::Post, pattern, line)
}

fn page(pattern: &'static str, line: u32) -> RouteDescriptor {
    declared(Kind::Page, Method::Get, pattern, line)
}

/// Asserts that these routes are refused with this message, in either order.
#[track_caller]
fn check(routes: &[RouteDescriptor], expected: &str) {
    for routes in [routes.to_vec(), routes.iter().rev().copied().collect()] {
        let error = Routes::from_iter(routes).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_page_and_a_route_at_one_path_are_refused() {
    let expected = "\
1 problem with the routes

a page and a route at one path
  page:  GET /a at src/routes.rs:2:1 (crate `demo`)
  route: POST /a at src/routes.rs:1:1 (crate `demo`)
  help: move one of the two to another path";
    check(&[post("/a", 1), page("/a", 2)], expected);
}

#[test]
fn two_handlers_for_one_method_and_path_are_refused() {
    let expected = "\
1 problem with the routes

two handlers for GET /(b)/a/[id]
  GET /(b)/a/[id] at src/routes.rs:2:1 (crate `demo`)
  GET /a/[id] at src/routes.rs:1:1 (crate `demo`)
  help: remove one of the two, or change its method or path";
    check(
        &[get("/a/[id]", 1), get("/(b)/a/[id]", 2), post("/a/[id]", 3)],
        expected,
    );
}

#[test]
fn one_declaration_that_is_linked_twice_is_refused() {
    let expected = "\
1 problem with the routes

one declaration, twice
  GET /a at src/routes.rs:1:1 (crate `demo`)
  help: this crate is linked twice, in two versions or from two paths: see `cargo tree --duplicates`";
    check(&[get("/a", 1), get("/a", 1)], expected);
}

#[test]
fn two_names_for_one_parameter_are_refused() {
    let expected = "\
1 problem with the routes

two names for one parameter: `id` and `slug`
  GET /a/[id]/b at src/routes.rs:1:1 (crate `demo`)
  POST /a/[slug]/c at src/routes.rs:2:1 (crate `demo`)
  help: use one name at this position";
    check(&[get("/a/[id]/b", 1), post("/a/[slug]/c", 2)], expected);
}

#[test]
fn a_catch_all_beside_an_optional_one_is_refused() {
    let expected = "\
1 problem with the routes

a catch-all beside an optional one
  GET /a/[...x] at src/routes.rs:1:1 (crate `demo`)
  POST /a/[[...x]] at src/routes.rs:2:1 (crate `demo`)
  help: keep the optional one: it matches all that the other does";
    check(&[get("/a/[...x]", 1), post("/a/[[...x]]", 2)], expected);
}

#[test]
fn an_optional_catch_all_beside_a_route_at_its_prefix_is_refused() {
    let expected = "\
1 problem with the routes

an optional catch-all beside a route at its own prefix
  GET /a/[[...x]] at src/routes.rs:2:1 (crate `demo`)
  GET /(g)/a at src/routes.rs:1:1 (crate `demo`)
  help: write `[...name]` instead of `[[...name]]`: then the prefix belongs to the other route alone";
    check(&[get("/(g)/a", 1), get("/a/[[...x]]", 2)], expected);
}

#[test]
fn all_problems_are_reported_together() {
    let routes = [
        get("/a", 1),
        get("/a", 2),
        page("/a", 3),
        get("/b/[x]", 4),
        get("/b/[y]/c", 5),
        get("/[...z]", 6),
        get("/[[...z]]", 7),
    ];
    let error = Routes::from_iter(routes).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("4 problems with the routes\n\n")
    );
    let [twice, both, names, rest] = error.problems() else {
        panic!("{error}");
    };
    assert!(matches!(twice, RouteProblem::Twice { .. }), "{twice}");
    assert!(matches!(both, RouteProblem::PageAndRoute { .. }), "{both}");
    let RouteProblem::Names { first, second } = names else {
        panic!("{names}");
    };
    assert_eq!((first.1, first.0.source.line), ("x", 4));
    assert_eq!((second.1, second.0.source.line), ("y", 5));
    assert!(matches!(rest, RouteProblem::CatchAlls { .. }), "{rest}");
}

#[test]
fn routes_that_only_resemble_a_collision_are_accepted() {
    let routes = [
        get("/a/[id]", 1),
        post("/a/[id]", 2),
        get("/a/[id]/b", 3),
        get("/a/[...rest]", 4),
        // A parameter at another position may have another name.
        get("/b/[slug]", 5),
        get("/b", 6),
        get("/b/[...rest]", 7),
        page("/c", 8),
        get("/c/[id]", 9),
        get("/d/[[...x]]", 10),
        get("/d/e", 11),
        get("/d/[f]", 12),
        // The literal `...` looks like a parameter whose name is left out, and is none.
        get("/e", 13),
        get("/e/...", 14),
    ];
    assert_eq!(
        Routes::from_iter(routes).unwrap().iter().len(),
        routes.len()
    );
}

#[route("/table/data")]
async fn needs_data(state: Data<u8>, names: Data<Vec<String>>) -> String {
    format!("{state:?} {names:?}")
}

#[route("/table/data/dynamic", dynamic = "force-dynamic")]
async fn needs_data_later(state: Data<u16>) -> String {
    format!("{state:?}")
}

#[actix_web::test]
async fn missing_app_data_of_a_cached_handler_is_an_error_before_the_first_request() {
    let routes = Routes::from_iter([needs_data::ROUTE, needs_data_later::ROUTE]).unwrap();
    let routes = routes.data(Vec::<String>::new());
    let error = routes.ready().await.unwrap_err().to_string();
    let expected = format!(
        "\
1 problem with the routes

a cached route needs app data that is not registered
  GET /table/data at {file}:{line}:1 (crate `integration`)
  `state: Data<u8>` finds no `web::Data<u8>`
  help: ",
        file = file!(),
        line = routes.iter().next().unwrap().source().line,
    );
    assert!(error.starts_with(&expected), "{error}");
    assert!(routes.data(7u8).ready().await.is_ok());
}
