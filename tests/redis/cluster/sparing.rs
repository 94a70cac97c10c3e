//! A test of what a request costs the server, however many entries the server has.

use route_runtime::store::{EntryKey, Mark, RedisStore, Store as _};
use tokio::task::JoinSet;

use super::*;
use crate::{entry, patient};

/// Returns how often the server got each command.
fn calls(redis: &Redis) -> BTreeMap<String, u64> {
    let stats = redis.ask(&["INFO", "commandstats"]);
    let call = |line: &str| {
        let (command, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let (calls, _) = rest.split_once(',')?;
        Some((command.to_owned(), calls.parse().ok()?))
    };
    stats.lines().filter_map(call).collect()
}

async fn fill(redis: &Redis) {
    let store = Arc::new(patient(&redis.url()).await);
    let mut tasks = JoinSet::new();
    for task in 0..50 {
        let store: Arc<RedisStore> = Arc::clone(&store);
        tasks.spawn(async move {
            for number in 0..2000 {
                let name = format!("/item/{task}/{number}");
                let key = EntryKey {
                    build: Some("1"),
                    name: &name,
                };
                store.write(key, entry(b"body", Mark::START)).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
}

#[test]
fn with_a_hundred_thousand_entries_a_miss_is_one_read_and_a_hit_is_none() {
    let build = [PATIENT, ("ROUTE_BUILD_ID", "1")];
    let mut cluster = Cluster::empty();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(fill(&cluster.redis));
    for _ in 0..2 {
        cluster.add(&build);
    }
    let [writer, reader] = &cluster.instances[..] else {
        unreachable!()
    };
    let items = paths("item", 100);
    for path in &items {
        writer.rendered(path);
    }
    cluster.settle();
    let size: u64 = cluster.redis.ask(&["DBSIZE"]).parse().unwrap();
    assert!(size > 100_100, "{size}");
    cluster.redis.ask(&["CONFIG", "RESETSTAT"]);
    let count = |command: &str| calls(&cluster.redis).get(command).copied().unwrap_or(0);

    // Each read calls TIME once. Besides reads, only writes call it.
    for path in &items {
        assert_eq!(reader.rendered(path).number, 1);
    }
    assert_eq!(count("time"), 100, "one read for each");
    assert_eq!(count("set"), 0, "no lease");
    // A hit in memory costs the server nothing.
    let mut connection = reader.connect();
    for path in items.iter().cycle().take(2000) {
        let response = connection.send(&request("GET", path, &[], ""));
        assert!(response.cache_status().starts_with("route; hit"));
    }
    assert_eq!(count("time"), 100, "no read");
    assert_eq!(reader.invalidate("items").status, 200);
    assert_eq!(reader.rendered("/item/0").number, 2);
    let calls = calls(&cluster.redis);
    for scan in ["keys", "scan", "hscan", "zscan", "hgetall", "hkeys", "sort"] {
        assert!(!calls.contains_key(scan), "{calls:?}");
    }
    println!("{calls:?}");
}
