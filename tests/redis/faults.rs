//! Servers that are gone, empty, full, silent, or none.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use super::*;
use crate::proxy::Proxy;

/// Tries until it works.
async fn recovers<T>(what: impl AsyncFn() -> Result<T, StoreError>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match what().await {
            Ok(done) => return done,
            Err(error) => assert!(Instant::now() < deadline, "it recovers: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Takes what was told until now, so that only what is told from here on is heard.
async fn nothing_new(store: &RedisStore) {
    while tokio::time::timeout(Duration::ZERO, store.changed())
        .await
        .is_ok()
    {}
}

/// Fails unless every method does, each soon.
async fn fails(store: &RedisStore) {
    let begun = Instant::now();
    let kept = entry(b"body", 0);
    assert!(store.read(key("/a")).await.is_err());
    assert!(store.write(key("/a"), kept).await.is_err());
    assert!(store.remove(key("/a")).await.is_err());
    assert!(invalidate(store, "t").await.is_err());
    assert!(store.invalidations(Epoch(0)).await.is_err());
    assert!(store.lease(key("/a"), PATIENCE).await.is_err());
    let token = route_runtime::store::LeaseToken(1);
    assert!(store.release(key("/a"), token).await.is_err());
    // The limits are 50 ms for three and a second for four, but it is given up before that.
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_server_that_is_killed_and_restarted_empty_is_found_again() {
    let mut server = Redis::start();
    let store = patient(&server.url()).await;
    for _ in 0..5 {
        invalidate(&store, "t").await.unwrap();
    }
    store.write(key("/a"), entry(b"a", 5)).await.unwrap();
    server.kill();
    assert!(store.read(key("/a")).await.is_err());
    fails(&store).await;
    nothing_new(&store).await;
    let changed = store.changed();
    server.restart();
    // Who is connected again has to look what it has missed.
    tokio::time::timeout(PATIENCE, changed)
        .await
        .unwrap()
        .unwrap();
    let news = recovers(async || store.invalidations(Epoch(5)).await).await;
    assert!(news.until > Epoch(5) && news.floor.absent > Epoch(5) && news.floor.stale > Epoch(5));
    assert!(invalidate(&store, "t").await.unwrap() > news.until);
}

#[tokio::test]
async fn a_server_that_keeps_a_log_goes_on_where_it_was() {
    let mut server = Redis::with(&[
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
    ]);
    let store = patient(&server.url()).await;
    invalidate(&store, "t").await.unwrap();
    store.write(key("/a"), entry(b"a", 1)).await.unwrap();
    server.kill();
    server.restart();
    let read = recovers(async || store.read(key("/a")).await).await;
    assert_eq!(*read.unwrap().body, *b"a");
    let news = store.invalidations(Epoch(0)).await.unwrap();
    assert_eq!((news.until, news.floor.latest()), (Epoch(1), Epoch(0)));
    assert_eq!(invalidate(&store, "t").await.unwrap(), Epoch(2));
}

#[tokio::test]
async fn a_server_that_is_emptied_invalidates_all_once_for_every_instance() {
    let server = Redis::start();
    let [here, there] = [patient(&server.url()).await, patient(&server.url()).await];
    for _ in 0..5 {
        invalidate(&here, "t").await.unwrap();
    }
    for store in [&here, &there] {
        assert_eq!(store.invalidations(Epoch(0)).await.unwrap().until, Epoch(5));
    }
    here.write(key("/a"), entry(b"a", 5)).await.unwrap();
    server.ask(&["FLUSHALL"]);
    // Whoever reads notices, and is told to look.
    nothing_new(&there).await;
    assert_eq!(there.read(key("/a")).await.unwrap(), None);
    tokio::time::timeout(PATIENCE, there.changed())
        .await
        .unwrap()
        .unwrap();
    let news = there.invalidations(Epoch(5)).await.unwrap();
    assert_eq!(
        (news.until, news.floor.absent, news.floor.stale),
        (Epoch(6), Epoch(6), Epoch(6))
    );
    let news = here.invalidations(Epoch(5)).await.unwrap();
    assert_eq!(
        (news.until, news.floor.absent, news.floor.stale),
        (Epoch(6), Epoch(6), Epoch(6))
    );
    // Once.
    here.write(key("/a"), entry(b"new", 6)).await.unwrap();
    assert_eq!(*there.read(key("/a")).await.unwrap().unwrap().body, *b"new");
    assert_eq!(invalidate(&there, "t").await.unwrap(), Epoch(7));
    assert_eq!(
        here.invalidations(Epoch(6)).await.unwrap().floor.absent,
        Epoch(6)
    );
    // One that comes first finds nothing to make up for.
    server.ask(&["FLUSHALL"]);
    let newcomer = patient(&server.url()).await;
    assert_eq!(invalidate(&newcomer, "t").await.unwrap(), Epoch(1));
    // But those that were there do, and so does the newcomer when they have.
    assert!(invalidate(&here, "t").await.unwrap() > Epoch(7));
    assert!(newcomer.invalidations(Epoch(1)).await.unwrap().floor.absent > Epoch(7));
}

#[tokio::test]
async fn a_replica_that_was_behind_and_tags_that_were_thrown_away_are_noticed() {
    let server = Redis::start();
    let store = patient(&server.url()).await;
    for _ in 0..5 {
        invalidate(&store, "t").await.unwrap();
    }
    server.ask(&["HSET", "{route}:1:record", "last", "3"]);
    assert_eq!(store.read(key("/a")).await.unwrap(), None);
    let news = store.invalidations(Epoch(5)).await.unwrap();
    assert_eq!((news.until, news.floor.absent), (Epoch(6), Epoch(6)));

    invalidate(&store, "t").await.unwrap();
    server.ask(&["DEL", "{route}:1:absent"]);
    let news = patient(&server.url())
        .await
        .invalidations(Epoch(0))
        .await
        .unwrap();
    assert_eq!((news.until, news.floor.absent), (Epoch(7), Epoch(7)));
}

#[tokio::test]
async fn a_server_that_is_stopped_costs_no_more_than_the_limit() {
    let server = Redis::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    recovers(async || store.write(key("/a"), entry(b"a", 0)).await).await;
    server.signal("STOP");
    let begun = Instant::now();
    for _ in 0..100 {
        assert!(store.read(key("/a")).await.is_err());
    }
    // Three wait for 50 ms; the others know.
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    fails(&store).await;
    server.signal("CONT");
    let read = recovers(async || store.read(key("/a")).await).await;
    assert_eq!(*read.unwrap().body, *b"a");
}

#[tokio::test]
async fn an_instance_that_was_cut_off_is_told_to_look_what_it_has_missed() {
    let server = Redis::start();
    let proxy = Proxy::to(&server);
    let options = RedisStore::options().connect_limit(Duration::from_millis(500));
    let options = options.read_limit(Duration::from_secs(1));
    let [near, cut_off] = [
        patient(&server.url()).await,
        options.connect(&proxy.url()).await.unwrap(),
    ];
    invalidate(&near, "before").await.unwrap();
    let news = recovers(async || cut_off.invalidations(Epoch(0)).await).await;
    assert_eq!(news.until, Epoch(1));
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
    let news = recovers(async || cut_off.invalidations(Epoch(1)).await).await;
    assert_eq!(news.until, Epoch(2));
    assert_eq!(news.tags[0].0.as_str(), "meanwhile");
}

#[tokio::test]
async fn a_server_that_is_slow_is_not_given_up() {
    let server = Redis::start();
    let options = RedisStore::options().read_limit(Duration::from_millis(50));
    let options = options.write_limit(PATIENCE).connect_limit(PATIENCE);
    let store = options.connect(&server.url()).await.unwrap();
    store.write(key("/a"), entry(b"a", 0)).await.unwrap();
    let connections = || {
        let stats = server.ask(&["INFO", "stats"]);
        let line = stats
            .lines()
            .find_map(|it| it.strip_prefix("total_connections_received:"));
        line.unwrap().trim().parse::<u64>().unwrap()
    };
    let before = connections();
    server.signal("STOP");
    let late = store.invalidations(Epoch(0));
    let reads = async {
        for _ in 0..10 {
            assert!(store.read(key("/a")).await.is_err());
        }
        server.signal("CONT");
    };
    // What had been asked before is answered, as late as it is.
    let (late, ()) = futures_util::future::join(late, reads).await;
    late.unwrap();
    let read = recovers(async || store.read(key("/a")).await).await;
    assert_eq!(*read.unwrap().body, *b"a");
    assert_eq!(connections(), before + 1, "but for the one that asks");
}

#[tokio::test]
async fn a_server_that_is_full_says_so() {
    let server = Redis::start();
    let store = patient(&server.url()).await;
    invalidate(&store, "t").await.unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    server.ask(&["CONFIG", "SET", "maxmemory", "1mb"]);
    let large = vec![7; 2_000_000];
    // It looks before each command whether it is full, not whether it will be.
    let mut fit = 0;
    while store
        .write(key(&format!("/{fit}")), entry(&large, 0))
        .await
        .is_ok()
    {
        fit += 1;
        assert!(fit < 5, "it is full");
    }
    let error = invalidate(&store, "u").await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("OOM"), "{cause}");
    // It can still be read.
    assert_eq!(store.read(key("/a")).await.unwrap(), None);
    assert_eq!(store.invalidations(Epoch(0)).await.unwrap().until, Epoch(1));
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(invalidate(&store, "u").await.unwrap(), Epoch(2));
    store.write(key("/a"), entry(&large, 2)).await.unwrap();
}

#[tokio::test]
async fn what_is_no_redis_fails_soon_and_harms_nothing() {
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
        // Ends with the process: it waits for connections.
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
async fn where_nobody_listens_a_store_waits_for_somebody() {
    let port = server::free_port();
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
    recovers(async || store.write(key("/a"), entry(b"a", 0)).await).await;
}
