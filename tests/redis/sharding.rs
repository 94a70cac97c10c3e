//! Tests of the store in a Redis Cluster: three servers, two of which share the slots.

use std::thread;
use std::time::Instant;

use route_runtime::store::Risen;

use super::*;
use crate::faults::{nothing_new, recovers};

/// The key by which a slot is found: all keys of a store have one slot.
pub(crate) const RECORD: &str = "{route}:2:record";

/// A cluster. The first server has the slot of the store, the second one has the other half of the
/// slots, and the third one is a replica of the first.
pub(crate) struct Shards {
    pub(crate) nodes: [Redis; 3],
}

impl Shards {
    pub(crate) fn start() -> Self {
        Self::with(Vec::new)
    }

    /// Starts a cluster, with further options for each server.
    pub(crate) fn with(mut options: impl FnMut() -> Vec<String>) -> Self {
        let nodes = [1, 2, 3].map(|epoch| {
            let bus = tests::free_port().to_string();
            let mut usual = vec![
                "--save",
                "",
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus,
            ];
            usual.extend(["--cluster-node-timeout", "5000"]);
            let options = options();
            usual.extend(options.iter().map(String::as_str));
            let node = Redis::with(&usual);
            node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch.to_string()]);
            node
        });
        let [home, other, replica] = &nodes;
        let halves = [["0", "8191"], ["8192", "16383"]];
        let slot: u16 = home.ask(&["CLUSTER", "KEYSLOT", RECORD]).parse().unwrap();
        let [first, second] = if slot < 8192 { [0, 1] } else { [1, 0] };
        for (node, half) in [(home, halves[first]), (other, halves[second])] {
            let add = [&["CLUSTER", "ADDSLOTSRANGE"], &half[..]].concat();
            assert_eq!(node.ask(&add), "OK");
        }
        for node in [other, replica] {
            let port = node.port.to_string();
            let bus = node.ask(&["CONFIG", "GET", "cluster-port"]);
            let bus = bus.lines().last().unwrap();
            let met = home.ask(&["CLUSTER", "MEET", "127.0.0.1", &port, bus]);
            assert_eq!(met, "OK");
        }
        let shards = Self { nodes };
        for node in &shards.nodes {
            eventually("each server knows all", || {
                let info = node.ask(&["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            });
        }
        let [home, other, replica] = &shards.nodes;
        let id = home.ask(&["CLUSTER", "MYID"]);
        assert_eq!(replica.ask(&["CLUSTER", "REPLICATE", &id]), "OK");
        eventually("the replica has caught up", || {
            let replication = replica.ask(&["INFO", "replication"]);
            replication.contains("master_link_status:up")
                && other
                    .ask(&["CLUSTER", "NODES"])
                    .contains(&format!("slave {id}"))
        });
        shards
    }

    /// Returns the URL that names one of the servers.
    pub(crate) fn url(&self, node: usize) -> String {
        format!("redis-cluster://127.0.0.1:{}", self.nodes[node].port)
    }

    /// Returns the URL that names all of the servers.
    pub(crate) fn whole(&self) -> String {
        let hosts = self.nodes.each_ref();
        let hosts = hosts.map(|node| format!("127.0.0.1:{}", node.port));
        format!("redis-cluster://{}", hosts.join(","))
    }
}

#[track_caller]
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + 3 * PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the store hears that something has changed.
pub(crate) async fn hears(store: &RedisStore) {
    let heard = tokio::time::timeout(PATIENCE, store.changed());
    heard.await.expect("it hears of a change").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redis_store_keeps_the_contract_in_a_cluster() {
    let shards = Shards::start();
    let open = async |name: &str| {
        let options = patiently().prefix(name);
        options.connect(&shards.url(1)).await.unwrap()
    };
    suite(open).await;
    leases(open).await;
    changes(open).await;
    // The contract uses many prefixes, whose slots are on both servers.
    for node in &shards.nodes[..2] {
        assert!(node.ask(&["DBSIZE"]).parse::<u32>().unwrap() > 10);
    }
}

#[tokio::test]
async fn a_store_finds_its_server_by_any_node_of_a_cluster() {
    let shards = Shards::start();
    let nobody = tests::free_port();
    let stores = [
        patient(&shards.url(0)).await,
        patient(&shards.url(1)).await,
        patient(&shards.url(2)).await,
        patient(&format!(
            "redis-cluster://127.0.0.1:{nobody},127.0.0.1:{}",
            shards.nodes[1].port
        ))
        .await,
    ];
    for (number, store) in (1..).zip(&stores) {
        for store in &stores {
            nothing_new(store).await;
        }
        let made = invalidate(store, "t").await.unwrap();
        assert_eq!(made.epoch.0, number);
        for other in &stores {
            hears(other).await;
            assert_eq!(all(other).await.until, made);
        }
        let body = number.to_string();
        let written = entry(body.as_bytes(), made);
        assert!(store.write(key("/a"), written).await.unwrap());
        for other in &stores {
            let read = other.read(key("/a"), made).await.unwrap().unwrap();
            assert_eq!(*read.body, *body.as_bytes());
        }
    }
}

/// Moves the slot of a store to another server, as `redis-cli --cluster reshard` does.
pub(crate) struct Move<'a> {
    slot: String,
    from: &'a Redis,
    to: &'a Redis,
}

impl<'a> Move<'a> {
    pub(crate) fn begin(from: &'a Redis, to: &'a Redis) -> Self {
        let slot = from.ask(&["CLUSTER", "KEYSLOT", RECORD]);
        let [from_id, to_id] = [from, to].map(|node| node.ask(&["CLUSTER", "MYID"]));
        for (node, state, id) in [(to, "IMPORTING", &from_id), (from, "MIGRATING", &to_id)] {
            let set = node.ask(&["CLUSTER", "SETSLOT", &slot, state, id]);
            assert_eq!(set, "OK");
        }
        Self { slot, from, to }
    }

    /// Moves the keys that match a pattern.
    fn keys(&self, pattern: &str) {
        let keys = self.from.ask(&["KEYS", pattern]);
        assert!(!keys.is_empty(), "{pattern}");
        assert_eq!(self.migrate(&keys.lines().collect::<Vec<_>>()), "OK");
    }

    /// Returns the keys that have not moved yet.
    pub(crate) fn left(&self) -> Vec<String> {
        let keys = self.from.ask(&["KEYS", "*"]);
        keys.lines().map(str::to_owned).collect()
    }

    /// Moves these keys, except for those that are gone.
    pub(crate) fn some(&self, keys: &[&str]) {
        if !keys.is_empty() {
            let answer = self.migrate(keys);
            assert!(matches!(&*answer, "OK" | "NOKEY"), "{answer}");
        }
    }

    fn migrate(&self, keys: &[&str]) -> String {
        let port = self.to.port.to_string();
        let migrate = ["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        self.from.ask(&[&migrate, keys].concat())
    }

    pub(crate) fn end(self) {
        let id = self.to.ask(&["CLUSTER", "MYID"]);
        for node in [self.to, self.from] {
            // A server keeps a slot until the keys that have expired are removed.
            eventually("the slot has moved", || {
                node.ask(&["CLUSTER", "SETSLOT", &self.slot, "NODE", &id]) == "OK"
            });
        }
    }
}

#[tokio::test]
async fn a_store_follows_its_slot_while_the_slot_moves_to_another_server() {
    let shards = Shards::start();
    let [home, other, _] = &shards.nodes;
    let store = patient(&shards.url(1)).await;
    let watcher = patient(&shards.url(1)).await;
    let mut made = Mark::START;
    for how in [Invalidation::Absent, Invalidation::Stale] {
        let recorded = store.invalidate(&tags(&["t"]), how, made).await;
        made = recorded.unwrap().mark;
    }
    for name in ["/a", "/b"] {
        assert!(
            store
                .write(key(name), entry(b"before", made))
                .await
                .unwrap()
        );
    }
    nothing_new(&watcher).await;
    // Calls go on, wherever the keys are that they need.
    let works = async |last: u64| {
        let made = invalidate_as(&store, "t", made).await.unwrap();
        assert_eq!(made.epoch.0, last);
        hears(&watcher).await;
        assert_eq!(all(&watcher).await.until, made);
        assert_eq!(store.read(key("/none"), made).await.unwrap(), None);
        assert!(store.write(key("/a"), entry(b"new", made)).await.unwrap());
        for (name, body) in [("/a", b"new".as_slice()), ("/b", b"before")] {
            let read = watcher.read(key(name), made).await.unwrap().unwrap();
            assert_eq!(*read.body, *body, "{name}");
        }
        let name = format!("/{last}");
        let lease = store.lease(key(&name), Duration::from_secs(60)).await;
        let route_runtime::store::Lease::Granted(token) = lease.unwrap() else {
            panic!("nobody has it");
        };
        store.release(key(&name), token).await.unwrap();
    };
    works(3).await;
    let moving = Move::begin(home, other);
    works(4).await;
    moving.keys("{route}:2:[rasw]*");
    // The other server has never run a script.
    let fifth = invalidate_as(&store, "t", made).await.unwrap();
    assert_eq!(fifth.epoch.0, 5);
    hears(&watcher).await;
    assert_eq!(all(&watcher).await.until, fifth);
    assert!(read(&watcher, "/a").await.unwrap().is_some());
    // A write that needs keys of both servers waits until these are at one.
    let early = store.write(key("/c"), entry(b"c", fifth));
    let rest = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        moving.keys("{route}:2:e:*");
        moving.end();
    };
    let (early, ()) = futures_util::future::join(early, rest).await;
    assert!(early.unwrap());
    assert!(read(&watcher, "/c").await.unwrap().is_some());
    works(6).await;
    // Both stores now listen at the other server.
    recovers(async || {
        let listeners = other.ask(&["PUBSUB", "NUMSUB", "{route}:2:changed:0"]);
        match listeners.lines().last() {
            Some("2") => Ok(()),
            _ => Err(StoreError::new(listeners)),
        }
    })
    .await;
    works(7).await;
}

#[tokio::test]
async fn a_write_that_needs_keys_of_two_servers_fails_within_its_limit() {
    let shards = Shards::start();
    let [home, other, _] = &shards.nodes;
    let options = patiently().write_limit(Duration::from_secs(1));
    let store = options.connect(&shards.url(0)).await.unwrap();
    store
        .write(key("/a"), entry(b"a", Mark::START))
        .await
        .unwrap();
    let moving = Move::begin(home, other);
    let written = entry(b"b", Mark::START);
    let error = store.write(key("/b"), written.clone()).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("TryAgain"), "{cause}");
    moving.keys("*");
    moving.end();
    recovers(async || store.write(key("/b"), written.clone()).await).await;
}

/// Checks that a store goes on after its server was lost and the replica has taken over.
async fn survives_the_loss_of(fault: impl FnOnce(&mut Redis), ends: impl FnOnce(&mut Redis)) {
    let mut shards = Shards::start();
    let limit = Duration::from_millis(500);
    let options = RedisStore::options().connect_limit(2 * limit);
    let options = options.read_limit(limit);
    let store = options.clone().connect(&shards.url(0)).await.unwrap();
    let elsewhere = options.connect(&shards.whole()).await.unwrap();
    for store in [&store, &elsewhere] {
        recovers(async || invalidate(store, "t").await).await;
    }
    let last = all(&store).await.until;
    assert!(store.write(key("/a"), entry(b"a", last)).await.unwrap());
    let replicated = || shards.nodes[2].ask(&["DBSIZE"]) == shards.nodes[0].ask(&["DBSIZE"]);
    eventually("the replica has everything", replicated);
    let [home, _, replica] = &mut shards.nodes;
    fault(home);
    for store in [&store, &elsewhere] {
        nothing_new(store).await;
    }
    assert_eq!(replica.ask(&["CLUSTER", "FAILOVER", "TAKEOVER"]), "OK");
    // They have a connection again, and ask what was invalidated meanwhile.
    hears(&store).await;
    let read = recovers(async || store.read(key("/a"), last).await).await;
    assert_eq!(*read.unwrap().body, *b"a");
    // The replica has the record, and none of the scripts.
    let next = recovers(async || invalidate_as(&store, "t", last).await).await;
    assert!(next.epoch > last.epoch);
    recovers(async || store.write(key("/a"), entry(b"new", next)).await).await;
    let news = recovers(async || elsewhere.invalidations(last, None).await).await;
    assert!(news.until.epoch >= next.epoch);
    assert_eq!(news.floor, Risen::default());
    // The old server is a replica when it comes back.
    ends(home);
    eventually("it is a replica", || {
        let is_there = std::net::TcpStream::connect(("127.0.0.1", home.port)).is_ok();
        is_there && home.ask(&["ROLE"]).starts_with("slave")
    });
    nothing_new(&store).await;
    let next = recovers(async || invalidate_as(&elsewhere, "t", next).await).await;
    hears(&store).await;
    let news = recovers(async || store.invalidations(last, None).await).await;
    assert!(news.until.epoch >= next.epoch);
    assert_eq!(news.floor, Risen::default());
}

#[tokio::test]
async fn a_store_goes_on_with_the_replica_of_a_server_that_was_killed() {
    survives_the_loss_of(Redis::kill, Redis::restart).await;
}

#[tokio::test]
async fn a_store_goes_on_with_the_replica_of_a_server_that_is_silent() {
    survives_the_loss_of(|home| home.signal("STOP"), |home| home.signal("CONT")).await;
}

#[tokio::test]
async fn no_call_fails_while_a_replica_takes_over_as_asked() {
    let shards = Shards::start();
    let [home, _, replica] = &shards.nodes;
    let store = patient(&shards.url(1)).await;
    let mut last = Mark::START;
    let deadline = Instant::now() + PATIENCE;
    let mut after = 0;
    // The replica is asked after some invalidations, and more follow after it has taken over.
    while after < 20 {
        assert!(Instant::now() < deadline, "it takes over");
        let next = invalidate_as(&store, "t", last).await.unwrap();
        assert_eq!(next.epoch.0, last.epoch.0 + 1);
        last = next;
        assert_eq!(store.read(key("/none"), last).await.unwrap(), None);
        if last.epoch.0 == 20 {
            assert_eq!(replica.ask(&["CLUSTER", "FAILOVER"]), "OK");
        }
        if last.epoch.0 > 20 && replica.ask(&["ROLE"]).starts_with("master") {
            after += 1;
        }
    }
    assert!(home.ask(&["ROLE"]).starts_with("slave"));
    let news = all(&patient(&shards.whole()).await).await;
    assert_eq!((news.until, news.floor), (last, Risen::default()));
}
