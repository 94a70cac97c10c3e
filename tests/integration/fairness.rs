//! Places for renders, and threads: handlers that hang or block leave enough to the others.

use std::future::pending;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use futures_util::future::{join, join_all};
use route_runtime::testing::{Outcome, TestApp};
use route_runtime::{Mode, Routes, after, cached, route};
use tests::{Gate, production};

#[route("/fairness/hangs/[id]", revalidate = 60, max_duration = 100)]
async fn hangs(id: u32) -> String {
    match id {
        0 => "answers".into(),
        _ => pending().await,
    }
}

#[route("/fairness/other/[id]", revalidate = 60)]
async fn other(id: u32) -> String {
    id.to_string()
}

#[actix_web::test]
async fn a_handler_over_its_share_is_named_and_no_other_waits_for_it() {
    let app = TestApp::new(production([hangs::ROUTE, other::ROUTE]).renders(2))
        .await
        .unwrap();
    let two: Vec<_> = (1..=2).map(hangs::path).collect();
    let refused = async {
        let all = join_all(two.iter().map(|path| app.get(path))).await;
        all.into_iter()
            .find(|reply| reply.status() == 503)
            .expect("one waits for the other, for too long")
    };
    let others = async {
        while app.routes().stats().misses < 2 {
            tokio::task::yield_now().await;
        }
        for id in 0..20 {
            assert_eq!(app.get(&other::path(id)).await.text(), id.to_string());
        }
        let stats = app.routes().stats();
        let [share] = &stats.shares[..] else {
            panic!("{stats:?}");
        };
        assert_eq!(share.handler, "/fairness/hangs/[id]");
        assert_eq!((share.running, share.waiting), (1, 1));
        // Several times, because the one that waits may not have looked at the clock yet.
        for turn in 0_u32.. {
            if turn % 100_000 == 0 {
                app.advance(Duration::from_secs(10));
            }
            if app.routes().stats().overloaded > 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        // Only one waits any more, for its own limit.
        app.advance(Duration::from_secs(100));
    };
    let (refused, ()) = join(refused, others).await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(
        refused.text(),
        r#"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"too many renders of `/fairness/hangs/[id]` are under way or wait"}"#
    );
    let stats = app.routes().stats();
    assert_eq!((stats.overloaded, stats.shares[0].overloaded), (1, 1));
    // It has its place back.
    let answer = app.get(&hangs::path(0)).await;
    assert_eq!(
        (answer.text(), answer.outcome()),
        ("answers", Some(Outcome::Miss))
    );
}

/// A wall that handlers run into, and that keeps their threads until it is taken down.
struct Wall {
    is_down: Mutex<bool>,
    changed: Condvar,
}

impl Wall {
    const fn new() -> Self {
        Self {
            is_down: Mutex::new(false),
            changed: Condvar::new(),
        }
    }

    /// Blocks the thread.
    fn run_into(&self) {
        let is_down = self.is_down.lock().unwrap();
        drop(self.changed.wait_while(is_down, |is_down| !*is_down));
    }

    fn take_down(&self) {
        *self.is_down.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

static HANDLERS: Wall = Wall::new();

#[route("/fairness/blocks/one/[id]", revalidate = 60, max_duration = 2)]
async fn blocks_one(id: u32) -> String {
    HANDLERS.run_into();
    id.to_string()
}

#[route("/fairness/blocks/two/[id]", revalidate = 60, max_duration = 2)]
async fn blocks_two(id: u32) -> String {
    // Gives its thread back once, so that it looks harmless.
    tokio::task::yield_now().await;
    HANDLERS.run_into();
    id.to_string()
}

#[actix_web::test]
async fn handlers_that_block_their_threads_hold_up_no_other_and_keep_their_limit() {
    let all = [blocks_one::ROUTE, blocks_two::ROUTE, other::ROUTE];
    let app = TestApp::new(production(all)).await.unwrap();
    let paths = (0..40).flat_map(|id| [blocks_one::path(id), blocks_two::path(id)]);
    let paths: Vec<_> = paths.collect();
    let blocked = join_all(paths.iter().map(|path| app.get(path)));
    let others = async {
        for id in 0..50 {
            assert_eq!(app.get(&other::path(id)).await.text(), id.to_string());
        }
        // Each is answered, although its handler never returns.
        app.advance(Duration::from_secs(2));
    };
    let (blocked, ()) = join(blocked, others).await;
    for reply in blocked {
        assert_eq!(reply.status(), 504);
        assert_eq!(
            reply.header("cache-status"),
            Some("route; fwd=miss; detail=timeout")
        );
    }
    HANDLERS.take_down();
}

static FUNCTIONS: Wall = Wall::new();

#[cached]
async fn blocking_value(id: u32) -> u32 {
    FUNCTIONS.run_into();
    id
}

#[cached]
async fn value(id: u32) -> u32 {
    tokio::task::yield_now().await;
    id
}

#[route("/fairness/function/[id]", revalidate = 60, max_duration = 2)]
async fn blocks_a_function(id: u32) -> String {
    blocking_value(id).await.to_string()
}

#[route("/fairness/value/[id]", dynamic = "force-dynamic")]
async fn calls(id: u32) -> String {
    value(id).await.to_string()
}

#[actix_web::test]
async fn cached_functions_that_block_their_threads_hold_up_no_other() {
    let app = TestApp::new(production([
        blocks_a_function::ROUTE,
        calls::ROUTE,
        other::ROUTE,
    ]))
    .await
    .unwrap();
    let paths: Vec<_> = (0..40).map(blocks_a_function::path).collect();
    let blocked = join_all(paths.iter().map(|path| app.get(path)));
    let others = async {
        for id in 0..50 {
            assert_eq!(app.get(&calls::path(id)).await.text(), id.to_string());
            assert_eq!(app.get(&other::path(id)).await.text(), id.to_string());
        }
        app.advance(Duration::from_secs(2));
    };
    let (blocked, ()) = join(blocked, others).await;
    assert!(blocked.iter().all(|reply| reply.status() == 504));
    FUNCTIONS.take_down();
}

static LISTS: Wall = Wall::new();

async fn never_lists() -> Vec<u32> {
    LISTS.run_into();
    vec![1]
}

#[route(
    "/fairness/listed/[id]",
    static_params = never_lists,
    dynamic_params = false,
    max_duration = 2
)]
async fn listed(id: u32) -> String {
    id.to_string()
}

#[actix_web::test]
async fn static_params_that_block_their_thread_hold_up_no_other_and_keep_their_limit() {
    let routes = Routes::from_iter([listed::ROUTE, other::ROUTE]).unwrap();
    let app = TestApp::new(routes.mode(Mode::Development)).await.unwrap();
    let path = listed::path(1);
    let blocked = app.get(&path);
    let others = async {
        for id in 0..50 {
            assert_eq!(app.get(&other::path(id)).await.text(), id.to_string());
        }
        app.advance(Duration::from_secs(2));
    };
    let (blocked, ()) = join(blocked, others).await;
    assert_eq!(blocked.status(), 503);
    LISTS.take_down();
}

static WORK: Wall = Wall::new();
static DONE: Gate = Gate::new();

#[route("/fairness/after/blocks", dynamic = "force-dynamic")]
async fn leaves_blocking_work() -> &'static str {
    after(async { WORK.run_into() });
    "left"
}

#[route("/fairness/after/done", dynamic = "force-dynamic")]
async fn leaves_work() -> &'static str {
    after(async { DONE.open() });
    "left"
}

#[actix_web::test]
async fn work_after_responses_that_blocks_its_thread_holds_up_no_other() {
    let routes = production([leaves_blocking_work::ROUTE, leaves_work::ROUTE]);
    let app = TestApp::new(routes).await.unwrap();
    for _ in 0..10 {
        app.get("/fairness/after/blocks").await;
    }
    for _ in 0..10 {
        app.get("/fairness/after/done").await;
        DONE.pass().await;
    }
    WORK.take_down();
}
