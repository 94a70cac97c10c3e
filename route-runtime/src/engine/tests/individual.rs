use std::{collections::HashSet, future::pending};

use super::*;

#[tokio::test]
async fn two_hundred_requests_for_individual_content_run_two_hundred_renders() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| individual(format!("cookie-{run}")));
    let asking = cache.crowd(200, "/a", &origin);
    cache.until_missed(200).await;
    assert_eq!(origin.runs(), 1);
    gate.open();
    let answers: HashSet<_> = all_told(asking).await.into_iter().collect();
    assert_eq!((answers.len(), origin.runs()), (200, 200));

    // From now on no request waits for another. All run at once, though none has finished.
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| individual(format!("cookie-{run}")));
    let asking = cache.crowd(100, "/a", &origin);
    until(|| origin.active() == 100).await;
    gate.open();
    let answers: HashSet<_> = all_told(asking).await.into_iter().collect();
    assert_eq!((answers.len(), origin.runs()), (100, 100));
    assert!(answers.iter().all(|told| told.starts_with("bypass ")));
    assert_eq!(cache.engine.stats().entries, 1, "only the mark");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_two_requests_on_several_threads_get_the_same_individual_value() {
    for _ in 0..20 {
        let cache = Cache::new();
        let origin = Origin::new(|run, _| async move { individual(run.to_string()) });
        let answers: HashSet<_> = all_told(cache.crowd(200, "/a", &origin))
            .await
            .into_iter()
            .collect();
        assert_eq!((answers.len(), origin.runs()), (200, 200));
    }
}

#[tokio::test]
async fn an_individual_value_whose_client_is_gone_is_given_to_no_other_request() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| individual(run.to_string()));
    let leader = cache.crowd(1, "/a", &origin).remove(0);
    cache.until_missed(1).await;
    let others = cache.crowd(3, "/a", &origin);
    cache.until_missed(4).await;
    leader.abort();
    assert!(leader.await.is_err());
    gate.open();
    let answers = all_told(others).await;
    assert_eq!(answers, ["bypass 2", "bypass 3", "bypass 4"]);
}

#[tokio::test]
async fn a_pass_mark_ends_when_its_time_is_over() {
    let cache = Cache::new();
    let origin = Origin::new(|run, _| async move {
        match run {
            1 => RenderOutcome::Individual {
                value: Own("own".into()),
                pass: secs(60),
            }
            .into(),
            _ => store(run.to_string(), Lifetime::FOREVER),
        }
    });
    assert_eq!(cache.told("/a", &origin).await, "bypass own");
    cache.hands.advance(secs(59));
    // The render runs for its request alone, and its result is not stored.
    assert_eq!(cache.told("/a", &origin).await, "bypass 2");
    assert_eq!(cache.told("/a", &origin).await, "bypass 3");
    cache.hands.advance(secs(1));
    assert_eq!(cache.told("/a", &origin).await, "miss 4");
    assert_eq!(cache.told("/a", &origin).await, "hit 4");
}

#[tokio::test]
async fn a_refresh_that_makes_individual_content_drops_the_entry() {
    let cache = Cache::new();
    let origin = Origin::new(|run, _| async move {
        match run {
            1 => store("old", Lifetime::revalidate(secs(2))),
            _ => individual(run.to_string()),
        }
    });
    cache.get("/a", &origin).await.unwrap();
    cache.hands.advance(secs(2));
    assert_eq!(cache.told("/a", &origin).await, "stale old");
    cache.engine.settled().await;
    // The content that the refresh made was given to no request.
    assert_eq!(cache.told("/a", &origin).await, "bypass 3");
    assert_eq!(cache.told("/a", &origin).await, "bypass 4");
    cache.hands.advance(secs(10));
    assert_eq!(cache.told("/a", &origin).await, "bypass 5");
}

#[tokio::test]
async fn a_render_for_one_request_ends_at_the_limit_and_with_its_client() {
    let cache = Cache::new();
    let origin = Origin::new(|run, _| async move {
        match run {
            1 => individual("own"),
            _ => pending().await,
        }
    });
    cache.get("/a", &origin).await.unwrap();
    let asking = cache.crowd(2, "/a", &origin);
    until(|| origin.active() == 2).await;
    asking[0].abort();
    until(|| origin.active() == 1).await;
    cache.hands.advance(LIMIT);
    let answers: Vec<_> = asking.into_iter().skip(1).collect();
    assert_eq!(
        all_told(answers).await,
        ["failed: the render took too long"]
    );
    assert_eq!(origin.active(), 0);
}

#[tokio::test]
async fn a_panic_in_a_render_for_one_request_fails_only_that_request() {
    let cache = Cache::new();
    let origin = Origin::new(|run, _| async move {
        match run {
            2 => panic!("expected by a test"),
            _ => individual(run.to_string()),
        }
    });
    assert_eq!(cache.told("/a", &origin).await, "bypass 1");
    let answer = cache.told("/a", &origin).await;
    assert_eq!(answer, "failed: the render panicked: expected by a test");
    assert_eq!(cache.told("/a", &origin).await, "bypass 3");
}
