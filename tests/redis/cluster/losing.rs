//! Tests of a server that goes away and comes back.

use super::*;

fn is_verified(instance: &Instance) -> bool {
    !instance.is_unverified("/item/0")
}

/// The load requests paths that have an entry, and paths that have none yet.
#[test]
fn no_request_fails_while_the_server_is_killed_and_restarted() {
    let mut cluster = Cluster::start();
    let warm = paths("item", 10);
    for instance in cluster.all() {
        for path in &warm {
            instance.rendered(path);
        }
    }
    cluster.change(0, 1);
    let has_truth = |truth: u32| move |it: &Instance| it.rendered("/item/0").truth == truth;
    cluster.await_all("all have what is new", has_truth(1));

    let load = Load::on(&cluster, &[warm, paths("item", 1000)].concat());
    cluster.redis.kill();
    cluster.await_all("nobody says that it knows", |it| !is_verified(it));
    cluster.upstream.set_truth(2);
    for instance in cluster.all() {
        let refused = instance.invalidate("items");
        assert!(refused.status >= 500, "it is not recorded: {refused:?}");
        // Nothing is invalidated either.
        assert_eq!(instance.rendered("/item/0").truth, 1);
    }
    cluster.redis.restart();
    // The server has forgotten everything, so everything counts as invalidated.
    cluster.await_all("all have caught up", |it| {
        is_verified(it) && has_truth(2)(it)
    });
    cluster.change(1, 3);
    cluster.await_all("all hear of each other again", has_truth(3));
    thread::sleep(BOUND + BOUND / 2);
    let seen = load.end();
    cluster.keeps_the_promise(&seen);
}

#[test]
fn no_request_waits_for_a_server_that_is_stopped_for_seconds() {
    const PAUSE: Duration = Duration::from_secs(5);
    let mut cluster = Cluster::start();
    let warm = paths("item", 10);
    for instance in cluster.all() {
        for path in &warm {
            instance.rendered(path);
        }
    }
    cluster.redis.signal("STOP");
    let begun = Instant::now();
    let load = Load::on(&cluster, &warm);
    let mut misses = Vec::new();
    while begun.elapsed() < PAUSE {
        for (who, instance) in cluster.all().enumerate() {
            let asked = Instant::now();
            let path = format!("/item/cold-{who}-{}", misses.len());
            assert_eq!(instance.rendered(&path).number, 1);
            misses.push(asked.elapsed());
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert!(cluster.instances[0].invalidate("items").status >= 500);
    let hits = load.end();
    cluster.redis.signal("CONT");

    cluster.keeps_the_promise(&hits);
    assert!(hits.iter().all(Seen::is_hit));
    for who in 0..cluster.instances.len() {
        let marked = hits.iter().filter(|it| it.who == who && it.is_unverified());
        assert!(marked.count() > 20);
    }
    let mut took: Vec<_> = hits.iter().map(|it| it.took).collect();
    took.sort_unstable();
    misses.sort_unstable();
    let of = |took: &[Duration], part: usize| took[(took.len() - 1) * part / 100];
    println!(
        "{} hits: 50 % within {:?}, 99 % within {:?}, all within {:?}; {} misses: {:?}, {:?}, {:?}",
        took.len(),
        of(&took, 50),
        of(&took, 99),
        of(&took, 100),
        misses.len(),
        of(&misses, 50),
        of(&misses, 99),
        of(&misses, 100),
    );
    // A request takes a millisecond. The limits leave time to a busy machine.
    assert!(of(&took, 99) < Duration::from_millis(500), "hits");
    assert!(of(&misses, 90) < Duration::from_secs(2), "misses");

    // Now the server may carry out what it was sent while it was stopped, or not.
    cluster.await_all("all are back", is_verified);
    cluster.change(2, 1);
    let has_truth = |it: &Instance| it.rendered("/item/0").truth == 1;
    cluster.await_all("all hear of each other again", has_truth);
}
