//! Limits on how long, and how often, a cached function runs.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join;

use super::*;

static BEGUN: Gate = Gate::new();

/// A cached function whose first run hangs, while later runs do not.
#[cached(skip(runs))]
async fn hanging(runs: Data<Runs>) -> u32 {
    match runs.next() {
        1 => {
            BEGUN.open();
            pending().await
        }
        run => run,
    }
}

#[route("/cached/hanging", dynamic = "force-dynamic")]
async fn show_hanging(runs: Data<Runs>) -> String {
    hanging(runs).await.to_string()
}

#[actix_web::test]
async fn a_run_that_takes_too_long_fails_for_all_who_wait_and_is_not_repeated_by_each() {
    let app = app([show_hanging::ROUTE]).await;
    let time = async {
        BEGUN.pass().await;
        app.advance(60 * SECOND);
    };
    let asked = join_all([(); 3].map(async |()| {
        let found = app.get(&show_hanging::path()).await;
        (found.status().as_u16(), found.text().to_owned())
    }));
    let (all, ()) = join(asked, time).await;
    assert!(all.iter().all(|(status, _)| *status == 500), "{all:?}");
    // The failure is shared for a second.
    let next = app.get(&show_hanging::path()).await;
    assert_eq!(next.status(), 500);
    app.advance(2 * SECOND);
    assert_eq!(get(&app, &show_hanging::path()).await, "2");
    assert_eq!(get(&app, &show_hanging::path()).await, "2");
}

static LONG: [Gate; 2] = [Gate::new(), Gate::new()];

#[cached(skip(runs))]
async fn long(runs: Data<Runs>) -> u32 {
    LONG[0].open();
    LONG[1].pass().await;
    runs.next()
}

#[cached(skip(runs))]
async fn longer(runs: Data<Runs>) -> u32 {
    long(runs).await
}

#[route("/cached/long/[id]", revalidate = false, max_duration = 90)]
async fn show_long(id: String, runs: Data<Runs>) -> String {
    format!("{id} {}", longer(runs).await)
}

#[actix_web::test]
async fn a_function_that_a_route_calls_may_run_as_long_as_the_route() {
    let app = app([show_long::ROUTE]).await;
    let time = async {
        LONG[0].pass().await;
        app.advance(89 * SECOND);
        // Leave time for a wrong limit to end the run.
        for _ in 0..10_000 {
            tokio::task::yield_now().await;
        }
        LONG[1].open();
        // If the run were given up, it would start again; let that second run end as well.
        LONG[1].open();
    };
    let (found, ()) = join(get(&app, "/cached/long/a"), time).await;
    assert_eq!(found, "a 1");
    assert_eq!(get(&app, "/cached/long/b").await, "b 1");
}

static SHORT: [Gate; 2] = [Gate::new(), Gate::new()];

#[cached(skip(runs))]
async fn lasting(runs: Data<Runs>) -> u32 {
    SHORT[0].open();
    SHORT[1].pass().await;
    runs.next()
}

#[route("/cached/short/[id]", revalidate = false, max_duration = 1)]
async fn show_short(id: String, runs: Data<Runs>) -> String {
    format!("{id} {}", lasting(runs).await)
}

#[route("/cached/lasting", dynamic = "force-dynamic")]
async fn show_lasting(runs: Data<Runs>) -> String {
    lasting(runs).await.to_string()
}

/// A caller with less time gives up alone.
#[actix_web::test]
async fn a_run_goes_on_after_the_route_that_started_it_has_timed_out() {
    let app = app([show_short::ROUTE, show_lasting::ROUTE]).await;
    let short = app.get("/cached/short/a");
    let time = async {
        SHORT[0].pass().await;
        app.advance(SECOND);
    };
    let (found, ()) = join(short, time).await;
    assert_eq!(found.status(), 504);
    let others = join_all([(); 2].map(|()| get(&app, "/cached/lasting")));
    let time = async {
        until_missed(&app, 3).await;
        SHORT[1].open();
    };
    let (found, ()) = join(others, time).await;
    assert_eq!(found, ["1", "1"]);
    app.advance(2 * SECOND);
    assert_eq!(get(&app, "/cached/short/a").await, "a 1");
}

/// Waits until the cache has had this many misses.
async fn until_missed(app: &TestApp, times: u64) {
    while app.routes().stats().misses < times {
        tokio::task::yield_now().await;
    }
}

static ROUND: [Gate; 2] = [Gate::new(), Gate::new()];

/// A cached function that calls `other` the first time it runs.
#[cached(skip(runs, others))]
async fn one(runs: Data<Runs>, others: Data<AtomicU32>) -> u32 {
    let run = runs.next();
    if run == 1 {
        ROUND[0].open();
        ROUND[1].pass().await;
        other(runs, others).await;
    }
    run
}

#[cached(skip(runs, others))]
async fn other(runs: Data<Runs>, others: Data<AtomicU32>) -> u32 {
    others.fetch_add(1, Ordering::SeqCst);
    one(runs, others).await
}

#[route("/cached/round/one", dynamic = "force-dynamic")]
async fn round_one(runs: Data<Runs>, others: Data<AtomicU32>) -> String {
    one(runs, others).await.to_string()
}

#[route("/cached/round/other", dynamic = "force-dynamic")]
async fn round_other(runs: Data<Runs>, others: Data<AtomicU32>) -> String {
    other(runs, others).await.to_string()
}

#[route("/cached/round/runs", dynamic = "force-dynamic")]
async fn round_runs(runs: Data<Runs>) -> String {
    runs.count().to_string()
}

#[actix_web::test]
async fn a_function_that_runs_alone_because_of_a_cycle_runs_once() {
    let routes = production([round_one::ROUTE, round_other::ROUTE, round_runs::ROUTE]);
    let routes = routes.data(Runs::default());
    let app = TestApp::new(routes.data(AtomicU32::new(0))).await.unwrap();
    let second = async {
        ROUND[0].pass().await;
        get(&app, "/cached/round/other").await
    };
    let third = async {
        // The misses are `one`, `other`, and `one` again, which `other` calls.
        until_missed(&app, 3).await;
        ROUND[1].open();
    };
    let first = get(&app, "/cached/round/one");
    let (first, second, ()) = tokio::join!(first, second, third);
    // Whichever call finds that it would wait for itself runs `one` alone.
    assert_eq!(first, "1");
    assert!(["1", "2"].contains(&&*second), "{second}");
    assert_eq!(get(&app, "/cached/round/runs").await, "2");
}
