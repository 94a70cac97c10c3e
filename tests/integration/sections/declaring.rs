//! What is wrong with a section is an error at the start; what is right is in table, JSON and lock.

use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Condition, DefaultHeaders, Logger, Next, from_fn};
use actix_web::test::init_service;
use route_runtime::lock::{Lock, LockError};
use route_runtime::testing::TestApp;
use route_runtime::{RouteDescriptor, RouteProblem, Routes, route};
use serde_json::{Value, json};

use super::{ADMIN, administration, guard, home, user, users};

#[route("/sections/declaring/[...slug]", wrap = Logger::default(), wrap = guard)]
async fn some(slug: Vec<String>) -> String {
    slug.join("|")
}

#[route(POST, "/sections/declaring/[...slug]")]
async fn written(slug: Vec<String>) -> String {
    slug.join("|")
}

fn routes() -> Routes {
    Routes::from_iter([home::ROUTE, user::ROUTE, some::ROUTE, written::ROUTE]).unwrap()
}

#[actix_web::test]
async fn a_pattern_that_cannot_be_read_or_covers_nothing_keeps_the_routes_from_being_served() {
    for (pattern, expected) in [
        ("sections", "it does not begin with `/`"),
        ("/sections/", "a segment of it is empty"),
        ("/sections/*", "`*` in it is no segment"),
        ("/(group)/[[...rest]]", "`(group)` in it is a group"),
        ("/%73ections", "`%73ections` in it is no text"),
        ("/nowhere/[[...rest]]", "a section covers no route"),
        // It covers some of the paths of one route, and all of none.
        ("/sections/declaring/a", "a section covers no route"),
    ] {
        let routes = routes().wrap(pattern, guard);
        let error = routes.check().await.unwrap_err().to_string();
        assert!(error.contains(expected), "{pattern}: {error}");
        assert!(error.contains("declaring.rs:"), "{pattern}: {error}");
        assert!(error.contains("  help: "), "{pattern}: {error}");
        let error = TestApp::new(routes).await.unwrap_err();
        assert_eq!(error.problems().len(), 1);
    }
}

#[actix_web::test]
async fn every_problem_of_every_section_is_reported_at_once() {
    let routes = routes().wrap("/a/", guard).wrap_open("/b", guard);
    let error = routes.check().await.unwrap_err();
    assert!(matches!(
        error.problems(),
        [RouteProblem::BadSection { .. }, RouteProblem::EmptySection(section)]
            if section.is_open && section.pattern == "/b" && section.middleware == "guard"
    ));
}

#[actix_web::test]
#[should_panic(expected = "a section covers no route")]
async fn mounting_a_section_that_is_wrong_panics() {
    let routes = routes().wrap("/nowhere", guard);
    init_service(App::new().service(routes)).await;
}

/// Declares sections of every kind round routes of every kind.
fn sections() -> Routes {
    let routes = Routes::from_iter([
        home::ROUTE,
        users::GET::ROUTE,
        administration::ROUTE,
        some::ROUTE,
        written::ROUTE,
    ]);
    let pass = async |request: ServiceRequest, next: Next<_>| next.call(request).await;
    routes
        .unwrap()
        .wrap_open("/[[...rest]]", DefaultHeaders::new)
        .wrap("/sections/admin", || from_fn(guard))
        .wrap("/sections/administration", pass)
        .wrap("/sections/declaring/a/[...rest]", guard)
        .wrap("/sections/declaring/[...rest]", || {
            Condition::new(true, Logger::default())
        })
}

#[test]
fn the_table_shows_the_middleware_of_each_route_with_its_section() {
    let table = sections().to_string();
    for expected in [
        "  guard (/sections/admin)  ",
        // What covers every route and decides nothing is shown once.
        "\nEvery route is in DefaultHeaders (/[[...rest]]).\n",
        // The methods of one path may differ.
        "  GET: guard (some of /sections/declaring/a/[...rest]), Condition \
         (/sections/declaring/[...rest]), Logger::default(), guard; POST: guard (some of \
         /sections/declaring/a/[...rest]), Condition (/sections/declaring/[...rest])  ",
    ] {
        assert!(table.contains(expected), "{table}");
    }
    let closure = table
        .lines()
        .find(|line| line.contains("/sections/administration "));
    let place = "tests/integration/sections/declaring.rs:";
    assert!(closure.unwrap().contains(place), "{table}");
}

#[test]
fn json_and_lock_hold_the_middleware_of_each_route() {
    let routes = sections();
    let json: Vec<Value> = serde_json::from_str(&routes.to_json()).unwrap();
    let home = json.iter().find(|it| it["handler"] == "home").unwrap();
    let expected = json!([
        { "name": "DefaultHeaders", "section": "/[[...rest]]", "open": true, "sometimes": false },
        { "name": "guard", "section": "/sections/admin", "open": false, "sometimes": false },
    ]);
    assert_eq!(home["wrap"], expected);
    let lock = Lock::of(&routes).to_string();
    for line in [
        "GET /sections/administration cached revalidate=never wrap=DefaultHeaders@/[[...rest]],open \
         wrap=closure@/sections/administration #",
        "GET /sections/declaring/[...slug] dynamic wrap=DefaultHeaders@/[[...rest]],open \
         wrap=integration::sections::guard<actix_http::body::boxed::BoxBody>@/sections/declaring/a/[...rest],sometimes \
         wrap=Condition<Logger>@/sections/declaring/[...rest] wrap=Logger::default() wrap=guard #",
    ] {
        assert!(lock.contains(line), "{lock}");
    }
}

/// Makes routes with two guards in a row, one of which the lock knows only by its pattern.
fn guarded(
    first: impl FnOnce(Routes) -> Routes,
    second: impl FnOnce(Routes) -> Routes,
    handler: RouteDescriptor,
) -> Routes {
    let routes = Routes::from_iter([home::ROUTE, user::ROUTE, handler]).unwrap();
    second(first(routes))
}

#[test]
fn a_guard_that_is_removed_moved_or_replaced_is_a_difference_to_the_lock() {
    #[route("/sections/locked", revalidate = 60, wrap = guard)]
    async fn locked() -> &'static str {
        "locked"
    }

    #[route("/sections/lent", revalidate = 60, wrap = Logger::default(), cdn = "public")]
    async fn lent() -> &'static str {
        "lent"
    }

    // One program cannot declare a path again, so options are exchanged.
    let mut bare = locked::ROUTE;
    bare.config.wrap = &[];
    let mut replaced = locked::ROUTE;
    replaced.config.wrap = lent::ROUTE.config.wrap;
    let mut published = locked::ROUTE;
    published.config.cdn = lent::ROUTE.config.cdn;

    async fn other(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> actix_web::Result<ServiceResponse<impl MessageBody>> {
        next.call(request).await
    }

    let closure = || async |request: ServiceRequest, next: Next<_>| next.call(request).await;
    let keyed = |routes: Routes| routes.wrap(ADMIN, guard);
    let closed = |routes: Routes| routes.wrap(ADMIN, closure());
    let nothing = |routes: Routes| routes;
    let lock = Lock::of(&guarded(keyed, closed, locked::ROUTE));
    lock.check(&guarded(keyed, closed, locked::ROUTE)).unwrap();
    // One closure for another cannot be told.
    let again = |routes: Routes| routes.wrap(ADMIN, closure());
    lock.check(&guarded(keyed, again, locked::ROUTE)).unwrap();

    let users = "/sections/admin/users/[id]";
    for (what, changed) in [
        ("removed", guarded(nothing, closed, locked::ROUTE)),
        ("removed", guarded(keyed, nothing, locked::ROUTE)),
        ("removed", guarded(keyed, closed, bare)),
        ("moved", guarded(closed, keyed, locked::ROUTE)),
        (
            "moved",
            guarded(|it| it.wrap(users, guard), closed, locked::ROUTE),
        ),
        (
            "moved",
            guarded(keyed, |it| it.wrap(users, closure()), locked::ROUTE),
        ),
        (
            "replaced",
            guarded(|it| it.wrap(ADMIN, other), closed, locked::ROUTE),
        ),
        ("replaced", guarded(keyed, keyed, locked::ROUTE)),
        ("replaced", guarded(keyed, closed, replaced)),
        (
            "opened",
            guarded(|it| it.wrap_open(ADMIN, guard), closed, locked::ROUTE),
        ),
        ("published", guarded(keyed, closed, published)),
    ] {
        let error = lock.check(&changed);
        assert!(matches!(error, Err(LockError::Differs(_))), "{what}");
    }
}
