//! A test of instances behind a Redis Cluster whose server is replaced by its replica.

use super::*;
use crate::sharding::Shards;

/// Returns how many bytes of replication a server has sent or received.
fn offset(server: &Redis, field: &str) -> u64 {
    let info = server.ask(&["INFO", "replication"]);
    let mut lines = info.lines();
    let offset = lines.find_map(|line| line.strip_prefix(field));
    offset.unwrap().trim_start_matches(':').parse().unwrap()
}

#[test]
fn no_request_fails_while_a_replica_takes_over_from_a_server_that_is_killed() {
    let mut shards = Shards::start();
    let url = shards.url(1);
    let mut cluster = Cluster::empty();
    for _ in 0..3 {
        cluster.add(&[("ROUTE_CACHE_URL", &url)]);
    }
    let warm = paths("item", 10);
    for instance in cluster.all() {
        for path in &warm {
            instance.rendered(path);
        }
    }
    cluster.change(0, 1);
    let has_truth = |truth: u32| move |it: &Instance| it.rendered("/item/0").truth == truth;
    cluster.await_all("all have what is new", has_truth(1));

    let [home, _, replica] = &mut shards.nodes;
    let load = Load::on(&cluster, &[warm, paths("item", 1000)].concat());
    let sent = offset(home, "master_repl_offset");
    eventually("the replica has the invalidation", || {
        offset(replica, "slave_repl_offset") >= sent
    });
    home.kill();
    cluster.await_all("nobody says that it knows", |it| {
        it.is_unverified("/item/0")
    });
    assert_eq!(replica.ask(&["CLUSTER", "FAILOVER", "TAKEOVER"]), "OK");
    cluster.await_all("all have caught up", |it| {
        !it.is_unverified("/item/0") && has_truth(1)(it)
    });
    cluster.change(1, 2);
    cluster.await_all("all hear of each other again", has_truth(2));
    thread::sleep(BOUND + BOUND / 2);
    let seen = load.end();
    cluster.keeps_the_promise(&seen);
}
