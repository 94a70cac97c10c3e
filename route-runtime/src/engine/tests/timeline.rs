use super::*;
use crate::engine::{Bypass, Status};

/// Runs fast renders with `revalidate = 2`. Each step is a time and the answer expected then.
#[tokio::test]
async fn a_stale_entry_is_served_once_and_then_the_new_one() {
    let cache = Cache::new();
    let origin = Origin::numbers(Lifetime::revalidate(secs(2)));
    let mut now = 0;
    for (at, expected) in [
        (0, "miss 1"),
        (500, "hit 1"),
        (1010, "hit 1"),
        (1999, "hit 1"),
        (2000, "stale 1"),
        (2500, "hit 2"),
        (3999, "hit 2"),
        (4090, "stale 2"),
        (4810, "hit 3"),
        (6089, "hit 3"),
        (6090, "stale 3"),
    ] {
        cache.hands.advance(ms(at - now));
        now = at;
        assert_eq!(cache.told("/a", &origin).await, expected, "at {at} ms");
        cache.engine.settled().await;
    }
    assert_eq!(origin.runs(), 4);
}

#[tokio::test]
async fn every_request_during_a_slow_refresh_gets_the_old_entry() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let lifetime = Lifetime::revalidate(secs(2));
    let origin = Origin::gated(&gate, move |run| store(run.to_string(), lifetime));
    gate.admit();
    assert_eq!(cache.told("/a", &origin).await, "miss 1");
    cache.hands.advance(secs(3));
    for _ in 0..5 {
        assert_eq!(cache.told("/a", &origin).await, "stale 1");
        cache.hands.advance(ms(100));
        turns().await;
    }
    gate.admit();
    cache.engine.settled().await;
    // The age of the new entry counts from now, when its render has finished.
    cache.hands.advance(ms(1999));
    let answer = cache.get("/a", &origin).await.unwrap();
    assert_eq!((body(&answer), answer.age), ("2", ms(1999)));
    assert_eq!(answer.status, Status::Hit(Some(0)));
    assert_eq!(origin.runs(), 2);
}

#[tokio::test]
async fn without_requests_nothing_is_rendered() {
    let cache = Cache::new();
    let origin = Origin::numbers(Lifetime::revalidate(secs(2)));
    assert_eq!(cache.told("/a", &origin).await, "miss 1");
    cache.hands.advance(secs(100_000));
    turns().await;
    assert_eq!(origin.runs(), 1);
    let answer = cache.get("/a", &origin).await.unwrap();
    assert_eq!(answer.status, Status::Stale(Some(-99_998)));
    assert_eq!((body(&answer), answer.age), ("1", secs(100_000)));
}

#[tokio::test]
async fn an_expired_entry_is_not_served() {
    let cache = Cache::new();
    let origin = Origin::numbers(Lifetime::revalidate(secs(2)).expire(secs(10)));
    assert_eq!(cache.told("/a", &origin).await, "miss 1");
    cache.hands.advance(secs(10));
    let answer = cache.get("/a", &origin).await.unwrap();
    assert_eq!(answer.status, Status::Expired { stored: true });
    assert_eq!(body(&answer), "2");
    cache.hands.advance(ms(9_999));
    assert_eq!(cache.told("/a", &origin).await, "stale 2");
}

#[tokio::test]
async fn an_entry_with_an_unlimited_lifetime_stays_fresh_for_ever() {
    let cache = Cache::new();
    let origin = Origin::numbers(Lifetime::FOREVER);
    assert_eq!(cache.told("/a", &origin).await, "miss 1");
    cache.hands.advance(secs(1_000_000_000));
    let answer = cache.get("/a", &origin).await.unwrap();
    assert_eq!(answer.status, Status::Hit(None));
    assert_eq!(origin.runs(), 1);
}

#[tokio::test]
async fn an_entry_that_is_never_fresh_is_refreshed_at_each_request() {
    let cache = Cache::new();
    let origin = Origin::numbers(Lifetime::revalidate(secs(0)));
    for expected in ["miss 1", "stale 1", "stale 2", "stale 3"] {
        assert_eq!(cache.told("/a", &origin).await, expected);
        cache.engine.settled().await;
    }
}

#[tokio::test]
async fn a_slot_answers_like_a_key() {
    let cache = Cache::new();
    let slot = cache.engine.slot();
    let origin = Origin::numbers(Lifetime::revalidate(secs(2)));
    assert!(cache.engine.lookup_slot(&slot, OWNER).is_none());
    assert_eq!(told(&cache.get_slot(&slot, &origin).await), "miss 1");
    assert_eq!(told(&cache.get_slot(&slot, &origin).await), "hit 1");
    assert!(cache.engine.lookup_slot(&slot, OWNER).is_some());
    cache.hands.advance(secs(2));
    assert!(cache.engine.lookup_slot(&slot, OWNER).is_none());
    assert_eq!(told(&cache.get_slot(&slot, &origin).await), "stale 1");
    cache.engine.settled().await;
    assert_eq!(told(&cache.get_slot(&slot, &origin).await), "hit 2");
    cache.invalidate("/slot").await;
    assert!(cache.engine.lookup_slot(&slot, OWNER).is_none());
    assert_eq!(told(&cache.get_slot(&slot, &origin).await), "invalidated 3");
}

#[tokio::test]
async fn a_lookup_finds_a_fresh_entry_and_starts_no_render() {
    let cache = Cache::new();
    let origin = Origin::numbers(Lifetime::revalidate(secs(2)));
    assert!(cache.engine.lookup("/a", OWNER).is_none());
    cache.get("/a", &origin).await.unwrap();
    cache.hands.advance(secs(1));
    let hit = cache.engine.lookup("/a", OWNER).unwrap();
    assert_eq!((hit.age, hit.ttl), (secs(1), Some(1)));
    assert_eq!(hit.entry.value().0, "1");
    cache.hands.advance(secs(1));
    assert!(cache.engine.lookup("/a", OWNER).is_none());
    cache.engine.settled().await;
    assert_eq!(origin.runs(), 1);
}

#[tokio::test]
async fn a_lookup_finds_a_stale_entry_once_its_refresh_has_begun() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| {
        store(run.to_string(), Lifetime::revalidate(secs(2)))
    });
    gate.admit();
    cache.get("/a", &origin).await.unwrap();
    cache.hands.advance(secs(2));
    assert!(
        cache.engine.lookup("/a", OWNER).is_none(),
        "nobody refreshes it"
    );
    assert_eq!(cache.told("/a", &origin).await, "stale 1");
    let hit = cache.engine.lookup("/a", OWNER).unwrap();
    assert_eq!(
        (hit.status(), &*hit.entry.value().0),
        (Status::Stale(Some(0)), "1")
    );
    // A look-up is not counted, because its caller may still ask.
    assert_eq!(cache.engine.stats().stale, 1);
    cache.engine.count(&hit);
    assert_eq!(cache.engine.stats().stale, 2);
    gate.open();
    cache.engine.settled().await;
    assert_eq!(
        (cache.told("/a", &origin).await, origin.runs()),
        ("hit 2".into(), 2)
    );
}

#[tokio::test]
async fn requests_are_counted_as_hits_stale_or_misses() {
    let cache = Cache::new();
    let origin = Origin::numbers(Lifetime::revalidate(secs(2)));
    cache.get("/a", &origin).await.unwrap();
    cache.get("/a", &origin).await.unwrap();
    let hit = cache.engine.lookup("/a", OWNER).unwrap();
    cache.engine.count(&hit);
    cache.hands.advance(secs(2));
    cache.get("/a", &origin).await.unwrap();
    cache.engine.settled().await;
    let stats = cache.engine.stats();
    assert_eq!((stats.hits, stats.stale, stats.misses), (2, 1, 1));
    assert_eq!((stats.renders, stats.refreshes), (2, 1));
    assert_eq!((stats.entries, stats.evictions), (1, 0));
    assert!(stats.bytes > 0 && stats.bytes < 2000, "{stats:?}");
}

#[tokio::test]
async fn each_request_is_counted_once() {
    let cache = Cache::new();
    let origin = Origin::new(|run, _| async move {
        match run {
            1 => share_once("failed"),
            2 => individual("own"),
            _ => store(run.to_string(), Lifetime::revalidate(secs(2))),
        }
    });
    let check = async |path: &str, expected: &str, counts: (u64, u64, u64)| {
        assert_eq!(cache.told(path, &origin).await, expected);
        cache.engine.settled().await;
        let stats = cache.engine.stats();
        assert_eq!(
            (stats.hits, stats.stale, stats.misses),
            counts,
            "{expected}"
        );
    };
    check("/a", "miss failed", (0, 0, 1)).await;
    check("/a", "collapsed failed", (0, 0, 2)).await;
    check("/b", "bypass own", (0, 0, 3)).await;
    check("/b", "bypass 3", (0, 0, 4)).await;
    check("/c", "miss 4", (0, 0, 5)).await;
    check("/c", "hit 4", (1, 0, 5)).await;
    cache.hands.advance(secs(2));
    check("/c", "stale 4", (1, 1, 5)).await;
}

#[test]
fn each_status_has_the_word_that_operators_know() {
    for (status, word) in [
        (Status::Hit(None), "hit"),
        (Status::Stale(Some(-3)), "stale"),
        (Status::Miss { stored: true }, "miss"),
        (Status::Expired { stored: true }, "expired"),
        (Status::Invalidated { stored: false }, "invalidated"),
        (Status::Collapsed, "collapsed"),
        (Status::Bypass(Bypass::Cycle), "bypass"),
    ] {
        assert_eq!(status.as_str(), word);
    }
}
