//! Tests of `#[cached]`: which values are kept, which calls share them, and what routes inherit.

use std::collections::BTreeMap;

use actix_web::test::TestRequest;
use actix_web::web::Data;
use futures_util::future::join_all;
use route_runtime::testing::{Outcome, TestApp};
use route_runtime::{RevalidateError, RouteDescriptor, cached, revalidate_tag, route};
use tests::{Gate, Runs, SECOND, production};

mod bounds;
mod identity;

async fn app(routes: impl IntoIterator<Item = RouteDescriptor>) -> TestApp {
    let routes = production(routes).data(Runs::default());
    TestApp::new(routes).await.unwrap()
}

async fn get(app: &TestApp, path: &str) -> String {
    let response = app.get(path).await;
    assert_eq!(response.status(), 200, "{path}");
    response.text().to_owned()
}

async fn post(app: &TestApp, path: &str) -> u16 {
    let response = app.send(TestRequest::post().uri(path)).await;
    response.status().as_u16()
}

/// A cached function whose `runs` is no part of the key: it is another handle in each call.
#[cached(revalidate = 5, tags = ["items", "item:{id}:{kind}"], skip(runs))]
async fn item(id: u64, kind: String, runs: Data<Runs>) -> String {
    format!("{kind} {id} run {}", runs.next())
}

#[route("/cached/item/[id]/[kind]", dynamic = "force-dynamic")]
async fn show(id: u64, kind: String, runs: Data<Runs>) -> String {
    item(id, kind, runs).await
}

#[route(POST, "/cached/item/[id]/[kind]")]
async fn change(id: u64, kind: String) -> Result<&'static str, RevalidateError> {
    item::revalidate(id, kind).await?;
    Ok("changed")
}

#[route(POST, "/cached/tag/[tag]")]
async fn change_tag(tag: String) -> Result<&'static str, RevalidateError> {
    revalidate_tag(tag).await?;
    Ok("changed")
}

#[actix_web::test]
async fn each_value_of_the_arguments_has_its_own_entry() {
    let app = app([show::ROUTE]).await;
    for _ in 0..3 {
        assert_eq!(get(&app, "/cached/item/1/cat").await, "cat 1 run 1");
        assert_eq!(get(&app, "/cached/item/2/cat").await, "cat 2 run 2");
        assert_eq!(get(&app, "/cached/item/1/dog").await, "dog 1 run 3");
    }
}

#[actix_web::test]
async fn a_stale_value_is_returned_while_it_is_refreshed() {
    let app = app([show::ROUTE]).await;
    assert_eq!(get(&app, "/cached/item/1/cat").await, "cat 1 run 1");
    app.advance(4 * SECOND);
    assert_eq!(get(&app, "/cached/item/1/cat").await, "cat 1 run 1");
    app.advance(SECOND);
    // The handler runs for each request, but does not wait for the refresh.
    assert_eq!(get(&app, "/cached/item/1/cat").await, "cat 1 run 1");
    app.settled().await;
    assert_eq!(get(&app, "/cached/item/1/cat").await, "cat 1 run 2");
}

#[actix_web::test]
async fn a_value_is_invalidated_by_tag_and_by_arguments() {
    let app = app([show::ROUTE, change::ROUTE, change_tag::ROUTE]).await;
    let read = async || {
        (
            get(&app, "/cached/item/1/cat").await,
            get(&app, "/cached/item/2/cat").await,
        )
    };
    let mut before = read().await;
    for (path, changes) in [
        ("/cached/item/1/cat", (true, false)),
        ("/cached/item/2/cat", (false, true)),
        ("/cached/item/1/dog", (false, false)),
        ("/cached/tag/item:1:cat", (true, false)),
        ("/cached/tag/items", (true, true)),
        ("/cached/tag/nobody-has-it", (false, false)),
    ] {
        assert_eq!(post(&app, path).await, 200, "{path}");
        let after = read().await;
        assert_eq!(
            (after.0 != before.0, after.1 != before.1),
            changes,
            "{path}"
        );
        before = after;
    }
}

#[cached(skip(runs))]
async fn odd(id: u64, runs: Data<Runs>) -> Result<u32, String> {
    match (id, runs.next()) {
        (0, run) => Err(format!("run {run}")),
        (_, run) => Ok(run),
    }
}

#[route("/cached/odd/[id]", dynamic = "force-dynamic")]
async fn show_odd(id: u64, runs: Data<Runs>) -> String {
    format!("{:?}", odd(id, runs).await)
}

#[actix_web::test]
async fn only_ok_results_are_kept() {
    let app = app([show_odd::ROUTE]).await;
    assert_eq!(get(&app, "/cached/odd/0").await, "Err(\"run 1\")");
    assert_eq!(get(&app, "/cached/odd/0").await, "Err(\"run 2\")");
    assert_eq!(get(&app, "/cached/odd/1").await, "Ok(3)");
    assert_eq!(get(&app, "/cached/odd/1").await, "Ok(3)");
}

#[cached(skip(runs))]
async fn panics(runs: Data<Runs>) -> u32 {
    match runs.next() {
        1 => panic!("the first time"),
        run => run,
    }
}

#[route("/cached/panics", dynamic = "force-dynamic")]
async fn show_panics(runs: Data<Runs>) -> String {
    panics(runs).await.to_string()
}

#[actix_web::test]
async fn a_panic_reaches_the_caller_and_is_not_kept() {
    let app = app([show_panics::ROUTE]).await;
    assert_eq!(app.get("/cached/panics").await.status(), 500);
    // The failure is shared for a second, with calls from the same time.
    app.advance(2 * SECOND);
    assert_eq!(get(&app, "/cached/panics").await, "2");
    assert_eq!(get(&app, "/cached/panics").await, "2");
}

static CROWD: Gate = Gate::new();

#[cached(skip(runs))]
async fn slow(id: u64, runs: Data<Runs>) -> String {
    let run = runs.next();
    CROWD.pass().await;
    format!("{id} run {run}")
}

#[route("/cached/crowd/[id]", dynamic = "force-dynamic")]
async fn crowd(id: u64, runs: Data<Runs>) -> String {
    slow(id, runs).await
}

#[actix_web::test]
async fn concurrent_calls_with_equal_arguments_share_one_run() {
    let app = app([crowd::ROUTE]).await;
    let asked = join_all((0..30).map(|_| get(&app, "/cached/crowd/7")));
    let (all, ()) = tokio::join!(asked, async { CROWD.open() });
    assert!(all.iter().all(|text| text == "7 run 1"), "{all:?}");
}

/// Defines cached functions of one name in one module, as if each were from another version of
/// the program.
macro_rules! version {
    ($name:ident, ($($option:tt)*), $value:literal) => {
        async fn $name() -> u32 {
            #[cached($($option)*)]
            async fn twin() -> u32 {
                $value
            }
            twin().await
        }
    };
}

version!(hashed, (), 1);
version!(hashed_changed, (), 2);
version!(numbered, (version = 1), 3);
version!(numbered_changed, (version = 1), 4);
version!(counted_up, (version = 2), 5);

#[route("/cached/versions", dynamic = "force-dynamic")]
async fn versions() -> String {
    let values = [
        hashed().await,
        hashed_changed().await,
        numbered().await,
        numbered_changed().await,
        counted_up().await,
    ];
    format!("{values:?}")
}

#[actix_web::test]
async fn a_value_of_another_version_is_not_used() {
    let app = app([versions::ROUTE]).await;
    assert_eq!(get(&app, "/cached/versions").await, "[1, 2, 3, 3, 5]");
}

#[cached(revalidate = 7, tags = ["inner:{id}"], skip(runs))]
async fn inner(id: u64, runs: Data<Runs>) -> u32 {
    u32::try_from(id).unwrap() * 100 + runs.next()
}

#[cached(revalidate = 60, tags = ["middle"], skip(runs))]
async fn middle(id: u64, runs: Data<Runs>) -> String {
    format!("middle of {}", inner(id, runs).await)
}

#[route("/cached/outer/[id]", revalidate = false)]
async fn outer(id: u64, runs: Data<Runs>) -> String {
    middle(id, runs).await
}

#[route("/cached/first/[id]", dynamic = "force-dynamic")]
async fn first(id: u64, runs: Data<Runs>) -> String {
    inner(id, runs).await.to_string()
}

#[route("/cached/second/[id]", dynamic = "force-dynamic")]
async fn second(id: u64, runs: Data<Runs>) -> String {
    middle(id, runs).await
}

#[actix_web::test]
async fn a_route_inherits_lifetime_and_tags_from_two_levels() {
    // At first nothing is cached beforehand, then only the inner value, then both values.
    for warm in [&[][..], &["/cached/first/1"], &["/cached/second/1"]] {
        let app = app([outer::ROUTE, first::ROUTE, second::ROUTE, change_tag::ROUTE]).await;
        for path in warm {
            get(&app, path).await;
        }
        let miss = app.get("/cached/outer/1").await;
        assert_eq!(miss.outcome(), Some(Outcome::Miss), "{warm:?}");
        assert_eq!(miss.text(), "middle of 101");
        let hit = app.get("/cached/outer/1").await;
        assert_eq!(hit.header("cache-status"), Some("route; hit; ttl=7"));

        app.advance(7 * SECOND);
        let stale = app.get("/cached/outer/1").await;
        assert_eq!(stale.outcome(), Some(Outcome::Stale), "{warm:?}");
        app.settled().await;
        assert_eq!(get(&app, "/cached/outer/1").await, "middle of 102");

        for (tag, body) in [
            ("inner:1", "middle of 103"),
            ("inner:2", "middle of 103"),
            // The values that it is made of are invalidated too, for they may be what has changed.
            ("middle", "middle of 104"),
        ] {
            assert_eq!(post(&app, &change_tag::path(tag)).await, 200);
            let outcome = app.get("/cached/outer/1").await.outcome();
            let is_kept = tag == "inner:2";
            assert_eq!(outcome == Some(Outcome::Hit), is_kept, "{warm:?} {tag}");
            assert_eq!(get(&app, "/cached/outer/1").await, body, "{warm:?} {tag}");
        }
    }
}

#[cached]
async fn a(n: u64) -> u64 {
    b(n).await + 1
}

#[cached]
async fn b(n: u64) -> u64 {
    if n == 0 { 0 } else { a(n % 2).await }
}

#[route("/cached/cycle/[n]", dynamic = "force-dynamic")]
async fn cycle(n: u64) -> String {
    a(n).await.to_string()
}

#[actix_web::test]
async fn a_function_that_needs_its_own_value_is_a_500_and_does_not_hang() {
    let app = app([cycle::ROUTE]).await;
    assert_eq!(app.get("/cached/cycle/1").await.status(), 500);
    // A call with another argument needs another value, which is no cycle.
    assert_eq!(get(&app, "/cached/cycle/2").await, "2");
}

#[actix_web::test]
async fn outside_a_handler_a_cached_function_runs_each_time() {
    let runs = Data::new(Runs::default());
    assert_eq!(item(1, "cat".into(), runs.clone()).await, "cat 1 run 1");
    assert_eq!(item(1, "cat".into(), runs).await, "cat 1 run 2");
    let outside = item::revalidate(1, "cat".into()).await;
    assert!(matches!(outside, Err(RevalidateError::NoRoutes)));
}

#[cached(skip(runs))]
async fn keyless(map: BTreeMap<(u8, u8), u8>, runs: Data<Runs>) -> u32 {
    u32::try_from(map.len()).unwrap() + runs.next()
}

#[route("/cached/keyless", dynamic = "force-dynamic")]
async fn show_keyless(runs: Data<Runs>) -> Result<String, RevalidateError> {
    let map = BTreeMap::from([((1, 2), 3)]);
    let is_error = keyless::revalidate(map.clone()).await.is_err();
    Ok(format!("{} {is_error}", keyless(map, runs).await))
}

#[actix_web::test]
async fn calls_whose_arguments_are_no_json_are_not_cached() {
    let app = app([show_keyless::ROUTE]).await;
    assert_eq!(get(&app, "/cached/keyless").await, "2 true");
    assert_eq!(get(&app, "/cached/keyless").await, "3 true");
}
