use std::sync::Mutex;

use super::*;
use crate::engine::Hit;
use crate::engine::config::{BackgroundTask, Spawn};

const TWO: Lifetime = Lifetime::revalidate(secs(2));

#[tokio::test]
async fn two_hundred_requests_for_an_absent_key_share_one_render() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), TWO));
    let asking = cache.crowd(200, "/a", &origin);
    cache.until_missed(200).await;
    gate.open();
    let answers = all_told(asking).await;
    assert_eq!(tally(&answers), [(199, "collapsed 1"), (1, "miss 1")]);
    assert_eq!(origin.runs(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_requests_for_an_absent_key_on_several_threads_share_one_render() {
    for _ in 0..50 {
        let cache = Cache::new();
        let origin = Origin::numbers(Lifetime::FOREVER);
        let answers = all_told(cache.crowd(200, "/a", &origin)).await;
        assert!(
            answers.iter().all(|told| told.ends_with(" 1")),
            "{answers:?}"
        );
        assert_eq!(origin.runs(), 1);
    }
}

#[tokio::test]
async fn two_hundred_requests_for_a_stale_entry_start_one_refresh_and_do_not_wait_for_it() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), TWO));
    gate.admit();
    cache.get("/a", &origin).await.unwrap();
    cache.hands.advance(secs(2));
    // The gate is closed: these are answered while the refresh hangs.
    let answers = all_told(cache.crowd(200, "/a", &origin)).await;
    assert_eq!(tally(&answers), [(200, "stale 1")]);
    gate.open();
    cache.engine.settled().await;
    assert_eq!(cache.told("/a", &origin).await, "hit 2");
    assert_eq!(origin.runs(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_requests_for_a_stale_entry_on_several_threads_start_one_refresh() {
    let cache = Cache::new();
    let origin = Origin::numbers(TWO);
    cache.get("/a", &origin).await.unwrap();
    for round in 2..50 {
        cache.hands.advance(secs(2));
        all_told(cache.crowd(200, "/a", &origin)).await;
        cache.engine.settled().await;
        assert_eq!(origin.runs(), round);
    }
}

/// Walks over the same keys on several threads. So one thread often looks a key up just before the
/// render of another thread lands, and leads just after.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_that_arrives_as_a_render_lands_does_not_render_again() {
    const KEYS: usize = 5000;
    let cache = Cache::new();
    let origin = Origin::numbers(TWO);
    for round in 1..=3 {
        let walkers: Vec<_> = (0..4)
            .map(|_| {
                let (cache, origin) = (cache.clone(), origin.clone());
                tokio::spawn(async move {
                    for key in 0..KEYS {
                        cache.get(&format!("/{key}"), &origin).await.unwrap();
                    }
                })
            })
            .collect();
        for walker in walkers {
            walker.await.unwrap();
        }
        cache.engine.settled().await;
        // The first round finds nothing; the others find everything stale.
        for key in 0..KEYS {
            cache.get(&format!("/{key}"), &origin).await.unwrap();
            cache.engine.settled().await;
        }
        assert_eq!(origin.runs(), KEYS * round);
        cache.hands.advance(secs(2));
    }
}

#[tokio::test]
async fn a_request_that_holds_an_entry_refreshed_meanwhile_starts_no_refresh() {
    let cache = Cache::new();
    let origin = Origin::numbers(TWO);
    let Content::Entry(entry) = cache.get("/a", &origin).await.unwrap().content else {
        panic!("not stored");
    };
    cache.hands.advance(secs(2));
    cache.get("/a", &origin).await.unwrap();
    cache.engine.settled().await;
    let late = Hit {
        entry,
        age: secs(2),
        ttl: Some(0),
        is_stale: true,
        is_verified: true,
    };
    let call = Call {
        key: &Key::new("/a"),
        slot: None,
        tags: &Arc::from([]),
        also: &[],
        stale: Stale::Serve,
        limit: LIMIT,
        turn: Turn::Queue,
        owner: OWNER,
        keep: Keep::Listed,
        parent: None,
    };
    cache.engine.0.start_refresh(&call, &late, &origin.render());
    cache.engine.settled().await;
    assert_eq!(origin.runs(), 2);
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_no_other_request() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), TWO));
    let leader = cache.crowd(1, "/a", &origin).remove(0);
    cache.until_missed(1).await;
    let others = cache.crowd(199, "/a", &origin);
    cache.until_missed(200).await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    gate.open();
    let answers = all_told(others).await;
    assert_eq!(tally(&answers), [(199, "collapsed 1")]);
    assert_eq!(origin.runs(), 1);
}

#[tokio::test]
async fn a_render_whose_clients_have_all_gone_is_stored_all_the_same() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), TWO));
    let leader = cache.crowd(1, "/a", &origin).remove(0);
    cache.until_missed(1).await;
    leader.abort();
    assert!(leader.await.is_err());
    gate.open();
    cache.engine.settled().await;
    assert_eq!(cache.told("/a", &origin).await, "hit 1");
}

/// Makes 200 requests while the render is held up, and then gives its outcome to all of them. Then
/// makes one more request within the second, and one after it.
async fn check_shared_once(origin: Origin, gate: Gate, first: &str, second: &str) {
    let cache = Cache::new();
    let asking = cache.crowd(200, "/a", &origin);
    cache.until_missed(200).await;
    gate.open();
    let answers = all_told(asking).await;
    let told: Vec<&str> = answers.iter().map(String::as_str).collect();
    assert!(told.iter().all(|told| told.ends_with(first)), "{told:?}");
    assert_eq!((told.len(), origin.runs()), (200, 1));
    cache.hands.advance(ms(999));
    assert!(cache.told("/a", &origin).await.ends_with(first));
    assert_eq!(origin.runs(), 1);
    cache.hands.advance(ms(1));
    assert!(cache.told("/a", &origin).await.ends_with(second));
    assert_eq!(origin.runs(), 2);
}

#[tokio::test]
async fn a_failed_render_is_shared_by_all_waiting_requests_and_for_a_second() {
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| share_once(format!("500/{run}")));
    check_shared_once(origin, gate, "500/1", "500/2").await;
}

#[tokio::test]
async fn a_panic_of_a_render_is_shared_by_all_waiting_requests_and_for_a_second() {
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| panic!("expected by a test, run {run}"));
    check_shared_once(origin, gate, "run 1", "run 2").await;
}

#[tokio::test]
async fn a_panic_before_there_is_a_future_is_caught_too() {
    let cache = Cache::new();
    fn at_once(run: usize, _: Ancestry<Key>) -> Made {
        panic!("expected by a test, run {run}")
    }
    let origin = Origin::new(at_once);
    let answer = cache.get("/a", &origin).await;
    assert_eq!(
        answer.unwrap_err(),
        Failure::Panicked("expected by a test, run 1".into())
    );
}

#[tokio::test]
async fn a_render_that_hangs_is_cut_off_at_the_limit_for_all_waiting_requests() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), TWO));
    let asking = cache.crowd(200, "/a", &origin);
    cache.until_missed(200).await;
    until(|| origin.runs() == 1).await;
    cache.hands.advance(LIMIT - ms(1));
    turns().await;
    assert_eq!(origin.active(), 1);
    cache.hands.advance(ms(1));
    let answers = all_told(asking).await;
    assert_eq!(tally(&answers), [(200, "failed: the render took too long")]);
    assert_eq!((origin.runs(), origin.active()), (1, 0));
    // No task is left that waits for time to pass.
    assert_eq!(cache.hands.sleepers(), 0);
}

/// A spawner that drops its first tasks unfinished, as a runtime does that shuts down.
struct Dropping {
    first: Mutex<usize>,
    then: Handle,
}

impl Spawn for Dropping {
    fn spawn(&self, task: BackgroundTask) {
        let mut left = self.first.lock().unwrap();
        if *left > 0 {
            *left -= 1;
        } else {
            drop(self.then.spawn(task));
        }
    }
}

fn dropping(first: usize) -> Cache {
    Cache::with(|config| {
        config.spawn = Arc::new(Dropping {
            first: Mutex::new(first),
            then: Handle::current(),
        });
    })
}

#[tokio::test]
async fn requests_that_waited_for_a_dropped_render_ask_again() {
    let cache = dropping(3);
    let origin = Origin::numbers(TWO);
    let answers = all_told(cache.crowd(200, "/a", &origin)).await;
    assert!(
        answers.iter().all(|told| told.ends_with(" 1")),
        "{answers:?}"
    );
    assert_eq!(origin.runs(), 1);
}

#[tokio::test]
async fn a_runtime_that_is_gone_is_an_error_and_not_a_hang() {
    let cache = dropping(usize::MAX);
    let origin = Origin::numbers(TWO);
    let answer = cache.get("/a", &origin).await;
    assert_eq!(answer.unwrap_err(), Failure::Abandoned);
}

#[tokio::test]
async fn a_task_dropped_midway_wakes_the_requests_that_wait() {
    let cache = Cache::new();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let (first, second) = (runtime.handle().clone(), Handle::current());
    let engine = {
        let (clock, _hands) = Clock::manual();
        Cache::engine(clock, |config| {
            config.spawn = Arc::new(Midway {
                first: Mutex::new(Some(first)),
                then: second,
            });
        })
    };
    let cache = Cache {
        engine,
        hands: cache.hands,
        keep: Keep::Listed,
    };
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), TWO));
    let asking = cache.crowd(20, "/a", &origin);
    until(|| origin.active() == 1).await;
    cache.until_missed(20).await;
    runtime.shutdown_background();
    until(|| origin.runs() == 2).await;
    gate.open();
    let answers = all_told(asking).await;
    assert!(
        answers.iter().all(|told| told.ends_with(" 2")),
        "{answers:?}"
    );
}

/// A spawner that runs the first task on one runtime and the others on another.
struct Midway {
    first: Mutex<Option<Handle>>,
    then: Handle,
}

impl Spawn for Midway {
    fn spawn(&self, task: BackgroundTask) {
        let first = self.first.lock().unwrap().take();
        drop(first.as_ref().unwrap_or(&self.then).spawn(task));
    }
}
