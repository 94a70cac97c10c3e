//! Leases: one render per key and refresh, however many instances there are.

use super::*;

#[tokio::test]
async fn one_instance_renders_the_key_that_all_instances_ask_for() {
    let cluster = Cluster::new();
    let mut instances = Vec::new();
    for _ in 0..5 {
        instances.push(cluster.instance().await);
    }
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), TWO));
    let mut asking = Vec::new();
    for instance in &instances {
        asking.extend(instance.crowd(20, "/a", &origin));
    }
    turns().await;
    cluster.pass(ms(300)).await;
    assert_eq!((origin.runs(), origin.active()), (1, 1));
    gate.open();
    turns().await;
    cluster.pass(ms(200)).await;
    let answers = all_told(asking).await;
    // On each instance, one request asked the store for all, and on one instance it rendered.
    assert_eq!(
        tally(&answers),
        [(95, "collapsed 1"), (4, "hit 1"), (1, "miss 1")]
    );
    for instance in &instances {
        instance.settled().await;
    }
    assert_eq!((origin.runs(), cluster.hub.leased()), (1, 0));

    // Each refresh is also one render.
    for round in 2..5 {
        cluster.pass(secs(3)).await;
        let old = format!("stale {}", round - 1);
        for instance in &instances {
            assert_eq!(instance.told("/a", &origin).await, old);
        }
        for instance in &instances {
            instance.settled().await;
        }
        // The instances that found the refresh leased look again after a rest, and find what was
        // written.
        cluster.pass(secs(1)).await;
        for instance in &instances {
            instance.told("/a", &origin).await;
            instance.settled().await;
            let new = format!("hit {round}");
            assert_eq!(instance.told("/a", &origin).await, new);
        }
        assert_eq!((origin.runs(), cluster.hub.leased()), (round, 0));
    }
}

#[tokio::test]
async fn an_entry_that_another_instance_refreshes_is_served_stale_meanwhile() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance().await, cluster.instance().await);
    let gate = Gate::closed();
    gate.admit();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), TWO));
    one.rendered("/a", &origin).await;
    two.told("/a", &origin).await;
    cluster.pass(secs(2)).await;
    assert_eq!(one.told("/a", &origin).await, "stale 1");
    until(|| origin.active() == 1).await;
    assert_eq!(two.rendered("/a", &origin).await, "stale 1");
    let reads = two.link.reads();
    // While the entry rests, the instance does not ask the store.
    assert_eq!(two.rendered("/a", &origin).await, "stale 1");
    assert_eq!(two.link.reads(), reads);
    gate.open();
    one.settled().await;
    cluster.pass(secs(1)).await;
    assert_eq!(two.rendered("/a", &origin).await, "stale 1");
    assert_eq!(two.told("/a", &origin).await, "hit 2");
    assert_eq!(origin.runs(), 2);
}

#[tokio::test]
async fn a_request_waits_for_a_lease_holder_that_died_until_the_lease_runs_out() {
    let cluster = Cluster::new();
    let mut instances = Vec::new();
    for _ in 0..3 {
        instances.push(cluster.instance().await);
    }
    // Another instance takes the lease and dies.
    let key = EntryKey {
        build: Some("build"),
        name: "/a",
    };
    let dead = instances[0].link.lease(key, secs(30)).await.unwrap();
    assert!(matches!(dead, Lease::Granted(_)));
    let origin = Origin::numbers(TWO);
    let asking: Vec<_> = instances
        .iter()
        .map(|instance| instance.asking("/a", &origin))
        .collect();
    turns().await;
    cluster.pass(secs(29)).await;
    assert_eq!(origin.runs(), 0);
    cluster.pass(ms(1500)).await;
    let answers = all_told(asking).await;
    assert_eq!(tally(&answers), [(2, "hit 1"), (1, "miss 1")]);
    assert_eq!(origin.runs(), 1);
}

/// A lease without an end costs the time that a render may take.
#[tokio::test]
async fn no_request_waits_for_a_lease_longer_than_a_render_may_take() {
    let cluster = Cluster::new();
    let one = cluster.instance().await;
    let key = EntryKey {
        build: Some("build"),
        name: "/a",
    };
    one.link.lease(key, secs(1_000_000)).await.unwrap();
    let origin = Origin::numbers(TWO);
    let asking = one.asking("/a", &origin);
    turns().await;
    cluster.pass(LIMIT - ms(20)).await;
    assert_eq!(origin.runs(), 0);
    cluster.pass(ms(20)).await;
    assert_eq!(all_told(vec![asking]).await, ["miss 1"]);
}

/// A failure and content for one request only are not written. The next instance renders at once.
#[tokio::test]
async fn an_instance_that_rendered_nothing_to_share_gives_its_lease_back() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance().await, cluster.instance().await);
    let origin = Origin::new(|run, _| async move {
        match run {
            1 => share_once("error"),
            2 => individual("own"),
            3 => panic!("for a change"),
            _ => store(run.to_string(), TWO),
        }
    });
    assert_eq!(one.rendered("/a", &origin).await, "miss error");
    assert_eq!(two.rendered("/a", &origin).await, "bypass own");
    assert_eq!(cluster.hub.leased(), 0);
    let (three, four) = (cluster.instance().await, cluster.instance().await);
    assert!(three.rendered("/a", &origin).await.starts_with("failed"));
    assert_eq!(cluster.hub.leased(), 0);
    assert_eq!(four.rendered("/a", &origin).await, "miss 4");
}

/// An error on the first instance, and then on all others, takes the time of two renders, not five.
#[tokio::test]
async fn instances_that_waited_for_a_failed_render_do_not_wait_for_each_other() {
    let cluster = Cluster::new();
    let mut instances = Vec::new();
    for _ in 0..5 {
        instances.push(cluster.instance().await);
    }
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |_| share_once("error"));
    let asking = instances.iter().map(|it| it.asking("/a", &origin));
    let asking: Vec<_> = asking.collect();
    until(|| origin.active() == 1).await;
    cluster.pass(ms(300)).await;
    assert_eq!(origin.runs(), 1);
    gate.admit();
    turns().await;
    // Each has the lease for a moment, and gives it back.
    cluster.pass(secs(1)).await;
    assert_eq!(origin.active(), 4);
    gate.open();
    assert_eq!(tally(&all_told(asking).await), [(5, "miss error")]);
    assert_eq!(cluster.hub.leased(), 0);
}

/// A lease that was not given back does not say whether its render made something to share.
#[tokio::test]
async fn instances_that_waited_for_a_holder_that_died_wait_for_the_next_holder() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance().await, cluster.instance().await);
    let key = EntryKey {
        build: Some("build"),
        name: "/a",
    };
    one.link.lease(key, secs(30)).await.unwrap();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), TWO));
    let asking = vec![one.asking("/a", &origin), two.asking("/a", &origin)];
    turns().await;
    cluster.pass(secs(31)).await;
    assert_eq!((origin.runs(), origin.active()), (1, 1));
    gate.open();
    turns().await;
    cluster.pass(ms(300)).await;
    assert_eq!(
        tally(&all_told(asking).await),
        [(1, "hit 1"), (1, "miss 1")]
    );
    assert_eq!(origin.runs(), 1);
}

#[tokio::test]
async fn a_render_that_gets_no_turn_gives_its_lease_back() {
    let cluster = Cluster::new();
    let one = cluster.made(true, |config| {
        config.limits.places.renders = 1;
        config.limits.queue = 0;
    });
    one.follow().await;
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), TWO));
    let asking = one.asking("/a", &origin);
    until(|| origin.active() == 1).await;
    assert_eq!(cluster.hub.leased(), 1);
    let refused = one.told("/b", &origin).await;
    assert_eq!(
        refused,
        "failed: too many renders of `tests` are under way or wait"
    );
    turns().await;
    assert_eq!(cluster.hub.leased(), 1);
    gate.open();
    all_told(vec![asking]).await;
    one.settled().await;
    assert_eq!(cluster.hub.leased(), 0);
}

#[tokio::test]
async fn a_store_that_cannot_lease_or_write_is_still_read() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance().await, cluster.instance().await);
    let origin = Origin::numbers(TWO);
    one.rendered("/a", &origin).await;
    two.link.is_poor.store(true, Ordering::SeqCst);
    assert_eq!(two.rendered("/a", &origin).await, "hit 1");
    assert_eq!(two.rendered("/b", &origin).await, "miss 2");
    // Leasing and writing were each tried once, and then rested for a second.
    assert_eq!(two.engine.stats().store_failures, 2);
    assert_eq!(two.rendered("/c", &origin).await, "miss 3");
    assert_eq!(two.engine.stats().store_failures, 2);
    cluster.pass(secs(1)).await;
    two.link.is_poor.store(false, Ordering::SeqCst);
    assert_eq!(two.rendered("/d", &origin).await, "miss 4");
    assert_eq!(one.told("/d", &origin).await, "hit 4");
}

/// Makes a request that accepts no stale content, while another instance refreshes the entry.
#[tokio::test]
async fn a_request_that_refetches_waits_for_the_refresh_of_another_instance() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance().await, cluster.instance().await);
    let gate = Gate::closed();
    gate.admit();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), TWO));
    one.rendered("/a", &origin).await;
    two.told("/a", &origin).await;
    cluster.pass(secs(2)).await;
    one.told("/a", &origin).await;
    until(|| origin.active() == 1).await;
    let asking = tokio::spawn({
        let (two, origin) = (two.cache.clone(), origin.clone());
        async move { told(&two.ask("/a", Stale::Refetch, None, &origin).await) }
    });
    turns().await;
    gate.open();
    one.settled().await;
    cluster.pass(ms(200)).await;
    assert_eq!(asking.await.unwrap(), "hit 2");
    assert_eq!(origin.runs(), 2);
}

/// The write is part of the flight's task, after the answer.
#[tokio::test]
async fn a_request_does_not_wait_for_the_write_to_the_store() {
    let cluster = Cluster::new();
    let one = cluster.instance().await;
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), TWO));
    let asking = one.asking("/a", &origin);
    until(|| origin.active() == 1).await;
    one.link.set(Way::Hangs);
    gate.open();
    assert_eq!(all_told(vec![asking]).await, ["miss 1"]);
    one.link.set(Way::Open);
    cluster.pass(secs(1)).await;
    one.settled().await;
    // An entry that could not be written is lost to other instances only.
    assert_eq!(one.told("/a", &origin).await, "hit 1");
}

#[tokio::test]
async fn an_entry_written_between_the_read_and_the_lease_is_found() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance().await, cluster.instance().await);
    let origin = Origin::numbers(TWO);
    let gate = two.link.hold_up(What::Lease);
    let asking = two.asking("/a", &origin);
    turns().await;
    assert_eq!(one.rendered("/a", &origin).await, "miss 1");
    gate.open();
    assert_eq!(all_told(vec![asking]).await, ["hit 1"]);
    assert_eq!(origin.runs(), 1);
    two.settled().await;
    assert_eq!(cluster.hub.leased(), 0);
}

#[tokio::test]
async fn a_lease_is_held_until_the_entry_is_written() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance().await, cluster.instance().await);
    let origin = Origin::numbers(TWO);
    let gate = one.link.hold_up(What::Write);
    assert_eq!(one.told("/a", &origin).await, "miss 1");
    let asking = two.asking("/a", &origin);
    cluster.pass(ms(300)).await;
    assert_eq!((origin.runs(), cluster.hub.leased()), (1, 1));
    gate.open();
    cluster.pass(ms(200)).await;
    assert_eq!(all_told(vec![asking]).await, ["hit 1"]);
    assert_eq!((origin.runs(), cluster.hub.leased()), (1, 0));
}

/// A render longer than a lease: its lease is renewed, so nobody else renders meanwhile.
#[tokio::test]
async fn a_lease_is_renewed_while_its_render_runs() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance().await, cluster.instance().await);
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), TWO));
    let mut asking = vec![one.asking("/a", &origin)];
    until(|| origin.active() == 1).await;
    asking.push(two.asking("/a", &origin));
    turns().await;
    cluster.pass(LIMIT - secs(1)).await;
    assert_eq!((origin.runs(), cluster.hub.leased()), (1, 1));
    gate.open();
    turns().await;
    cluster.pass(ms(300)).await;
    let answers = all_told(asking).await;
    assert_eq!(tally(&answers), [(1, "hit 1"), (1, "miss 1")]);
}

/// The instance renders without the lease, and nobody waits for one whose holder does not render.
#[tokio::test]
async fn a_lease_that_is_granted_too_late_is_given_back() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance().await, cluster.instance().await);
    let slow = one.link.hold_up(What::Lease);
    let origin = Origin::numbers(TWO);
    let asking = one.asking("/a", &origin);
    turns().await;
    cluster.pass(ms(60)).await;
    assert_eq!(all_told(vec![asking]).await, ["miss 1"]);
    one.settled().await;
    two.engine.forget(&Key::new("/a")).await;
    slow.open();
    turns().await;
    assert_eq!(cluster.hub.leased(), 0);
    assert_eq!(two.rendered("/a", &origin).await, "miss 2");
}

/// A holder that died is waited for no longer than its last renewal lasts.
#[tokio::test]
async fn a_render_whose_instance_dies_is_begun_elsewhere_within_seconds() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance().await, cluster.instance().await);
    let origin = Origin::gated(&Gate::closed(), |run| store(run.to_string(), TWO));
    let died = one.asking("/a", &origin);
    until(|| origin.active() == 1).await;
    cluster.pass(secs(20)).await;
    one.link.set(Way::Hangs);
    let other = Origin::numbers(TWO);
    let asking = two.asking("/a", &other);
    turns().await;
    cluster.pass(secs(5)).await;
    turns().await;
    cluster.pass(ms(300)).await;
    assert_eq!(all_told(vec![asking]).await, ["miss 1"]);
    died.abort();
}
