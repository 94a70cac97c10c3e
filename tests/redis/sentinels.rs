//! Tests of the store with servers that sentinels watch.

use std::time::Instant;

use route_runtime::store::Risen;

use super::*;
use crate::faults::{nothing_new, recovers};
use crate::sharding::{eventually, hears};

/// A primary and its replica, which have a password, and a sentinel with another password.
struct Watched {
    primary: Redis,
    replica: Redis,
    sentinel: Redis,
}

const SERVER: [&str; 6] = ["--save", "", "--requirepass", "a", "--masterauth", "a"];

impl Watched {
    fn start() -> Self {
        let primary = Redis::with(&SERVER);
        let of = format!("127.0.0.1 {}", primary.port);
        let replica = [&SERVER[..], &["--replicaof", &of]].concat();
        let replica = Redis::with(&replica);
        eventually("the replica has caught up", || {
            let info = replica.ask_as("a", &["INFO", "replication"]);
            info.contains("master_link_status:up")
        });
        let sentinel = Redis::sentinel(&watch(&primary), &["--requirepass", "b"]);
        eventually("the sentinel knows the replica", || {
            let replicas = sentinel.ask_as("b", &["SENTINEL", "REPLICAS", "main"]);
            replicas.contains(&replica.port.to_string())
        });
        Self {
            primary,
            replica,
            sentinel,
        }
    }

    fn url(&self) -> String {
        // The first sentinel is away.
        format!(
            "redis-sentinel://:a@127.0.0.1:{},127.0.0.1:{}/main/0?sentinel_password=b",
            tests::free_port(),
            self.sentinel.port
        )
    }
}

/// Returns the configuration of a sentinel that watches a server by the name `main`.
fn watch(server: &Redis) -> String {
    format!(
        "sentinel monitor main 127.0.0.1 {} 1\nsentinel auth-pass main a\n\
         sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 6000\n",
        server.port
    )
}

/// Sentinels rest for 30 s if they find that their machine is too busy.
const PATIENCE: Duration = Duration::from_secs(90);

async fn soon(store: &RedisStore) {
    let heard = tokio::time::timeout(PATIENCE, store.changed());
    heard.await.expect("it has a connection again").unwrap();
}

fn options() -> RedisStoreOptions {
    let options = RedisStore::options().connect_limit(Duration::from_secs(1));
    let options = options.read_limit(Duration::from_secs(1));
    options
        .write_limit(Duration::from_secs(5))
        .invalidation_limit(Duration::from_secs(5))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_goes_on_with_the_server_that_sentinels_make_the_primary() {
    let mut watched = Watched::start();
    let store = options().connect(&watched.url()).await.unwrap();
    let first = recovers(async || invalidate(&store, "t").await).await;
    recovers(async || store.write(key("/a"), entry(b"a", first)).await).await;
    let size = |server: &Redis| server.ask_as("a", &["DBSIZE"]);
    eventually("the replica has everything", || {
        size(&watched.replica) == size(&watched.primary)
    });
    watched.primary.kill();
    nothing_new(&store).await;
    soon(&store).await;
    let read = recovers(async || store.read(key("/a"), first).await).await;
    assert_eq!(*read.unwrap().body, *b"a");
    let second = recovers(async || invalidate_as(&store, "t", first).await).await;
    assert!(second.epoch > first.epoch);
    let news = all(&store).await;
    assert_eq!((news.until, news.floor), (second, Risen::default()));
    assert!(watched.replica.ask_as("a", &["ROLE"]).starts_with("master"));
    // The old primary comes back, and is made a replica. The store stays.
    watched.primary.restart();
    let written = entry(b"new", second);
    assert!(store.write(key("/a"), written).await.unwrap());
    eventually("it is a replica that has caught up", || {
        let info = watched.primary.ask_as("a", &["INFO", "replication"]);
        info.contains("master_link_status:up")
    });
    assert_eq!(
        *store.read(key("/a"), second).await.unwrap().unwrap().body,
        *b"new"
    );
    // Now back again, as asked. The server that is left for it lives on, as a replica.
    eventually("it can be made the primary", || {
        watched
            .sentinel
            .ask_as("b", &["SENTINEL", "FAILOVER", "main"])
            == "OK"
    });
    nothing_new(&store).await;
    soon(&store).await;
    let deadline = Instant::now() + PATIENCE;
    while !watched.primary.ask_as("a", &["ROLE"]).starts_with("master") {
        assert!(Instant::now() < deadline, "it is the primary");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let next = recovers(async || invalidate_as(&store, "t", second).await).await;
    assert!(next.epoch > second.epoch);
    assert_eq!(all(&store).await.floor, Risen::default());
}

/// A server that was cut off from the sentinels does not know that it is no longer the primary.
#[tokio::test]
async fn a_store_leaves_a_primary_that_the_sentinels_no_longer_name() {
    let [old, new] = [Redis::with(&SERVER), Redis::with(&SERVER)];
    let sentinel = Redis::sentinel(&watch(&old), &[]);
    let url = format!("redis-sentinel://:a@127.0.0.1:{}/main", sentinel.port);
    let store = patient(&url).await;
    invalidate(&store, "t").await.unwrap();
    assert_eq!(sentinel.ask(&["SENTINEL", "REMOVE", "main"]), "OK");
    let port = new.port.to_string();
    let named = sentinel.ask(&["SENTINEL", "MONITOR", "main", "127.0.0.1", &port, "1"]);
    assert_eq!(named, "OK");
    nothing_new(&store).await;
    hears(&store).await;
    recovers(async || {
        invalidate(&store, "t").await?;
        match new.ask_as("a", &["EXISTS", "{route}:2:record"]).as_str() {
            "1" => Ok(()),
            _ => Err(StoreError::new("it is at the old server")),
        }
    })
    .await;
}

#[tokio::test]
async fn the_sentinel_that_knows_of_the_latest_fail_over_is_believed() {
    let [old, new] = [Redis::with(&SERVER), Redis::with(&SERVER)];
    let since = watch(&new) + "sentinel config-epoch main 7\nsentinel current-epoch 7\n";
    let outdated = Redis::sentinel(&watch(&old), &[]);
    let current = Redis::sentinel(&since, &[]);
    for hosts in [[&outdated, &current], [&current, &outdated]] {
        let hosts = hosts.map(|it| format!("127.0.0.1:{}", it.port));
        let url = format!("redis-sentinel://:a@{}/main", hosts.join(","));
        invalidate(&patient(&url).await, "t").await.unwrap();
    }
    assert_eq!(new.ask_as("a", &["HGET", "{route}:2:record", "last"]), "2");
    assert_eq!(old.ask_as("a", &["DBSIZE"]), "0");
}

#[tokio::test]
async fn a_name_that_the_sentinels_do_not_know_is_reported() {
    let server = Redis::with(&SERVER);
    let sentinel = Redis::sentinel(&watch(&server), &[]);
    let url = format!("redis-sentinel://:a@127.0.0.1:{}/other", sentinel.port);
    let store = patient(&url).await;
    let error = read(&store, "/a").await.unwrap_err().to_string();
    assert!(error.contains("No such master"), "{error}");
}
