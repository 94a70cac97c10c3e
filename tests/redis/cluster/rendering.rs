//! Tests that each key and each refresh is rendered once, whichever instance gets the request.

use super::*;

#[test]
fn a_path_without_an_entry_is_rendered_once_for_all_instances() {
    undisturbed(|cluster| {
        let cold = paths("item", 200);
        let load = Load::on(cluster, &cold);
        let has_all = |it: &Instance| cold.iter().all(|path| it.get(path).status == 200);
        cluster.await_all("everything is there", has_all);
        let seen = load.end();
        cluster.keeps_the_promise(&seen);
        let mut wrong = renders_other_than(cluster, &cold, 1);
        // The first instance rendered this path ahead.
        wrong.extend(renders_other_than(cluster, &["/home".into()], 1));
        wrong
    });
}

#[test]
fn a_stale_entry_is_refreshed_by_one_instance_at_a_time() {
    // A little less than two seconds, because the time on the way to the server counts as age.
    const FRESH: Duration = Duration::from_millis(1900);
    undisturbed(|cluster| {
        let begun = Instant::now();
        let mixed = [paths("brief", 20), paths("item", 20)].concat();
        let load = Load::on(cluster, &mixed);
        for path in paths("brief", 20) {
            let refreshed = |it: &Instance| it.rendered(&path).number >= 4;
            cluster.await_all("it is refreshed", refreshed);
        }
        let seen = load.end();
        let most = 1 + (begun.elapsed().as_millis() / FRESH.as_millis()) as u32;
        cluster.keeps_the_promise(&seen);
        let mut brief = seen.iter().filter(|it| it.path.starts_with("/brief"));
        assert!(brief.any(Seen::is_hit), "it is kept");
        let mut wrong = renders_other_than(cluster, &paths("item", 20), 1);
        for path in paths("brief", 20) {
            let renders = cluster.upstream.asked(&format!("/truth{path}"));
            if renders > most {
                wrong.push(format!("{path}: {renders} renders, and not {most} at most"));
            }
        }
        wrong
    });
}
