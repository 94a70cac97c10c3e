//! The right to render, and whoever dies with it.

use super::*;

#[test]
fn an_instance_that_dies_with_a_lease_holds_nobody_up_for_longer() {
    undisturbed(|cluster| {
        let mut waiting = cluster.instances[0].connect();
        waiting.write(request("GET", "/held/a", &[], ""));
        let renders = || cluster.upstream.asked("/slow/held/a");
        eventually("it is rendered", || renders() == 1);
        let lease = cluster.redis.ask(&["KEYS", "*:l:*"]);
        let holder = || cluster.redis.ask(&["GET", &lease]);
        let left = || -> i64 { cluster.redis.ask(&["PTTL", &lease]).parse().unwrap() };
        // As long as the render may take, and a second to write.
        let (dead, length) = (holder(), left());
        assert!((1..=4000).contains(&length), "{lease}: {length}");
        cluster.instances[0].program.signal("KILL");

        // So long before it runs out that nobody's patience ends first.
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
        // One may wait there whose client is gone.
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
