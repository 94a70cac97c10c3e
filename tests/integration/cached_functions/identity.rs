//! Keys of values: nothing that a key lacks reaches a value that others get.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use route_runtime::store::{Mark, MemoryStore, Store as _};
use serde::{Deserialize, Serialize};
use tests::log;

use super::*;

#[derive(Deserialize, Serialize)]
struct Login {
    team: u64,
    /// No part of what is written, and so of the key.
    #[serde(skip_serializing, default)]
    user: String,
}

#[cached(skip(runs))]
async fn profile(login: Login, runs: Data<Runs>) -> String {
    format!("{:?} of {} run {}", login.user, login.team, runs.next())
}

#[route("/cached/profile/[user]", dynamic = "force-dynamic")]
async fn show_profile(user: String, runs: Data<Runs>) -> String {
    profile(Login { team: 1, user }, runs).await
}

#[actix_web::test]
async fn a_field_that_the_key_lacks_reaches_no_value() {
    let app = app([show_profile::ROUTE]).await;
    for user in ["ann", "bob"] {
        let found = get(&app, &show_profile::path(user)).await;
        assert_eq!(found, r#""" of 1 run 1"#, "{user}");
    }
    // Neither is it there where there is no cache, as in a unit test.
    let login = Login {
        team: 2,
        user: "ann".into(),
    };
    let runs = Data::new(Runs::default());
    assert_eq!(profile(login, runs).await, r#""" of 2 run 1"#);
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(count: &u8) -> bool {
    *count == 0
}

fn seven() -> u8 {
    7
}

/// Zero is another value when it is read back.
#[derive(Deserialize, Serialize)]
struct Shifted {
    #[serde(skip_serializing_if = "is_zero", default = "seven")]
    count: u8,
}

#[derive(Deserialize, Serialize)]
struct Partly {
    count: u8,
    #[serde(skip)]
    left_out: u8,
}

#[cached]
async fn partly(shifted: Shifted) -> Partly {
    Partly {
        count: shifted.count,
        left_out: 9,
    }
}

async fn seen(count: u8) -> String {
    let Partly { count, left_out } = partly(Shifted { count }).await;
    format!("{count} {left_out}")
}

#[route("/cached/partly/[count]", dynamic = "force-dynamic")]
async fn show_partly(count: u8) -> String {
    seen(count).await
}

#[actix_web::test]
async fn a_function_gets_and_gives_the_same_in_a_handler_and_outside() {
    let app = app([show_partly::ROUTE]).await;
    // Zero has no identity, so the caller's own call is answered with its own value.
    for (count, expected) in [(1, "1 0"), (0, "0 9")] {
        assert_eq!(get(&app, &show_partly::path(count)).await, expected);
        assert_eq!(seen(count).await, expected);
    }
}

#[derive(Deserialize, Serialize)]
struct Strict {
    team: u64,
    /// Cannot be read back without a default.
    #[serde(skip_serializing)]
    user: String,
}

#[cached(skip(runs))]
async fn strict(login: Strict, runs: Data<Runs>) -> String {
    format!("{} of {} run {}", login.user, login.team, runs.next())
}

#[route("/cached/strict/[user]", dynamic = "force-dynamic")]
async fn show_strict(user: String, runs: Data<Runs>) -> String {
    strict(Strict { team: 1, user }, runs).await
}

#[route("/cached/strict/revalidate", dynamic = "force-dynamic")]
async fn revalidate_strict() -> String {
    let user = String::from("ann");
    told(strict::revalidate(Strict { team: 1, user }).await)
}

fn told(result: Result<(), RevalidateError>) -> String {
    match result {
        Ok(()) => "ok".into(),
        Err(error) => error.to_string(),
    }
}

#[actix_web::test]
async fn arguments_that_do_not_read_back_share_nothing_and_run_once_for_each_call() {
    let app = app([show_strict::ROUTE, revalidate_strict::ROUTE]).await;
    for (user, found) in [
        ("ann", "ann of 1 run 1"),
        ("bob", "bob of 1 run 2"),
        ("ann", "ann of 1 run 3"),
    ] {
        assert_eq!(get(&app, &show_strict::path(user)).await, found);
    }
    let error = get(&app, "/cached/strict/revalidate").await;
    for part in [
        "identity::strict`",
        "argument `login`",
        "missing field `user`",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[derive(Clone, Deserialize, Serialize)]
struct Filter {
    words: HashMap<String, u64>,
    numbers: HashMap<i64, bool>,
}

fn filter() -> Filter {
    Filter {
        words: (0..20).map(|it| (format!("word {it}"), it)).collect(),
        numbers: (-10..10).map(|it| (it, it > 0)).collect(),
    }
}

#[cached(skip(runs))]
async fn filtered(by: Filter, more: HashMap<u64, Vec<String>>, runs: Data<Runs>) -> String {
    let count = by.words.len() + by.numbers.len() + more.len();
    format!("{count} run {}", runs.next())
}

fn more() -> HashMap<u64, Vec<String>> {
    (0..20).map(|it| (it, vec![it.to_string()])).collect()
}

#[route("/cached/filtered", dynamic = "force-dynamic")]
async fn show_filtered(runs: Data<Runs>) -> String {
    filtered(filter(), more(), runs).await
}

#[route(POST, "/cached/filtered")]
async fn change_filtered() -> Result<&'static str, RevalidateError> {
    filtered::revalidate(filter(), more()).await?;
    Ok("changed")
}

#[actix_web::test]
async fn equal_maps_are_one_key_which_revalidate_reaches() {
    let app = app([show_filtered::ROUTE, change_filtered::ROUTE]).await;
    for run in 1..4 {
        for _ in 0..8 {
            let found = get(&app, "/cached/filtered").await;
            assert_eq!(found, format!("60 run {run}"));
        }
        assert_eq!(post(&app, "/cached/filtered").await, 200);
    }
}

#[derive(Deserialize, Serialize)]
struct Nested {
    tags: Option<HashSet<u64>>,
}

fn nested() -> Nested {
    Nested {
        tags: Some((0..30).collect()),
    }
}

#[cached(skip(runs))]
async fn with_set(of: Nested, runs: Data<Runs>) -> String {
    let tags = of.tags.unwrap_or_default();
    format!("{} run {}", tags.len(), runs.next())
}

#[route("/cached/with-set", dynamic = "force-dynamic")]
async fn show_with_set(runs: Data<Runs>) -> String {
    with_set(nested(), runs).await
}

#[route("/cached/with-set/revalidate", dynamic = "force-dynamic")]
async fn revalidate_with_set() -> String {
    told(with_set::revalidate(nested()).await)
}

#[actix_web::test]
async fn a_set_within_an_argument_shares_nothing_and_is_named() {
    let app = app([show_with_set::ROUTE, revalidate_with_set::ROUTE]).await;
    log::listen();
    assert_eq!(get(&app, "/cached/with-set").await, "30 run 1");
    assert_eq!(get(&app, "/cached/with-set").await, "30 run 2");
    let lines = log::lines_with("identity::with_set");
    let [line] = lines.as_slice() else {
        panic!("not told once: {lines:?}");
    };
    assert!(
        line.contains("\"of\"") && line.contains("BTreeSet"),
        "{line}"
    );
    let error = get(&app, "/cached/with-set/revalidate").await;
    assert!(error.contains("argument `of`"), "{error}");
}

#[cached(skip(runs))]
async fn of_number(number: f64, maybe: Option<f64>, runs: Data<Runs>) -> String {
    format!("{number:?} {maybe:?} run {}", runs.next())
}

#[route("/cached/number/[number]", dynamic = "force-dynamic")]
async fn show_number(number: f64, runs: Data<Runs>) -> String {
    of_number(0.0, Some(number), runs.clone()).await + " " + &of_number(number, None, runs).await
}

#[actix_web::test]
async fn a_number_that_json_has_not_is_not_mistaken_for_none() {
    let app = app([show_number::ROUTE]).await;
    let two = async |number| {
        let path = format!("/cached/number/{number}");
        [get(&app, &path).await, get(&app, &path).await]
    };
    assert_eq!(
        two("NaN").await,
        [
            "0.0 Some(NaN) run 1 NaN None run 2",
            "0.0 Some(NaN) run 3 NaN None run 4"
        ]
    );
    let kept = "0.0 Some(1.5) run 5 1.5 None run 6";
    assert_eq!(two("1.5").await, [kept, kept]);
    // A zero's sign is the one thing in which equal numbers have two keys.
    let kept = "0.0 Some(-0.0) run 7 -0.0 None run 8";
    assert_eq!(two("-0").await, [kept, kept]);
}

#[derive(Deserialize, Serialize)]
struct Lossy {
    kept: u32,
    #[serde(skip_serializing)]
    lost: u32,
}

impl fmt::Display for Lossy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kept, self.lost)
    }
}

#[cached(skip(runs))]
async fn lossy(runs: Data<Runs>) -> Lossy {
    let run = runs.next();
    Lossy {
        kept: run,
        lost: run,
    }
}

#[cached(skip(runs))]
async fn not_a_number(runs: Data<Runs>) -> BTreeMap<String, Option<f64>> {
    BTreeMap::from([(format!("run {}", runs.next()), Some(f64::NAN))])
}

#[route("/cached/lossy", dynamic = "force-dynamic")]
async fn show_lossy(runs: Data<Runs>) -> String {
    lossy(runs).await.to_string()
}

#[route("/cached/not-a-number", dynamic = "force-dynamic")]
async fn show_not_a_number(runs: Data<Runs>) -> String {
    format!("{:?}", not_a_number(runs).await)
}

#[actix_web::test]
async fn a_result_that_does_not_read_back_is_one_run_for_each_call_and_published_by_none() {
    let store = Arc::new(MemoryStore::new(1_000_000));
    let routes = production([show_lossy::ROUTE, show_not_a_number::ROUTE]);
    let routes = routes.data(Runs::default()).store(Arc::clone(&store));
    let app = TestApp::new(routes).await.unwrap();
    log::listen();
    for run in 1..4 {
        let expected = format!("{run} {run}");
        assert_eq!(get(&app, "/cached/lossy").await, expected);
    }
    let lines = log::lines_with("identity::lossy");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("missing field `lost`"), "{lines:?}");
    for run in 4..6 {
        let expected = format!(r#"{{"run {run}": Some(NaN)}}"#);
        assert_eq!(get(&app, "/cached/not-a-number").await, expected);
    }
    app.settled().await;
    let published = store.invalidations(Mark::START, None).await.unwrap();
    assert_eq!(published.until, Mark::START, "nothing was invalidated");
}
