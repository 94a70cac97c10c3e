use super::*;
use crate::store::{MemoryOptions, logged};

const FOREVER: Lifetime = Lifetime::FOREVER;
const MEGABYTE: u64 = 1_000_000;

#[tokio::test]
async fn endless_new_keys_stay_within_the_bound_and_evict_no_entry_that_is_used() {
    let cache = Cache::with(|config| config.memory = MemoryOptions::with_capacity(4 * MEGABYTE));
    let origin = Origin::numbers(FOREVER);
    cache.get("/used", &origin).await.unwrap();
    for id in 0..100_000 {
        let key = format!("/{id}");
        cache.get(&key, &origin).await.unwrap();
        if id % 1000 == 0 {
            assert_eq!(cache.told("/used", &origin).await, "hit 1", "after {id}");
            assert!(cache.engine.stats().bytes <= 4 * MEGABYTE);
        }
    }
    let stats = cache.engine.stats();
    assert!(
        stats.bytes <= 4 * MEGABYTE && stats.bytes > 2 * MEGABYTE,
        "{stats:?}"
    );
    assert_eq!(stats.evictions + stats.entries, 100_001);
}

#[tokio::test]
async fn failures_and_pass_marks_are_bounded_like_entries() {
    let cache = Cache::with(|config| config.memory = MemoryOptions::with_capacity(MEGABYTE));
    for (id, make) in [share_once as fn(String) -> _, individual]
        .into_iter()
        .cycle()
        .take(20_000)
        .enumerate()
    {
        let origin = Origin::new(move |_, _| async move { make("x".repeat(100)) });
        cache.get(&format!("/{id}"), &origin).await.unwrap();
    }
    let stats = cache.engine.stats();
    assert!(
        stats.bytes <= MEGABYTE && stats.evictions > 1000,
        "{stats:?}"
    );
}

#[tokio::test]
async fn a_thousand_stale_keys_are_answered_at_once_with_few_refreshes() {
    let cache = Cache::with(|config| config.limits.places.refreshes = 16);
    let gate = Gate::closed();
    let lifetime = Lifetime::revalidate(secs(2));
    let fast = Origin::numbers(lifetime);
    let slow = Origin::gated(&gate, move |run| store(format!("new {run}"), lifetime));
    let keys: Vec<String> = (0..1000).map(|id| format!("/{id}")).collect();
    for key in &keys {
        cache.get(key, &fast).await.unwrap();
    }
    cache.hands.advance(secs(2));
    for key in &keys {
        assert!(cache.told(key, &slow).await.starts_with("stale "));
        turns().await;
    }
    assert_eq!((slow.runs(), slow.most()), (8, 8));
    gate.open();
    cache.engine.settled().await;
    // The other entries simply stayed stale. Later requests refresh them.
    for key in &keys {
        cache.get(key, &slow).await.unwrap();
        cache.engine.settled().await;
    }
    assert_eq!((slow.runs(), slow.most()), (1000, 8));
}

#[tokio::test]
async fn ten_thousand_entries_of_an_invalidated_tag_are_rendered_a_few_at_a_time() {
    let cache = Cache::with(|config| config.limits.queue = 20_000);
    let fill = Origin::new(|_, _| async {
        RenderOutcome::store(Text("old".into()), FOREVER).tagged(vec![Tag::from("all")])
    });
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |_| store("new", FOREVER));
    let keys: Vec<String> = (0..10_000).map(|id| format!("/{id}")).collect();
    for key in &keys {
        cache.get(key, &fill).await.unwrap();
    }
    cache.invalidate("all").await;
    let asking: Vec<_> = keys
        .into_iter()
        .map(|key| {
            let (cache, origin) = (cache.clone(), origin.clone());
            tokio::spawn(async move { cache.get(&key, &origin).await })
        })
        .collect();
    cache.until_missed(20_000).await;
    assert_eq!(origin.active(), 64);
    gate.open();
    let answers = all_told(asking).await;
    assert_eq!(tally(&answers), [(10_000, "invalidated new")]);
    assert_eq!((origin.runs(), origin.most()), (10_000, 64));
}

#[tokio::test]
async fn requests_are_turned_away_when_the_queue_is_full() {
    let cache = Cache::with(|config| {
        config.limits.places.renders = 4;
        config.limits.queue = 3;
    });
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), FOREVER));
    let mut asking = Vec::new();
    for (misses, path) in (1..).zip(["/1", "/2", "/3", "/4", "/5", "/6", "/7"]) {
        asking.extend(cache.crowd(1, path, &origin));
        cache.until_missed(misses).await;
    }
    let turned_away = [asking.remove(5), asking.remove(5)];
    for asked in turned_away {
        let overloaded = Failure::Overloaded {
            owner: OWNER,
            retry_after: secs(1),
        };
        assert_eq!(asked.await.unwrap().unwrap_err(), overloaded);
    }
    assert_eq!(cache.engine.stats().overloaded, 2);
    assert_eq!(origin.active(), 2);
    // A render that its caller bounds never queues.
    let data = Origin::numbers(FOREVER);
    let call = Call {
        key: &Key::new("data"),
        slot: None,
        tags: &Arc::from([]),
        also: &[],
        stale: Stale::Serve,
        limit: LIMIT,
        turn: Turn::AtOnce,
        owner: OWNER,
        keep: Keep::Listed,
        parent: None,
    };
    let answer = cache.engine.get_or_render(call, data.render()).await;
    assert_eq!(told(&answer), "miss 1");
    gate.open();
    assert_eq!(all_told(asking).await.len(), 5);
    assert_eq!((origin.runs(), origin.most()), (5, 2));
}

#[tokio::test]
async fn each_spell_of_overload_logs_one_warning() {
    logged::listen();
    let cache = Cache::with(|config| {
        config.limits.places.renders = 1;
        config.limits.queue = 0;
    });
    for (spell, running) in (1..).zip(["/a", "/b"]) {
        let gate = Gate::closed();
        let origin = Origin::gated(&gate, |run| store(run.to_string(), FOREVER));
        let first = cache.crowd(1, running, &origin);
        until(|| origin.active() == 1).await;
        for id in 0..3 {
            let turned_away = cache.get(&format!("/{spell}/{id}"), &origin).await;
            assert!(turned_away.is_err());
        }
        assert_eq!(logged::levels("cache"), vec![tracing::Level::WARN; spell]);
        gate.open();
        assert_eq!(all_told(first).await, ["miss 1"]);
    }
}

#[tokio::test]
async fn a_request_that_queues_too_long_is_turned_away_and_the_failure_is_not_kept() {
    let cache = Cache::with(|config| config.limits.places.renders = 1);
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), FOREVER));
    let first = cache.crowd(1, "/1", &origin);
    cache.until_missed(1).await;
    let second = cache.crowd(5, "/2", &origin);
    cache.until_missed(6).await;
    cache.hands.advance(secs(10));
    let second = all_told(second).await;
    assert_eq!(
        tally(&second),
        [(
            5,
            "failed: too many renders of `tests` are under way or wait"
        )]
    );
    gate.open();
    assert_eq!(all_told(first).await, ["miss 1"]);
    assert_eq!(cache.told("/2", &origin).await, "miss 2");
}

#[tokio::test]
async fn a_value_that_is_too_large_is_shared_but_not_kept() {
    let cache = Cache::with(|config| {
        config.memory = MemoryOptions {
            capacity: MEGABYTE,
            entry_limit: 10_000,
        };
    });
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| match run {
        1 => store("small", Lifetime::revalidate(secs(2))),
        _ => store("x".repeat(10_000), FOREVER),
    });
    assert_eq!(cache.engine.entry_limit(), 10_000);
    gate.admit();
    assert_eq!(cache.told("/a", &origin).await, "miss small");
    cache.hands.advance(secs(2));
    gate.admit();
    assert_eq!(cache.told("/a", &origin).await, "stale small");
    cache.engine.settled().await;
    let asking = cache.crowd(3, "/a", &origin);
    cache.until_missed(4).await;
    gate.open();
    let answers = all_told(asking).await;
    assert!(answers[2].starts_with("miss xxx") && answers[1].starts_with("collapsed xxx"));
    assert_eq!(origin.runs(), 3);
    let stats = cache.engine.stats();
    assert_eq!((stats.oversize, stats.entries), (2, 0));
}

#[tokio::test]
async fn a_cache_without_memory_still_answers() {
    let cache = Cache::with(|config| config.memory = MemoryOptions::with_capacity(0));
    let origin = Origin::numbers(FOREVER);
    assert_eq!(cache.told("/a", &origin).await, "miss 1");
    assert_eq!(cache.told("/a", &origin).await, "miss 2");
    let slot = cache.engine.slot();
    assert_eq!(told(&cache.get_slot(&slot, &origin).await), "miss 3");
    assert_eq!(cache.engine.stats().bytes, 0);
}

#[tokio::test]
async fn slots_count_towards_the_bound_and_are_not_evicted() {
    let cache = Cache::with(|config| config.memory = MemoryOptions::with_capacity(4 * MEGABYTE));
    let large = Origin::new(|_, _| async { store("x".repeat(900_000), FOREVER) });
    let small = Origin::numbers(FOREVER);
    let slots: Vec<_> = (0..3).map(|_| cache.engine.slot()).collect();
    for slot in &slots {
        cache.get_slot(slot, &large).await.unwrap();
    }
    for id in 0..20_000 {
        cache.get(&format!("/{id}"), &small).await.unwrap();
    }
    let stats = cache.engine.stats();
    assert!(
        stats.pinned > 2_700_000 && stats.pinned < 2_702_000,
        "{stats:?}"
    );
    assert!(
        stats.bytes <= 4 * MEGABYTE && stats.entries > 1000,
        "{stats:?}"
    );
    assert!(
        slots
            .iter()
            .all(|slot| cache.engine.lookup_slot(slot, OWNER).is_some())
    );

    // Content that no longer fits is refused. A slot that is dropped gives its bytes back.
    let more: Vec<_> = (0..2).map(|_| cache.engine.slot()).collect();
    for slot in &more {
        cache.get_slot(slot, &large).await.unwrap();
    }
    assert!(cache.engine.lookup_slot(&more[1], OWNER).is_none());
    assert_eq!(cache.engine.stats().oversize, 1);
    drop((slots, more));
    assert_eq!(cache.engine.stats().pinned, 0);
}
