//! Tests of servers that are gone, empty, full or silent, or that are no Redis.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use route_runtime::store::{Epoch, Risen};

use super::*;
use crate::proxy::Proxy;

/// Repeats an operation until it succeeds, and fails if it does not recover in time.
pub(crate) async fn recovers<T>(what: impl AsyncFn() -> Result<T, StoreError>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match what().await {
            Ok(done) => return done,
            Err(error) => assert!(Instant::now() < deadline, "it recovers: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Consumes the notifications so far, so that only later ones are seen.
pub(crate) async fn nothing_new(store: &RedisStore) {
    while tokio::time::timeout(Duration::ZERO, store.changed())
        .await
        .is_ok()
    {}
}

/// Checks that every method fails, and fails soon.
async fn fails(store: &RedisStore) {
    let begun = Instant::now();
    let kept = entry(b"body", Mark::START);
    assert!(read(store, "/a").await.is_err());
    assert!(store.write(key("/a"), kept).await.is_err());
    assert!(store.remove(key("/a")).await.is_err());
    assert!(invalidate(store, "t").await.is_err());
    assert!(store.invalidations(Mark::START, None).await.is_err());
    assert!(store.lease(key("/a"), PATIENCE).await.is_err());
    let token = route_runtime::store::LeaseToken(1);
    assert!(store.renew(key("/a"), token, PATIENCE).await.is_err());
    assert!(store.release(key("/a"), token).await.is_err());
    // The limits are 50 ms for three methods and a second for five, but the store gives up sooner.
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_store_reconnects_to_a_server_that_restarted_empty_and_invalidates_all() {
    let mut server = Redis::start();
    let store = patient(&server.url()).await;
    let mut seen = Mark::START;
    for _ in 0..5 {
        seen = invalidate(&store, "t").await.unwrap();
    }
    store.write(key("/a"), entry(b"a", seen)).await.unwrap();
    server.kill();
    assert!(read(&store, "/a").await.is_err());
    fails(&store).await;
    nothing_new(&store).await;
    let changed = store.changed();
    server.restart();
    // A store that is connected again has to look for what it has missed.
    tokio::time::timeout(PATIENCE, changed)
        .await
        .unwrap()
        .unwrap();
    let news = recovers(async || store.invalidations(seen, None).await).await;
    assert!(news.until.epoch > seen.epoch);
    assert!(news.floor.absent > seen.epoch && news.floor.stale > seen.epoch);
    let next = invalidate_as(&store, "t", news.until).await.unwrap();
    assert!(next.epoch > news.until.epoch);
}

#[tokio::test]
async fn a_server_with_an_append_only_file_restarts_with_its_entries_and_epochs() {
    let mut server = Redis::with(&[
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
    ]);
    let store = patient(&server.url()).await;
    let first = invalidate(&store, "t").await.unwrap();
    store.write(key("/a"), entry(b"a", first)).await.unwrap();
    server.kill();
    server.restart();
    let read = recovers(async || read(&store, "/a").await).await;
    assert_eq!(*read.unwrap().body, *b"a");
    let news = recovers(async || store.invalidations(Mark::START, None).await).await;
    assert_eq!((news.until, news.floor), (first, Risen::default()));
    let next = invalidate_as(&store, "t", first).await.unwrap();
    assert_eq!(next.epoch, Epoch(2));
}

#[tokio::test]
async fn emptying_a_server_invalidates_everything_once_for_every_instance() {
    let server = Redis::start();
    let [here, there] = [patient(&server.url()).await, patient(&server.url()).await];
    let mut seen = Mark::START;
    for _ in 0..5 {
        seen = invalidate(&here, "t").await.unwrap();
    }
    for store in [&here, &there] {
        assert_eq!(all(store).await.until, seen);
    }
    here.write(key("/a"), entry(b"a", seen)).await.unwrap();
    server.ask(&["FLUSHALL"]);
    // A store that reads notices the loss, and is notified that there are invalidations.
    nothing_new(&there).await;
    assert_eq!(there.read(key("/a"), seen).await.unwrap(), None);
    tokio::time::timeout(PATIENCE, there.changed())
        .await
        .unwrap()
        .unwrap();
    let risen = Risen {
        absent: Epoch(6),
        stale: Epoch(6),
    };
    let news = there.invalidations(seen, None).await.unwrap();
    assert_eq!((news.until.epoch, news.floor), (Epoch(6), risen));
    let again = here.invalidations(seen, None).await.unwrap();
    assert_eq!((again.until, again.floor), (news.until, risen));
    // The loss counts once: an entry that is written afterwards stays valid.
    let seen = news.until;
    here.write(key("/a"), entry(b"new", seen)).await.unwrap();
    let found = there.read(key("/a"), seen).await.unwrap();
    assert_eq!(*found.unwrap().body, *b"new");
    let seen = invalidate_as(&there, "t", seen).await.unwrap();
    assert_eq!(seen.epoch, Epoch(7));
    let news = here.invalidations(news.until, None).await.unwrap();
    assert_eq!((news.until, news.floor), (seen, risen));
    // A new store that comes first has no loss to make up for.
    server.ask(&["FLUSHALL"]);
    let newcomer = patient(&server.url()).await;
    let first = invalidate(&newcomer, "t").await.unwrap();
    assert_eq!(first.epoch, Epoch(1));
    // The stores that were there before have, and so has the new store once they have noticed.
    let next = invalidate_as(&here, "t", seen).await.unwrap();
    assert!(next.epoch > Epoch(8));
    let news = newcomer.invalidations(first, None).await.unwrap();
    assert_eq!(news.floor.absent, Epoch(8));
}

#[tokio::test]
async fn a_replica_that_was_behind_and_evicted_parts_of_the_record_are_noticed() {
    let server = Redis::start();
    let store = patient(&server.url()).await;
    let mut seen = Mark::START;
    for _ in 0..5 {
        seen = invalidate(&store, "t").await.unwrap();
    }
    server.ask(&["HSET", "{route}:2:record", "last", "3"]);
    assert_eq!(store.read(key("/a"), seen).await.unwrap(), None);
    let news = store.invalidations(seen, None).await.unwrap();
    assert_eq!((news.until.epoch, news.floor.absent), (Epoch(6), Epoch(6)));

    invalidate(&store, "t").await.unwrap();
    server.ask(&["DEL", "{route}:2:absent"]);
    let news = all(&patient(&server.url()).await).await;
    assert_eq!((news.until.epoch, news.floor.absent), (Epoch(7), Epoch(7)));

    // Without the words, nobody knows whether the last number is still that of the last call.
    let seen = news.until;
    server.ask(&["DEL", "{route}:2:words"]);
    assert_eq!(store.read(key("/a"), seen).await.unwrap(), None);
    for _ in 0..2 {
        let news = store.invalidations(seen, None).await.unwrap();
        assert_eq!((news.until.epoch, news.floor.absent), (Epoch(8), Epoch(8)));
    }

    // The record alone is gone, and the entries stay.
    store
        .write(key("/a"), entry(b"a", Mark::START))
        .await
        .unwrap();
    server.ask(&["DEL", "{route}:2:record"]);
    let newcomer = patient(&server.url()).await;
    invalidate(&newcomer, "t").await.unwrap();
    assert_eq!(read(&newcomer, "/a").await.unwrap(), None);
}

#[tokio::test]
async fn a_stopped_server_costs_no_more_than_the_time_limit() {
    let server = Redis::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    recovers(async || store.write(key("/a"), entry(b"a", Mark::START)).await).await;
    server.signal("STOP");
    let begun = Instant::now();
    for _ in 0..100 {
        assert!(read(&store, "/a").await.is_err());
    }
    // Three calls wait for 50 ms each; the others fail at once.
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    fails(&store).await;
    server.signal("CONT");
    // The server may still do what it was sent, such as removing the entry.
    let kept = entry(b"b", Mark::START);
    recovers(async || store.write(key("/b"), kept.clone()).await).await;
    let read = recovers(async || read(&store, "/b").await).await;
    assert_eq!(*read.unwrap().body, *b"b");
}

#[tokio::test]
async fn a_store_that_was_cut_off_is_notified_of_what_it_has_missed() {
    let server = Redis::start();
    let proxy = Proxy::to(&server);
    let options = RedisStore::options().connect_limit(Duration::from_millis(500));
    let options = options.read_limit(Duration::from_secs(1));
    let [near, cut_off] = [
        patient(&server.url()).await,
        options.connect(&proxy.url()).await.unwrap(),
    ];
    invalidate(&near, "before").await.unwrap();
    let news = recovers(async || cut_off.invalidations(Mark::START, None).await).await;
    let seen = news.until;
    assert_eq!(seen.epoch, Epoch(1));
    nothing_new(&cut_off).await;
    proxy.cut(true);
    invalidate(&near, "meanwhile").await.unwrap();
    let changed = cut_off.changed();
    fails(&cut_off).await;
    proxy.cut(false);
    tokio::time::timeout(PATIENCE, changed)
        .await
        .unwrap()
        .unwrap();
    let news = recovers(async || cut_off.invalidations(seen, None).await).await;
    assert_eq!(news.until.epoch, Epoch(2));
    assert_eq!(news.tags[0].0.as_str(), "meanwhile");
}

#[tokio::test]
async fn a_slow_server_keeps_its_connection() {
    let server = Redis::start();
    let options = RedisStore::options().read_limit(Duration::from_millis(50));
    let options = options.invalidation_limit(PATIENCE).connect_limit(PATIENCE);
    let store = options.connect(&server.url()).await.unwrap();
    store
        .write(key("/a"), entry(b"a", Mark::START))
        .await
        .unwrap();
    let connections = || {
        let stats = server.ask(&["INFO", "stats"]);
        let line = stats
            .lines()
            .find_map(|it| it.strip_prefix("total_connections_received:"));
        line.unwrap().trim().parse::<u64>().unwrap()
    };
    let before = connections();
    server.signal("STOP");
    let late = store.invalidations(Mark::START, None);
    let reads = async {
        for _ in 0..10 {
            assert!(read(&store, "/a").await.is_err());
        }
        server.signal("CONT");
    };
    // The call before the reads is answered, however late.
    let (late, ()) = futures_util::future::join(late, reads).await;
    late.unwrap();
    let read = recovers(async || read(&store, "/a").await).await;
    assert_eq!(*read.unwrap().body, *b"a");
    assert_eq!(connections(), before + 1, "but for the one that asks");
}

#[tokio::test]
async fn a_full_server_takes_invalidations_and_makes_room_for_more() {
    let server = Redis::start();
    let store = patient(&server.url()).await;
    invalidate(&store, "t").await.unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    server.ask(&["CONFIG", "SET", "maxmemory", "8mb"]);
    let large = vec![7; 100_000];
    let fill = async |round: u32| {
        for number in 0..1000 {
            let written = entry(&large, Mark::START);
            let name = format!("/{round}/{number}");
            if store.write(key(&name), written).await.is_err() {
                return server.ask(&["KEYS", "*:e:*"]).lines().count();
            }
        }
        panic!("it is full");
    };
    let entries = fill(0).await;
    assert!(entries > 20, "{entries}");
    for round in 1..=20 {
        // The first one has the reserve. The next may come before there is a reserve again.
        for _ in 0..3 {
            invalidate(&store, "u").await.unwrap();
        }
        assert!(all(&store).await.tags.len() == 2, "{round}");
        // Entries may be removed just now, on another connection than that of invalidations.
        recovers(async || match fill(round).await {
            0 => Err(StoreError::new("there is no entry")),
            _ => Ok(()),
        })
        .await;
    }
    let reserve = || server.ask(&["STRLEN", "{route}:2:reserve"]);
    recovers(async || match &*reserve() {
        "1048576" => Ok(()),
        other => Err(StoreError::new(other)),
    })
    .await;
}

#[tokio::test]
async fn a_server_that_others_have_filled_refuses_writes_and_can_still_be_read() {
    let server = Redis::start();
    let store = patient(&server.url()).await;
    invalidate(&store, "t").await.unwrap();
    server.ask(&["SET", "foreign", &"x".repeat(4_000_000)]);
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    server.ask(&["CONFIG", "SET", "maxmemory", "2mb"]);
    let written = store.write(key("/a"), entry(b"a", Mark::START)).await;
    assert!(written.is_err());
    // There is a reserve for one, and nothing to remove for another.
    let second = invalidate(&store, "u").await.unwrap();
    let error = invalidate(&store, "u").await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("OOM"), "{cause}");
    // Reads still work.
    assert_eq!(read(&store, "/a").await.unwrap(), None);
    assert_eq!(all(&store).await.until, second);
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    let third = invalidate_as(&store, "u", second).await.unwrap();
    assert_eq!(third.epoch, Epoch(3));
    store.write(key("/a"), entry(b"a", third)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_no_redis_fails_soon_and_does_no_harm() {
    let answers: [&'static [u8]; 7] = [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n",
        b"-ERR no\r\n-ERR no\r\n-ERR no\r\n-ERR no\r\n-ERR no\r\n",
        b"$999999999999\r\nx",
        b"*2147483647\r\n*2147483647\r\n*2147483647\r\n",
        b"\xff\0\xff\0\r\n:\r\n*-7\r\n",
    ];
    for answer in answers {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        // This thread ends with the process: until then, it waits for connections.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    while stream.read(&mut [0; 1024]).is_ok_and(|read| read > 0)
                        && !answer.is_empty()
                        && stream.write_all(answer).is_ok()
                    {}
                });
            }
        });
        let options = RedisStore::options().connect_limit(Duration::from_millis(500));
        let begun = Instant::now();
        let store = options.connect(&url).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(10));
        fails(&store).await;
    }
}

#[tokio::test]
async fn a_store_connects_once_a_server_listens() {
    let port = tests::free_port();
    let store = RedisStore::connect(&format!("redis://127.0.0.1:{port}"))
        .await
        .unwrap();
    fails(&store).await;
    let changed = store.changed();
    let _server = Redis::on(port);
    tokio::time::timeout(PATIENCE, changed)
        .await
        .unwrap()
        .unwrap();
    recovers(async || store.write(key("/a"), entry(b"a", Mark::START)).await).await;
}

#[tokio::test]
async fn a_lease_that_is_granted_too_late_is_given_back() {
    let server = Redis::start();
    let options = RedisStore::options().write_limit(PATIENCE);
    let store = options.connect(&server.url()).await.unwrap();
    server.ask(&["CLIENT", "PAUSE", "300"]);
    let late = store.lease(key("/a"), Duration::from_secs(600)).await;
    assert!(late.is_err(), "{late:?}");
    // The server answers in order: by this answer, it has granted the lease.
    store
        .write(key("/b"), entry(b"body", Mark::START))
        .await
        .unwrap();
    recovers(async || match server.ask(&["KEYS", "*:l:*"]) {
        none if none.is_empty() => Ok(()),
        leases => Err(StoreError::new(leases)),
    })
    .await;
}
