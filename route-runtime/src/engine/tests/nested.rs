use super::*;
use crate::engine::{Bypass, Status};

const FOREVER: Lifetime = Lifetime::FOREVER;

/// The paths of which each path is made.
type Uses = fn(&str) -> &'static [&'static str];

/// Makes an origin that renders a path by asking for the paths it is made of, on its own behalf.
fn page(cache: &Cache, path: &'static str, uses: Uses) -> Origin {
    let cache = cache.clone();
    Origin::new(move |_, ancestry| {
        let cache = cache.clone();
        async move {
            let mut text = path.to_owned();
            for used in uses(path) {
                let origin = page(&cache, used, uses);
                let answer = cache.ask(used, ancestry.stale(), Some(&ancestry), &origin);
                text.push_str(&match answer.await {
                    Ok(answer) => format!("({})", body(&answer)),
                    Err(failure) => format!("({failure})"),
                });
            }
            store(text, FOREVER)
        }
    })
}

#[tokio::test]
async fn a_render_that_uses_itself_answers() {
    let cache = Cache::new();
    let origin = page(&cache, "/a", |_| &["/a"]);
    // The second run is for the first alone. A third would go on for ever.
    assert_eq!(
        cache.told("/a", &origin).await,
        "miss /a(/a(the render needs its own result))"
    );
}

#[tokio::test]
async fn renders_that_use_each_other_answer() {
    let uses: Uses = |path| match path {
        "/a" => &["/b"],
        "/b" => &["/c"],
        _ => &["/a"],
    };
    let cache = Cache::new();
    let answer = cache.told("/a", &page(&cache, "/a", uses)).await;
    assert!(answer.starts_with("miss /a(/b(/c(/a("), "{answer}");
    for path in ["/a", "/b", "/c"] {
        assert!(
            cache.engine.lookup(path, OWNER).is_some(),
            "{path} is stored"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn renders_that_use_each_other_answer_also_when_they_begin_at_once() {
    let uses: Uses = |path| match path {
        "/a" => &["/b", "/c"],
        "/b" => &["/c", "/a"],
        _ => &["/a", "/b"],
    };
    for _ in 0..50 {
        let cache = Cache::new();
        let asking: Vec<_> = ["/a", "/b", "/c", "/a", "/b", "/c"]
            .into_iter()
            .map(|path| {
                let cache = cache.clone();
                tokio::spawn(async move {
                    let origin = page(&cache, path, uses);
                    cache.get(path, &origin).await
                })
            })
            .collect();
        for answer in all_told(asking).await {
            assert!(!answer.starts_with("failed"), "{answer}");
        }
    }
}

#[tokio::test]
async fn of_two_renders_that_need_each_other_one_renders_the_other_for_itself() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let crossing = |path: &'static str, other: &'static str| {
        let (cache, gate) = (cache.clone(), gate.clone());
        let leaf = Origin::new(move |_, _| async move { store(other, FOREVER) });
        Origin::new(move |_, ancestry| {
            let (cache, gate, leaf) = (cache.clone(), gate.clone(), leaf.clone());
            async move {
                gate.passed().await;
                let answer = cache.ask(other, Stale::Refetch, Some(&ancestry), &leaf);
                let answer = answer.await.unwrap();
                let alone = answer.status == Status::Bypass(Bypass::Cycle);
                let text = if alone { "alone" } else { "shared" };
                store(format!("{path} {text}"), FOREVER)
            }
        })
    };
    let a = crossing("/a", "/b");
    let b = crossing("/b", "/a");
    let mut asking = cache.crowd(1, "/a", &a);
    asking.extend(cache.crowd(1, "/b", &b));
    until(|| a.active() + b.active() == 2).await;
    gate.open();
    let answers = all_told(asking).await;
    // Each contains the content of the other, and neither waited for ever.
    assert_eq!(answers, ["miss /a shared", "miss /b alone"]);
}

#[tokio::test]
async fn an_endless_chain_of_new_keys_is_an_error() {
    fn next(cache: &Cache, number: usize) -> Origin {
        let cache = cache.clone();
        Origin::new(move |_, ancestry| {
            let cache = cache.clone();
            async move {
                let path = format!("/{}", number + 1);
                let origin = next(&cache, number + 1);
                let answer = cache.ask(&path, Stale::Serve, Some(&ancestry), &origin);
                store(told(&answer.await), FOREVER)
            }
        })
    }
    let cache = Cache::new();
    let answer = cache.told("/0", &next(&cache, 0)).await;
    assert!(answer.ends_with("needs its own result"), "{answer}");
}

#[tokio::test]
async fn a_render_within_a_render_needs_no_turn_of_its_own() {
    let cache = Cache::with(|config| config.limits.places.renders = 1);
    let uses: Uses = |path| match path {
        "/a" => &["/b", "/c"],
        "/b" => &["/c"],
        _ => &[],
    };
    let answer = cache.told("/a", &page(&cache, "/a", uses)).await;
    assert_eq!(answer, "miss /a(/b(/c))(/c)");
}

#[tokio::test]
async fn a_queueing_render_runs_at_once_when_an_admitted_one_needs_it() {
    let cache = Cache::with(|config| config.limits.places.renders = 1);
    let gate = Gate::closed();
    let data = Origin::numbers(FOREVER);
    let admitted = Origin::new({
        let (cache, gate, data) = (cache.clone(), gate.clone(), data.clone());
        move |_, ancestry| {
            let (cache, gate, data) = (cache.clone(), gate.clone(), data.clone());
            async move {
                gate.passed().await;
                let answer = cache.ask("data", Stale::Refetch, Some(&ancestry), &data);
                store(told(&answer.await), FOREVER)
            }
        }
    });
    let mut asking = cache.crowd(1, "/a", &admitted);
    until(|| admitted.active() == 1).await;
    asking.extend(cache.crowd(1, "data", &data));
    cache.until_missed(2).await;
    assert_eq!(data.runs(), 0);
    gate.open();
    assert_eq!(all_told(asking).await, ["miss 1", "miss collapsed 1"]);
}

#[tokio::test]
async fn a_stored_result_is_made_of_new_data_and_an_individual_result_accepts_stale_data() {
    let cache = Cache::new();
    let data = Origin::numbers(Lifetime::revalidate(secs(2)));
    let outer = |outcome: fn(String) -> TaggedOutcome<Text>| {
        let (cache, data) = (cache.clone(), data.clone());
        Origin::new(move |_, ancestry| {
            let (cache, data) = (cache.clone(), data.clone());
            async move {
                let answer = cache.ask("data", ancestry.stale(), Some(&ancestry), &data);
                outcome(told(&answer.await))
            }
        })
    };
    let stored = outer(|text| store(text, Lifetime::revalidate(secs(2))));
    assert_eq!(cache.told("/a", &stored).await, "miss miss 1");
    cache.hands.advance(secs(2));
    // The entry is stale itself. Its refresh renders the data anew too: one step, not two.
    assert_eq!(cache.told("/a", &stored).await, "stale miss 1");
    cache.engine.settled().await;
    assert_eq!(cache.told("/a", &stored).await, "hit expired 2");

    let own = outer(individual);
    assert_eq!(cache.told("/own", &own).await, "bypass hit 2");
    cache.hands.advance(secs(2));
    // The key is passed now, so nothing made of the data is stored.
    assert_eq!(cache.told("/own", &own).await, "bypass stale 2");
    cache.engine.settled().await;
    assert_eq!(cache.told("/own", &own).await, "bypass hit 3");
}

#[tokio::test]
async fn a_refresh_that_a_render_starts_is_not_part_of_it() {
    let cache = Cache::new();
    let chains = Arc::new(std::sync::Mutex::new(Vec::new()));
    let data = Origin::new({
        let chains = Arc::clone(&chains);
        move |_, ancestry| {
            chains.lock().unwrap().push(format!("{ancestry:?}"));
            async { store("data", Lifetime::revalidate(secs(2))) }
        }
    });
    let outer = Origin::new({
        let (cache, data) = (cache.clone(), data.clone());
        move |_, ancestry| {
            let (cache, data) = (cache.clone(), data.clone());
            async move {
                let answer = cache.ask("data", Stale::Serve, Some(&ancestry), &data);
                store(told(&answer.await), FOREVER)
            }
        }
    });
    assert_eq!(cache.told("/a", &outer).await, "miss miss data");
    cache.hands.advance(secs(2));
    assert_eq!(cache.told("/b", &outer).await, "miss stale data");
    cache.engine.settled().await;
    let chains = chains.lock().unwrap();
    assert_eq!(*chains, [r#"[Key("data"), Key("/a")]"#, r#"[Key("data")]"#]);
}

#[tokio::test]
async fn data_that_a_cut_off_render_had_asked_for_is_finished_and_stored() {
    let cache = Cache::new();
    let (begin, gate) = (Gate::closed(), Gate::closed());
    let data = Origin::gated(&gate, |run| store(run.to_string(), FOREVER));
    let outer = Origin::new({
        let (cache, begin, data) = (cache.clone(), begin.clone(), data.clone());
        move |_, ancestry| {
            let (cache, begin, data) = (cache.clone(), begin.clone(), data.clone());
            async move {
                begin.passed().await;
                let answer = cache.ask("data", Stale::Refetch, Some(&ancestry), &data);
                store(told(&answer.await), FOREVER)
            }
        }
    });
    let asking = cache.crowd(1, "/a", &outer);
    until(|| outer.active() == 1).await;
    cache.hands.advance(ms(1));
    begin.open();
    until(|| data.active() == 1).await;
    cache.hands.advance(LIMIT - ms(1));
    assert_eq!(all_told(asking).await, ["failed: the render took too long"]);
    gate.open();
    cache.engine.settled().await;
    assert_eq!(cache.told("data", &data).await, "hit 1");
}
