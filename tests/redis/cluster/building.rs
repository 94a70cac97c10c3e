//! Tests of builds side by side, as during the rollout of a new one.

use super::*;

#[test]
fn builds_share_data_and_invalidations_but_no_responses() {
    let mut cluster = Cluster::empty();
    let old = [PATIENT, ("ROUTE_BUILD_ID", "1")];
    let new = [PATIENT, ("ROUTE_BUILD_ID", "2")];
    for build in [old, old, new, new] {
        cluster.add(&build);
    }
    let who = |path: &str| -> Vec<u32> {
        let rendered = cluster.all().map(|it| it.rendered(path));
        rendered.map(|it| it.process).collect()
    };
    let processes = who("/item/0");
    assert_eq!(processes[0], processes[1]);
    assert_eq!(processes[2], processes[3]);
    assert_ne!(processes[0], processes[2]);
    assert_eq!(cluster.upstream.asked("/truth/item/0"), 2);
    assert_eq!(cluster.upstream.asked("/truth/home"), 2, "ahead, too");
    // Data belongs to the application, not to a build.
    let processes = who("/data/0");
    assert!(processes.iter().all(|&it| it == processes[0]));
    assert_eq!(cluster.upstream.asked("/truth/data/0"), 1);

    for (truth, from) in [(1, 0), (2, 3)] {
        cluster.change(from, truth);
        let has_truth = |it: &Instance| it.rendered("/item/0").truth == truth;
        cluster.await_all("it reaches both builds", has_truth);
        assert_eq!(cluster.instances[from].invalidate("data").status, 200);
        let has_truth = |it: &Instance| it.rendered("/data/0").truth == truth;
        cluster.await_all("and their data", has_truth);
    }
    // All instances end. Their responses stay in the store.
    let number = cluster.instances[3].rendered("/item/0").number;
    cluster.settle();
    cluster.instances.clear();
    let newcomer = cluster.add(&new);
    assert_eq!(newcomer.rendered("/item/0").number, number);
}

#[test]
fn an_entry_of_another_version_is_rendered_again() {
    let mut cluster = Cluster::empty();
    cluster.add(&[PATIENT]);
    let items = paths("item", 5);
    for path in &items {
        cluster.instances[0].rendered(path);
    }
    cluster.settle();
    let entries = cluster.redis.ask(&["KEYS", "*:e:*"]);
    let entries: Vec<_> = entries.lines().collect();
    assert_eq!(entries.len(), 6, "{entries:?}");
    for (how, entry) in entries.iter().enumerate() {
        let [field, value] = [
            ["body", "\u{7f} a body of another version"],
            ["body", ""],
            ["metadata", "{\"version\":7}"],
            ["started", "99999"],
            ["record", "another"],
            ["created", "soon"],
        ][how];
        cluster.redis.ask(&["HSET", entry, field, value]);
    }
    let newcomer = cluster.add(&[PATIENT]);
    for path in &items {
        assert_eq!(newcomer.rendered(path).number, 2, "{path}");
    }
    assert_eq!(newcomer.rendered("/home").number, 2);
    // The instance after that finds the new entries.
    let newcomer = cluster.add(&[PATIENT]);
    for path in &items {
        assert_eq!(newcomer.rendered(path).number, 2, "{path}");
    }
}
