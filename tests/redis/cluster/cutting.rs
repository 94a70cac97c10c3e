//! A test that cuts the network between one instance and the server.

use super::*;
use crate::proxy::Proxy;

#[test]
fn an_instance_that_is_cut_off_marks_its_responses_and_catches_up() {
    let mut cluster = Cluster::empty();
    let proxy = Proxy::to(&cluster.redis);
    let url = proxy.url();
    cluster.add(&[]);
    cluster.add(&[("ROUTE_CACHE_URL", &url)]);
    cluster.add(&[]);
    let warm = paths("item", 10);
    let has_truth = |truth: u32, it: &Instance| {
        let mut rendered = warm.iter().map(|path| it.rendered(path));
        rendered.all(|it| it.truth == truth)
    };
    cluster.await_all("all have all", |it| has_truth(0, it));
    cluster.change(0, 1);
    cluster.await_all("all hear of each other", |it| has_truth(1, it));

    let load = Load::on(&cluster, &warm);
    proxy.cut(true);
    cluster.change(0, 2);
    let [first, cut_off, third] = &cluster.instances[..] else {
        unreachable!()
    };
    for instance in [first, third] {
        eventually("the others hear of it", || has_truth(2, instance));
    }
    eventually("it is marked", || cut_off.is_unverified("/item/0"));
    assert!(has_truth(1, cut_off), "it gives what it has");
    // An invalidation that cannot reach the others fails, and has no effect here either.
    let refused = cut_off.invalidate("items");
    assert!(refused.status >= 500, "{refused:?}");
    assert!(has_truth(1, cut_off));
    // It renders a path without an entry for itself, from the current truth.
    let cold = cut_off.rendered("/item/cold");
    assert_eq!((cold.truth, cold.number), (2, 1));

    proxy.cut(false);
    eventually("it catches up", || has_truth(2, cut_off));
    cluster.await_all("all say that they know", |it| !it.is_unverified("/item/0"));
    cluster.change(1, 3);
    cluster.await_all("it is heard again", |it| has_truth(3, it));
    thread::sleep(BOUND + BOUND / 2);
    let seen = load.end();
    cluster.keeps_the_promise(&seen);
    let is_marked = |it: &&Seen| it.is_unverified();
    let marked: Vec<_> = seen.iter().filter(is_marked).collect();
    assert!(marked.iter().any(|it| it.who == 1));
}
