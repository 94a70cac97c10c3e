//! A test of the lease for a render, and of an instance that dies while it has one.

use super::*;

#[test]
fn the_lease_of_a_dead_instance_runs_out_and_another_renders_for_all() {
    undisturbed(|cluster| {
        let mut waiting = cluster.instances[0].connect();
        waiting.write(request("GET", "/held/a", &[], ""));
        let renders = || cluster.upstream.asked("/slow/held/a");
        eventually("it is rendered", || renders() == 1);
        let lease = cluster.redis.ask(&["KEYS", "*:l:*"]);
        let holder = || cluster.redis.ask(&["GET", &lease]);
        let left = || -> i64 { cluster.redis.ask(&["PTTL", &lease]).parse().unwrap() };
        // The lease is renewed while its holder lives.
        let (dead, length) = (holder(), left());
        assert!((1..=5000).contains(&length), "{lease}: {length}");
        cluster.instances[0].program.signal("KILL");

        // So little of the lease is left then that it runs out before a request gives up.
        eventually("it runs out", || left() < 2000);
        let ask = |who: usize| {
            let mut connection = cluster.instances[who].connect();
            connection.write(request("GET", "/held/a", &[], ""));
            connection
        };
        let (mut second, mut third) = (ask(1), ask(2));
        let mut wrong = Vec::new();
        eventually("another renders", || renders() == 2 || holder() != dead);
        if holder() == dead {
            wrong.push("it is rendered while it is leased".to_owned());
        }
        eventually("another renders", || renders() >= 2);
        // The request of the dead instance may still wait at the upstream, so two are let go.
        cluster.upstream.let_go();
        cluster.upstream.let_go();
        let (second, third) = (second.response(false), third.response(false));
        assert_eq!((second.status, third.status), (200, 200));
        if second.text() != third.text() || !second.text().ends_with(" 2") {
            wrong.push(format!("one is to render for both: {second:?} {third:?}"));
        }
        drop(cluster.instances.remove(0));
        wrong
    });
}
