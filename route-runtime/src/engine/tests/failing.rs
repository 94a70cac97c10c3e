use super::*;
use crate::store::logged;

/// Makes an origin whose runs follow a script. Its words name ways to fail, and any other run
/// stores its number.
fn scripted(lifetime: Lifetime, script: &'static [&'static str]) -> Origin {
    Origin::new(move |run, _| async move {
        match script.get(run - 1) {
            Some(&"fail") => share_once("500"),
            Some(&"panic") => panic!("expected by a test"),
            Some(&"hang") => std::future::pending().await,
            _ => store(run.to_string(), lifetime),
        }
    })
}

#[tokio::test]
async fn while_refreshes_fail_the_old_entry_stays_and_attempts_rest() {
    let cache = Cache::new();
    let origin = scripted(
        Lifetime::revalidate(secs(2)),
        &["1", "fail", "fail", "panic"],
    );
    assert_eq!(cache.told("/a", &origin).await, "miss 1");
    let mut now = 0;
    for (at, runs) in [
        (1999, 1),
        (2000, 2), // Fails: the next attempt is 3 s later, not 2.
        (2001, 2),
        (4000, 2),
        (4999, 2),
        (5000, 3), // Fails again.
        (7999, 3),
        (8000, 4), // Panics.
        (10_999, 4),
        (11_000, 5), // Recovers.
    ] {
        cache.hands.advance(ms(at - now));
        now = at;
        let told = cache.told("/a", &origin).await;
        let expected = if at < 2000 { "hit 1" } else { "stale 1" };
        assert_eq!(told, expected, "at {at} ms");
        cache.engine.settled().await;
        assert_eq!(origin.runs(), runs, "at {at} ms");
    }
    assert_eq!(cache.told("/a", &origin).await, "hit 5");
    cache.hands.advance(secs(2));
    assert_eq!(cache.told("/a", &origin).await, "stale 5");
    cache.engine.settled().await;
    assert_eq!(cache.told("/a", &origin).await, "hit 6");
}

#[tokio::test]
async fn the_rest_after_a_failed_refresh_is_the_lifetime_within_three_to_thirty_seconds() {
    for (revalidate, rest) in [(0, 3), (1, 3), (3, 3), (6, 6), (30, 30), (1000, 30)] {
        let cache = Cache::new();
        let origin = scripted(Lifetime::revalidate(secs(revalidate)), &["1", "fail"]);
        cache.get("/a", &origin).await.unwrap();
        cache.hands.advance(secs(revalidate));
        cache.get("/a", &origin).await.unwrap();
        cache.engine.settled().await;
        cache.hands.advance(secs(rest) - ms(1));
        cache.get("/a", &origin).await.unwrap();
        cache.engine.settled().await;
        assert_eq!(origin.runs(), 2, "revalidate = {revalidate}");
        cache.hands.advance(ms(1));
        cache.get("/a", &origin).await.unwrap();
        cache.engine.settled().await;
        assert_eq!(origin.runs(), 3, "revalidate = {revalidate}");
    }
}

#[tokio::test]
async fn a_refresh_that_hangs_is_cut_off_and_the_entry_rests() {
    let cache = Cache::new();
    let origin = scripted(Lifetime::revalidate(secs(2)), &["1", "hang"]);
    cache.get("/a", &origin).await.unwrap();
    cache.hands.advance(secs(2));
    assert_eq!(cache.told("/a", &origin).await, "stale 1");
    until(|| origin.active() == 1).await;
    logged::listen();
    cache.hands.advance(LIMIT);
    cache.engine.settled().await;
    assert_eq!(logged::levels("cache"), [tracing::Level::WARN]);
    assert_eq!(cache.told("/a", &origin).await, "stale 1");
    assert_eq!(origin.runs(), 2);
    cache.hands.advance(secs(3));
    assert_eq!(cache.told("/a", &origin).await, "stale 1");
    cache.engine.settled().await;
    assert_eq!(cache.told("/a", &origin).await, "hit 3");
}

#[tokio::test]
async fn an_expired_entry_does_not_come_back_when_its_render_fails() {
    let cache = Cache::new();
    let lifetime = Lifetime::revalidate(secs(2)).expire(secs(10));
    let origin = scripted(lifetime, &["1", "fail"]);
    cache.get("/a", &origin).await.unwrap();
    cache.hands.advance(secs(10));
    assert_eq!(cache.told("/a", &origin).await, "expired 500");
    assert_eq!(cache.told("/a", &origin).await, "collapsed 500");
    cache.hands.advance(secs(1));
    assert_eq!(cache.told("/a", &origin).await, "miss 3");
}

#[tokio::test]
async fn a_request_that_waits_for_a_failing_refresh_gets_the_failure_and_the_entry_stays() {
    let cache = Cache::new();
    let origin = scripted(Lifetime::revalidate(secs(2)), &["1", "fail"]);
    cache.get("/a", &origin).await.unwrap();
    cache.hands.advance(secs(2));
    let answer = cache.ask("/a", Stale::Refetch, None, &origin).await;
    assert_eq!(told(&answer), "expired 500");
    assert_eq!(cache.told("/a", &origin).await, "stale 1");
    assert_eq!(origin.runs(), 2);
}
