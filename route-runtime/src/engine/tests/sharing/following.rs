//! The invalidations of other instances.

use super::*;
use crate::store::Epoch;

const FOREVER: Lifetime = Lifetime::FOREVER;

#[tokio::test]
async fn an_invalidation_elsewhere_is_in_force_as_soon_as_the_store_reports_it() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance().await, cluster.instance().await);
    let origin = Origin::numbers(FOREVER);
    assert_eq!(one.rendered("/a", &origin).await, "miss 1");
    assert_eq!(two.told("/a", &origin).await, "hit 1");
    one.invalidate("/a").await;
    turns().await;
    assert_eq!(two.rendered("/a", &origin).await, "invalidated 2");
    assert_eq!(one.told("/a", &origin).await, "hit 2");
    one.mark("/a", Invalidation::Stale).await;
    turns().await;
    assert_eq!(two.told("/a", &origin).await, "stale 2");
}

/// The store here reports nothing by itself. A request later than the bound gets new content, and
/// an earlier request is answered without a round trip.
#[tokio::test]
async fn an_invalidation_elsewhere_is_in_force_within_the_bound() {
    for delay in (0..500).step_by(70) {
        let cluster = Cluster::new();
        let (one, two) = (cluster.made(false, |_| {}), cluster.made(false, |_| {}));
        one.follow().await;
        two.follow().await;
        let origin = Origin::numbers(FOREVER);
        one.rendered("/a", &origin).await;
        two.told("/a", &origin).await;
        cluster.pass(ms(delay)).await;
        one.invalidate("/a").await;
        cluster.pass(secs(1)).await;
        assert_eq!(two.told("/a", &origin).await, "invalidated 2", "{delay}");
    }
}

#[tokio::test]
async fn a_hit_does_not_ask_the_store() {
    let cluster = Cluster::new();
    let one = cluster.instance().await;
    let origin = Origin::numbers(FOREVER);
    one.rendered("/a", &origin).await;
    let before = (one.link.reads(), one.link.asked());
    for _ in 0..100 {
        assert_eq!(one.told("/a", &origin).await, "hit 1");
        assert!(
            one.engine
                .lookup("/a", OWNER)
                .is_some_and(|hit| hit.is_verified)
        );
    }
    assert_eq!((one.link.reads(), one.link.asked()), before);
}

/// The follower holds nothing that would keep the engine alive, not even while the store hangs.
#[tokio::test]
async fn following_ends_with_the_engine() {
    for way in [Way::Open, Way::Hangs, Way::Fails] {
        let cluster = Cluster::new();
        let one = cluster.made(true, |_| {});
        one.link.set(way);
        one.follow().await;
        let Instance { cache, link } = one;
        assert!(Arc::strong_count(&link) > 1);
        drop(cache);
        turns().await;
        assert_eq!(Arc::strong_count(&link), 1, "{way:?}");
        assert_eq!(cluster.hands.sleepers(), 0);
    }
}

/// Renders are stamped with the last number that is in force without a gap, not with the newest
/// number heard.
#[tokio::test]
async fn a_number_that_is_heard_before_its_predecessors_is_not_used_as_a_stamp() {
    let cluster = Cluster::new();
    let one = cluster.made(false, |_| {});
    let two = cluster.made(false, |_| {});
    one.follow().await;
    two.follow().await;
    let origin = Origin::numbers(FOREVER);
    one.rendered("/a", &origin).await;
    one.invalidate("one").await;
    two.invalidate("/a").await;
    // The third invalidation is heard of, but the one before it is not known here.
    let key = [Tag::from("three")];
    let core = &one.engine.0;
    let seen = core.epochs.mark();
    let recorded = one
        .link
        .invalidate(&key, Invalidation::Absent, seen)
        .await
        .unwrap();
    assert_eq!(recorded.mark.epoch, Epoch(3));
    assert!(!core.epochs.follow(recorded, &key, Invalidation::Absent));
    assert_eq!(core.epochs.mark(), seen);

    // A render that begins now may use content that the second instance has invalidated.
    let answer = one.get("/b", &origin).await.unwrap();
    let Content::Entry(entry) = answer.content else {
        panic!("it is stored");
    };
    assert_eq!(entry.started(), seen);
    assert_eq!(one.told("/a", &origin).await, "hit 1");

    one.engine.catch_up().await.unwrap();
    assert_eq!(core.epochs.published(), Epoch(3));
    assert_eq!(one.told("/a", &origin).await, "invalidated 3");
}

#[tokio::test]
async fn an_invalidation_that_leaves_a_gap_is_in_force_once_the_gap_is_filled() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.made(false, |_| {}), cluster.made(false, |_| {}));
    let origin = Origin::numbers(FOREVER);
    one.rendered("/a", &origin).await;
    one.rendered("/b", &origin).await;
    two.invalidate("/b").await;
    one.invalidate("/a").await;
    assert_eq!(one.told("/a", &origin).await, "invalidated 3");
    assert_eq!(one.told("/b", &origin).await, "invalidated 4");
}

#[tokio::test]
async fn an_instance_that_is_cut_off_serves_its_entries_as_unverified() {
    for way in [Way::Hangs, Way::Fails] {
        let cluster = Cluster::new();
        let (one, two) = (cluster.instance().await, cluster.instance().await);
        let origin = Origin::numbers(Lifetime::revalidate(secs(60)));
        one.rendered("/a", &origin).await;
        assert_eq!(two.told("/a", &origin).await, "hit 1");
        two.link.set(way);
        one.invalidate("/a").await;
        assert_eq!(one.rendered("/a", &origin).await, "invalidated 2");
        // Within the bound, the instance need not know of the invalidation.
        cluster.pass(ms(900)).await;
        assert_eq!(two.told("/a", &origin).await, "hit 1");
        cluster.pass(ms(200)).await;
        assert_eq!(two.told("/a", &origin).await, "unverified 1");
        let hit = two.engine.lookup("/a", OWNER).unwrap();
        assert!(!hit.is_verified);
        assert_eq!(two.engine.stats().unverified, 1);
        two.engine.count(&hit);
        assert_eq!(two.engine.stats().unverified, 2);
        // The instance renders what it does not have, without waiting for the store.
        assert_eq!(two.rendered("/b", &origin).await, "miss 3");

        two.link.set(Way::Open);
        cluster.pass(secs(2)).await;
        // The answer is not what it had, but what the first instance has rendered since.
        assert_eq!(two.told("/a", &origin).await, "hit 2");
        assert_eq!(two.told("/b", &origin).await, "hit 3", "{way:?}");
        assert_eq!(origin.runs(), 3);
    }
}

#[tokio::test]
async fn an_instance_that_is_cut_off_marks_stale_content_as_unverified_too() {
    let cluster = Cluster::new();
    let one = cluster.instance().await;
    let origin = Origin::numbers(TWO);
    one.rendered("/a", &origin).await;
    one.link.set(Way::Fails);
    cluster.pass(secs(3)).await;
    let answer = one.get("/a", &origin).await.unwrap();
    assert_eq!(answer.status, crate::engine::Status::Unverified(Some(-1)));
    one.settled().await;
    assert_eq!(one.told("/a", &origin).await, "unverified 2");
}

#[tokio::test]
async fn an_instance_that_is_cut_off_renders_if_it_is_configured_to() {
    let cluster = Cluster::new();
    let one = cluster.made(true, |config| config.on_partition = OnPartition::Render);
    one.follow().await;
    let origin = Origin::numbers(FOREVER);
    one.rendered("/a", &origin).await;
    one.link.set(Way::Fails);
    cluster.pass(secs(2)).await;
    assert!(one.engine.lookup("/a", OWNER).is_none());
    assert_eq!(one.rendered("/a", &origin).await, "expired 2");
    // The entry is kept, but not believed.
    let asking = one.crowd(10, "/a", &origin);
    let answers = all_told(asking).await;
    assert_eq!(tally(&answers), [(9, "collapsed 3"), (1, "expired 3")]);
    one.link.set(Way::Open);
    cluster.pass(secs(1)).await;
    assert_eq!(one.told("/a", &origin).await, "hit 3");
    assert_eq!(one.engine.stats().unverified, 0);
}

/// Before the first answer of the store, nothing in the store is believed, and nothing in memory.
#[tokio::test]
async fn an_instance_started_while_the_store_is_away_verifies_nothing_until_the_store_is_back() {
    let cluster = Cluster::new();
    let one = cluster.instance().await;
    let origin = Origin::numbers(FOREVER);
    one.rendered("/a", &origin).await;
    one.rendered("/b", &origin).await;
    one.invalidate("/a").await;
    let two = cluster.made(true, |_| {});
    two.link.set(Way::Fails);
    two.follow().await;
    assert_eq!(two.rendered("/a", &origin).await, "miss 3");
    assert_eq!(two.told("/a", &origin).await, "unverified 3");
    two.link.set(Way::Open);
    cluster.pass(TICK).await;
    // The instance cannot know that its own entry was rendered after the invalidation.
    assert_eq!(two.told("/a", &origin).await, "invalidated 4");
    assert_eq!(two.told("/b", &origin).await, "hit 2");
}

/// An answer of the store counts from when it was asked for, not from when it came.
#[tokio::test]
async fn a_late_answer_of_the_store_verifies_entries_for_no_longer_than_a_prompt_one() {
    let cluster = Cluster::new();
    let one = cluster.made(false, |_| {});
    one.follow().await;
    let origin = Origin::numbers(FOREVER);
    one.rendered("/a", &origin).await;
    let gate = one.link.hold_up(What::Invalidations);
    // The store is asked after half a second, and answers 400 ms later.
    cluster.pass(ms(900)).await;
    gate.open();
    turns().await;
    one.link.set(Way::Fails);
    cluster.pass(ms(600)).await;
    assert_eq!(one.told("/a", &origin).await, "hit 1");
    cluster.pass(ms(10)).await;
    assert_eq!(one.told("/a", &origin).await, "unverified 1");
}

/// An entry is compared with the record of invalidations before it is adopted. If the record cannot
/// be read, the entry is not adopted.
#[tokio::test]
async fn no_entry_is_adopted_before_the_record_of_invalidations_is_known() {
    let cluster = Cluster::new();
    let one = cluster.instance().await;
    let origin = Origin::numbers(FOREVER);
    one.rendered("/a", &origin).await;
    one.rendered("/b", &origin).await;
    one.invalidate("/a").await;
    let two = cluster.made(true, |_| {});
    let gate = two.link.hold_up(What::Invalidations);
    two.follow().await;
    let asking = two.asking("/a", &origin);
    turns().await;
    assert_eq!(origin.runs(), 2);
    gate.open();
    assert_eq!(all_told(vec![asking]).await, ["miss 3"]);

    let three = cluster.made(true, |_| {});
    let _gate = three.link.hold_up(What::Invalidations);
    three.follow().await;
    let asking = three.asking("/b", &origin);
    turns().await;
    cluster.pass(ms(50)).await;
    assert_eq!(all_told(vec![asking]).await, ["miss 4"]);
}

/// A request may come before the task that follows the store has had its turn.
#[tokio::test]
async fn an_instance_that_was_stopped_asks_the_store_before_it_answers() {
    for (way, first) in [(Way::Open, "invalidated 2"), (Way::Fails, "unverified 1")] {
        let cluster = Cluster::new();
        let (one, two) = (cluster.made(false, |_| {}), cluster.made(false, |_| {}));
        one.follow().await;
        two.follow().await;
        let origin = Origin::numbers(Lifetime::FOREVER);
        one.rendered("/a", &origin).await;
        assert_eq!(two.told("/a", &origin).await, "hit 1");
        one.invalidate("/a").await;
        two.link.set(way);
        cluster.hands.advance(secs(3));
        assert!(two.engine.lookup("/a", OWNER).is_none());
        let before = two.link.asked();
        assert_eq!(two.told("/a", &origin).await, first);
        // Requests that come together wait for one question.
        assert!(two.link.asked() <= before + 2);
    }
}
