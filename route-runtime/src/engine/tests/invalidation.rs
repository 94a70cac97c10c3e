use super::*;
use crate::engine::Status;

const FOREVER: Lifetime = Lifetime::FOREVER;

#[tokio::test]
async fn after_an_invalidation_the_next_request_waits_for_new_content() {
    let cache = Cache::new();
    let origin = Origin::numbers(FOREVER);
    assert_eq!(cache.told("/a", &origin).await, "miss 1");
    assert_eq!(cache.told("/b", &origin).await, "miss 2");
    cache.invalidate("/a").await;
    assert!(cache.engine.lookup("/a", OWNER).is_none());
    let answer = cache.get("/a", &origin).await.unwrap();
    assert_eq!(answer.status, Status::Invalidated { stored: true });
    assert_eq!(body(&answer), "3");
    assert_eq!(cache.told("/a", &origin).await, "hit 3");
    assert_eq!(cache.told("/b", &origin).await, "hit 2");
}

#[tokio::test]
async fn an_invalidation_of_a_key_without_an_entry_changes_nothing() {
    let cache = Cache::new();
    let origin = Origin::numbers(FOREVER);
    cache.invalidate("/a").await;
    assert_eq!(cache.told("/a", &origin).await, "miss 1");
    assert_eq!(cache.told("/a", &origin).await, "hit 1");
}

#[tokio::test]
async fn an_entry_marked_stale_is_served_once_more_and_refreshed() {
    let cache = Cache::new();
    let origin = Origin::numbers(FOREVER);
    assert_eq!(cache.told("/a", &origin).await, "miss 1");
    cache.mark("/a", Invalidation::Stale).await;
    let answer = cache.get("/a", &origin).await.unwrap();
    assert_eq!(answer.status, Status::Stale(Some(0)));
    assert_eq!(body(&answer), "1");
    cache.engine.settled().await;
    assert_eq!(cache.told("/a", &origin).await, "hit 2");
}

#[tokio::test]
async fn tags_found_while_rendering_count_like_declared_tags() {
    let cache = Cache::new();
    let origin = Origin::new(|run, _| async move {
        RenderOutcome::store(Text(run.to_string()), FOREVER).tagged(vec![
            Tag::from("posts"),
            Tag::from("/a"),
            Tag::from("posts"),
        ])
    });
    let answer = cache.get("/a", &origin).await.unwrap();
    let Content::Entry(entry) = answer.content else {
        panic!("not stored");
    };
    assert_eq!(entry.tags(), [Tag::from("/a"), Tag::from("posts")]);
    cache.invalidate("posts").await;
    assert_eq!(cache.told("/a", &origin).await, "invalidated 2");
    cache.invalidate("/a").await;
    assert_eq!(cache.told("/a", &origin).await, "invalidated 3");
}

/// Makes requests, an invalidation while their render is under way, and requests after it.
#[tokio::test]
async fn a_render_under_way_is_not_given_to_requests_that_begin_after_an_invalidation() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), FOREVER));
    let before = cache.crowd(10, "/a", &origin);
    cache.until_missed(10).await;
    until(|| origin.active() == 1).await;
    cache.invalidate("/a").await;
    let after = cache.crowd(10, "/a", &origin);
    cache.until_missed(20).await;
    gate.admit();
    let before = all_told(before).await;
    assert_eq!(tally(&before), [(9, "collapsed 1"), (1, "miss 1")]);
    // The requests that began after the invalidation wait for one render of their own.
    until(|| origin.runs() == 2).await;
    gate.open();
    let after = all_told(after).await;
    assert_eq!(tally(&after), [(9, "collapsed 2"), (1, "miss 2")]);
    assert_eq!(cache.told("/a", &origin).await, "hit 2");
    assert_eq!(origin.runs(), 2);
}

#[tokio::test]
async fn a_render_invalidated_under_way_is_not_stored() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), FOREVER));
    let asking = cache.crowd(1, "/a", &origin);
    until(|| origin.active() == 1).await;
    cache.invalidate("/a").await;
    gate.open();
    let answer = asking.into_iter().next().unwrap().await.unwrap().unwrap();
    assert_eq!(answer.status, Status::Miss { stored: false });
    assert!(cache.engine.lookup("/a", OWNER).is_none());
    assert_eq!(cache.told("/a", &origin).await, "miss 2");
}

#[tokio::test]
async fn a_render_marked_stale_under_way_is_stored_as_stale() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), FOREVER));
    let asking = cache.crowd(1, "/a", &origin);
    until(|| origin.active() == 1).await;
    cache.mark("/a", Invalidation::Stale).await;
    gate.open();
    assert_eq!(all_told(asking).await, ["miss 1"]);
    assert_eq!(cache.told("/a", &origin).await, "stale 1");
    cache.engine.settled().await;
    assert_eq!(cache.told("/a", &origin).await, "hit 2");
}

#[tokio::test]
async fn an_invalidation_of_another_tag_disturbs_no_render() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), FOREVER));
    let before = cache.crowd(1, "/a", &origin);
    until(|| origin.active() == 1).await;
    cache.invalidate("/b").await;
    let after = cache.crowd(1, "/a", &origin);
    cache.until_missed(2).await;
    gate.open();
    assert_eq!(all_told(before).await, ["miss 1"]);
    assert_eq!(all_told(after).await, ["collapsed 1"]);
    assert_eq!(cache.told("/a", &origin).await, "hit 1");
}

#[tokio::test]
async fn a_refresh_invalidated_under_way_is_neither_given_nor_stored() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let lifetime = Lifetime::revalidate(secs(2));
    let origin = Origin::gated(&gate, move |run| store(run.to_string(), lifetime));
    gate.admit();
    cache.get("/a", &origin).await.unwrap();
    cache.hands.advance(secs(2));
    assert_eq!(cache.told("/a", &origin).await, "stale 1");
    until(|| origin.active() == 1).await;
    cache.invalidate("/a").await;
    let after = cache.crowd(10, "/a", &origin);
    cache.until_missed(11).await;
    gate.open();
    let after = all_told(after).await;
    assert_eq!(tally(&after), [(9, "collapsed 3"), (1, "invalidated 3")]);
    assert_eq!(cache.told("/a", &origin).await, "hit 3");
    assert_eq!(origin.runs(), 3);
}

#[tokio::test]
async fn a_failure_from_before_an_invalidation_is_not_shared_after_it() {
    let cache = Cache::new();
    let origin = Origin::new(|run, _| async move {
        match run {
            1 => share_once("404"),
            2 => panic!("expected by a test"),
            _ => store(run.to_string(), FOREVER),
        }
    });
    assert_eq!(cache.told("/a", &origin).await, "miss 404");
    assert_eq!(cache.told("/a", &origin).await, "collapsed 404");
    cache.invalidate("/b").await;
    assert_eq!(cache.told("/a", &origin).await, "collapsed 404");
    cache.invalidate("/a").await;
    assert!(cache.told("/a", &origin).await.starts_with("failed: "));
    assert!(cache.told("/a", &origin).await.starts_with("failed: "));
    assert_eq!(origin.runs(), 2);
    // The tags that a panicked render had used are not known, so this may be one of them.
    cache.invalidate("/b").await;
    assert_eq!(cache.told("/a", &origin).await, "miss 3");
}

#[tokio::test]
async fn a_failure_under_way_is_not_given_to_requests_that_begin_after_an_invalidation() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| match run {
        1 => share_once("404"),
        _ => store(run.to_string(), FOREVER),
    });
    let before = cache.crowd(1, "/a", &origin);
    until(|| origin.active() == 1).await;
    cache.invalidate("/a").await;
    let after = cache.crowd(1, "/a", &origin);
    cache.until_missed(2).await;
    gate.open();
    assert_eq!(all_told(before).await, ["miss 404"]);
    assert_eq!(all_told(after).await, ["miss 2"]);
}

#[tokio::test]
async fn a_render_that_hangs_holds_no_request_beyond_its_limit_even_after_an_invalidation() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| store(run.to_string(), FOREVER));
    let mut asking = cache.crowd(1, "/a", &origin);
    until(|| origin.active() == 1).await;
    cache.invalidate("/a").await;
    asking.extend(cache.crowd(1, "/a", &origin));
    cache.until_missed(2).await;
    cache.hands.advance(LIMIT);
    let answers = all_told(asking).await;
    assert_eq!(tally(&answers), [(2, "failed: the render took too long")]);
    assert_eq!(origin.runs(), 1);
}

#[tokio::test]
async fn an_old_entry_stays_usable_if_only_its_refresh_used_the_invalidated_tag() {
    let cache = Cache::new();
    let gate = Gate::closed();
    let origin = Origin::gated(&gate, |run| {
        let outcome = RenderOutcome::store(Text(run.to_string()), Lifetime::revalidate(secs(2)));
        match run {
            2 => outcome.tagged(vec![Tag::from("new")]),
            _ => outcome.into(),
        }
    });
    gate.admit();
    cache.get("/a", &origin).await.unwrap();
    cache.hands.advance(secs(2));
    assert_eq!(cache.told("/a", &origin).await, "stale 1");
    until(|| origin.active() == 1).await;
    cache.invalidate("new").await;
    gate.open();
    cache.engine.settled().await;
    assert_eq!(cache.told("/a", &origin).await, "stale 1");
    cache.engine.settled().await;
    assert_eq!(cache.told("/a", &origin).await, "hit 3");
}

/// Counts a source up, and invalidates after each step. A request after the invalidation must see
/// at least that count.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_after_an_invalidation_sees_what_was_written_before_it() {
    let cache = Cache::new();
    let source = Arc::new(AtomicUsize::new(0));
    let origin = Origin::new({
        let source = Arc::clone(&source);
        move |_, _| {
            let source = Arc::clone(&source);
            async move {
                let read = source.load(Ordering::Relaxed);
                tokio::task::yield_now().await;
                store(read.to_string(), FOREVER)
            }
        }
    });
    // The greatest count whose invalidation has resolved.
    let told = Arc::new(AtomicUsize::new(0));
    let writer = tokio::spawn({
        let (cache, told, source) = (cache.clone(), Arc::clone(&told), Arc::clone(&source));
        async move {
            for count in 1..=300 {
                source.store(count, Ordering::Relaxed);
                cache.invalidate("/a").await;
                told.store(count, Ordering::Release);
                tokio::task::yield_now().await;
            }
        }
    });
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let (cache, told, origin) = (cache.clone(), Arc::clone(&told), origin.clone());
            tokio::spawn(async move {
                loop {
                    let at_least = told.load(Ordering::Acquire);
                    let answer = cache.get("/a", &origin).await.unwrap();
                    let seen: usize = body(&answer).parse().unwrap();
                    assert!(seen >= at_least, "saw {seen} after {at_least}");
                    if at_least == 300 {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    writer.await.unwrap();
    for reader in readers {
        reader.await.unwrap();
    }
}

/// A request that began before the invalidation may get the content, but must not pass it on.
#[tokio::test]
async fn content_invalidated_while_it_was_rendered_is_not_current() {
    for how in [None, Some(Invalidation::Stale), Some(Invalidation::Absent)] {
        let cache = Cache::new();
        let gate = Gate::closed();
        let origin = Origin::gated(&gate, |run| store(run.to_string(), FOREVER));
        let asking = cache.crowd(2, "/a", &origin);
        cache.until_missed(2).await;
        until(|| origin.active() == 1).await;
        if let Some(how) = how {
            cache.mark("/a", how).await;
        }
        gate.open();
        for asked in asking {
            let answer = asked.await.unwrap().unwrap();
            assert_eq!(body(&answer), "1");
            assert_eq!(answer.is_current, how.is_none(), "{how:?}");
        }
        let next = cache.get("/a", &origin).await.unwrap();
        assert_eq!(next.is_current, how != Some(Invalidation::Stale), "{how:?}");
        cache.engine.settled().await;
        assert!(cache.get("/a", &origin).await.unwrap().is_current);
    }
}

#[tokio::test]
async fn only_content_of_a_fresh_entry_is_current() {
    let cache = Cache::new();
    let origin = Origin::new(|run, _| async move {
        match run {
            1 => share_once("failed"),
            2 => store("page", Lifetime::revalidate(secs(2))),
            _ => individual("own"),
        }
    });
    assert!(!cache.get("/a", &origin).await.unwrap().is_current);
    assert!(!cache.get("/a", &origin).await.unwrap().is_current);
    assert!(cache.get("/b", &origin).await.unwrap().is_current);
    cache.hands.advance(secs(2));
    assert!(!cache.get("/b", &origin).await.unwrap().is_current);
    assert!(!cache.get("/c", &origin).await.unwrap().is_current);
}
