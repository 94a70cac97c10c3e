//! Tests that an invalidation on one instance, or of the whole server, reaches all instances.

use super::*;

#[test]
fn an_invalidation_on_one_instance_reaches_all_within_the_bound() {
    const ROUNDS: u32 = 6;
    undisturbed(|cluster| {
        let warm = paths("item", 10);
        let load = Load::on(cluster, &warm);
        let has = |truth: u32, it: &Instance| {
            let mut rendered = warm.iter().map(|path| it.rendered(path));
            rendered.all(|it| it.truth >= truth)
        };
        cluster.await_all("all have all", |it| has(0, it));
        for truth in 1..=ROUNDS {
            let who = truth as usize % cluster.instances.len();
            cluster.change(who, truth);
            // The instance that invalidated renders the new truth at once.
            let item = cluster.instances[who].rendered("/item/0");
            assert_eq!(item.truth, truth);
            cluster.await_all("all have what is new", |it| has(truth, it));
        }
        // Leaves time for requests that begin when the last invalidation binds every instance.
        thread::sleep(2 * BOUND);
        let seen = load.end();
        cluster.keeps_the_promise(&seen);
        let late = |it: &&Seen| it.begun > cluster.invalidated[ROUNDS as usize - 1].0 + BOUND;
        assert!(seen.iter().filter(late).count() > 20);
        renders_other_than(cluster, &warm, ROUNDS + 1)
    });
}

#[test]
fn emptying_the_server_under_load_costs_one_render_of_each_path() {
    undisturbed(|cluster| {
        let warm = [paths("item", 30), vec!["/home".into()]].concat();
        let rendered = |number: u32| {
            let warm = &warm;
            move |it: &Instance| warm.iter().all(|path| it.rendered(path).number >= number)
        };
        cluster.await_all("all have all", rendered(1));
        // This invalidation is what the server loses.
        cluster.change(0, 1);
        cluster.await_all("all have what is new", rendered(2));
        let load = Load::on(cluster, &warm);
        cluster.redis.ask(&["FLUSHALL"]);
        cluster.await_all("all have it anew", rendered(3));
        // The record goes on where it was, so invalidations reach all instances as before.
        cluster.change(0, 2);
        cluster.await_all("and once more", rendered(4));
        thread::sleep(BOUND + BOUND / 2);
        let seen = load.end();
        cluster.keeps_the_promise(&seen);
        renders_other_than(cluster, &warm, 4)
    });
}
