//! Tests of calls that do not wait for others, and do not fail with others.

use std::time::Instant;

use super::*;
use crate::faults::recovers;
use crate::proxy::Proxy;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalidation_does_not_wait_for_a_thousand_reads_and_writes() {
    const BODY: usize = 32 * 1024;
    let server = Redis::start();
    // The writes take four seconds.
    let proxy = Proxy::slow((500 * BODY / 4) as u64, &server);
    let limits = RedisStore::options().connect_limit(PATIENCE);
    let limits = limits.read_limit(PATIENCE).write_limit(PATIENCE);
    let store = Arc::new(limits.connect(&proxy.url()).await.unwrap());
    let mut burst = tokio::task::JoinSet::new();
    for number in 0..1000 {
        let store = Arc::clone(&store);
        burst.spawn(async move {
            let name = format!("/{number}");
            match number % 2 {
                0 => read(&store, &name).await.map(drop),
                _ => {
                    let body = entry(&[7; BODY], Mark::START);
                    store.write(key(&name), body).await.map(drop)
                }
            }
        });
    }
    // By now, all of these wait to be sent.
    tokio::time::sleep(Duration::from_millis(500)).await;
    for number in 1..=10 {
        let begun = Instant::now();
        let made = invalidate(&store, "t").await.unwrap();
        assert_eq!(made.epoch.0, number);
        assert_eq!(all(&store).await.until, made);
        assert!(begun.elapsed() < Duration::from_secs(1), "{number}");
    }
    let mut done = 0;
    while let Some(Ok(ended)) = burst.try_join_next() {
        ended.unwrap();
        done += 1;
    }
    assert!(done < 1000, "the burst has ended already");
    for ended in burst.join_all().await {
        ended.unwrap();
    }
}

#[tokio::test]
async fn reads_that_are_too_slow_do_not_keep_writes_leases_or_invalidations_from_being_made() {
    let server = Redis::start();
    let proxy = Proxy::delaying(Duration::from_millis(150), &server);
    let limits = RedisStore::options().connect_limit(PATIENCE);
    let limits = limits.write_limit(PATIENCE).invalidation_limit(PATIENCE);
    let store = limits.connect(&proxy.url()).await.unwrap();
    let token = route_runtime::store::LeaseToken(1);
    for number in 1..=5 {
        for _ in 0..5 {
            assert!(read(&store, "/a").await.is_err(), "50 ms is too short");
        }
        store
            .write(key("/a"), entry(b"a", Mark::START))
            .await
            .unwrap();
        let made = invalidate(&store, "t").await.unwrap();
        assert_eq!(made.epoch.0, number);
        for _ in 0..5 {
            assert!(store.release(key("/a"), token).await.is_err());
        }
        store.remove(key("/a")).await.unwrap();
        assert_eq!(all(&store).await.until, made);
    }
}

#[tokio::test]
async fn a_silent_connection_for_entries_keeps_no_invalidation_from_being_made() {
    let server = Redis::start();
    let proxy = Proxy::marking(b":e:", &server);
    let limits = RedisStore::options().connect_limit(Duration::from_millis(500));
    let store = limits.connect(&proxy.url()).await.unwrap();
    recovers(async || store.write(key("/a"), entry(b"a", Mark::START)).await).await;
    proxy.freeze(true);
    let begun = Instant::now();
    for number in 1..=20 {
        assert!(read(&store, "/a").await.is_err());
        let made = recovers(async || invalidate(&store, "t").await).await;
        assert!(made.epoch.0 >= number);
    }
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    proxy.freeze(false);
    recovers(async || read(&store, "/a").await).await.unwrap();
}

#[tokio::test]
async fn a_silent_connection_for_invalidations_keeps_no_entry_from_being_read() {
    let server = Redis::start();
    let proxy = Proxy::marking(b"a tag that is only here", &server);
    let options = RedisStore::options().connect_limit(Duration::from_millis(500));
    let options = options.read_limit(PATIENCE).write_limit(PATIENCE);
    let limit = Duration::from_millis(100);
    let store = options.invalidation_limit(limit);
    let store = store.connect(&proxy.url()).await.unwrap();
    store
        .write(key("/a"), entry(b"a", Mark::START))
        .await
        .unwrap();
    proxy.freeze(true);
    for _ in 0..20 {
        let begun = Instant::now();
        assert!(invalidate(&store, "a tag that is only here").await.is_err());
        assert!(begun.elapsed() < PATIENCE / 4, "{:?}", begun.elapsed());
        read(&store, "/a").await.unwrap().unwrap();
        store
            .write(key("/a"), entry(b"a", Mark::START))
            .await
            .unwrap();
    }
    proxy.freeze(false);
    recovers(async || invalidate(&store, "t").await).await;
}
