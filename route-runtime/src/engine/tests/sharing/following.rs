//! The invalidations of other instances.

use super::*;
use crate::store::{Epoch, Risen};

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

/// A store that has lost its record, counts anew, and does not look at the marks that callers name.
struct Forgetful {
    link: Arc<Link>,
    record: Mutex<Invalidations>,
}

impl Store for Forgetful {
    fn read<'a>(&'a self, key: EntryKey<'a>, seen: Mark) -> StoreFuture<'a, Option<StoredEntry>> {
        self.link.read(key, seen)
    }

    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, bool> {
        self.link.write(key, entry)
    }

    fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()> {
        self.link.remove(key)
    }

    fn invalidate<'a>(
        &'a self,
        tags: &'a [Tag],
        how: Invalidation,
        _: Mark,
    ) -> StoreFuture<'a, Recorded> {
        let mut record = self.record.lock().unwrap();
        let before = record.until;
        let mark = mark(before.epoch.0 + 1);
        record.until = mark;
        for tag in tags {
            let mut risen = Risen::default();
            risen.raise(how, mark.epoch);
            record.tags.push((tag.clone(), risen));
        }
        Box::pin(ready(Ok(Recorded { before, mark })))
    }

    fn invalidations(&self, _: Mark, _: Option<Mark>) -> StoreFuture<'_, Invalidations> {
        Box::pin(ready(Ok(self.record.lock().unwrap().clone())))
    }
}

fn mark(epoch: u64) -> Mark {
    Mark {
        epoch: Epoch(epoch),
        word: 7,
    }
}

#[tokio::test]
async fn a_store_that_has_forgotten_invalidations_is_not_believed() {
    let cluster = Cluster::new();
    let store = Arc::new(Forgetful {
        link: cluster.made(false, |_| {}).link,
        record: Mutex::default(),
    });
    let engine = Cache::engine(cluster.hub.clock.clone(), |config| {
        config.store = Some(store as Arc<dyn Store>);
    });
    assert!(engine.0.epochs.adopt(&Invalidations {
        until: mark(3),
        ..Invalidations::default()
    }));
    let tags = [Tag::from("/a")];
    let invalidated = engine.invalidate(&tags, Invalidation::Absent).await;
    assert!(invalidated.unwrap_err().to_string().contains("forgotten"));
    let caught_up = engine.catch_up().await;
    assert!(caught_up.unwrap_err().to_string().contains("forgotten"));
}

#[tokio::test]
async fn a_store_that_lost_its_record_invalidates_everything_once() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance().await, cluster.instance().await);
    let origin = Origin::numbers(FOREVER);
    for _ in 0..5 {
        one.invalidate("other").await;
    }
    two.invalidate("other").await;
    turns().await;
    assert_eq!(one.rendered("/a", &origin).await, "miss 1");
    assert_eq!(two.told("/a", &origin).await, "hit 1");

    cluster.hub.inner.come_back(None);
    one.invalidate("/a").await;
    assert_eq!(one.rendered("/a", &origin).await, "invalidated 2");
    cluster.pass(secs(1)).await;
    // The second instance knew the same mark, so the floors have risen once.
    assert_eq!(two.told("/a", &origin).await, "hit 2");
    two.invalidate("/a").await;
    turns().await;
    assert_eq!(one.told("/a", &origin).await, "invalidated 3");
}

/// The store comes back as it was, and then gives as many numbers as were lost, and the same ones.
#[tokio::test]
async fn a_store_that_gives_lost_numbers_again_makes_nothing_valid_again() {
    let cluster = Cluster::new();
    let one = cluster.instance().await;
    let origin = Origin::numbers(FOREVER);
    let remembered = cluster.hub.inner.state();
    for _ in 0..3 {
        one.invalidate("other").await;
    }
    assert_eq!(one.rendered("/a", &origin).await, "miss 1");
    cluster.hub.inner.come_back(Some(&remembered));
    let fresh = cluster.instance().await;
    for tag in ["other", "other", "/a"] {
        fresh.invalidate(tag).await;
    }
    turns().await;
    assert_eq!(one.told("/a", &origin).await, "invalidated 2");
}

/// The store refuses what was rendered before the loss, and so the instance learns of the loss.
#[tokio::test]
async fn a_late_write_from_before_a_loss_is_refused_and_shows_the_loss() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.made(false, |_| {}), cluster.made(false, |_| {}));
    one.follow().await;
    two.follow().await;
    let origin = Origin::numbers(FOREVER);
    let remembered = cluster.hub.inner.state();
    one.invalidate("other").await;
    let gate = one.link.hold_up(What::Write);
    assert_eq!(one.told("/a", &origin).await, "miss 1");
    cluster.hub.inner.come_back(Some(&remembered));
    two.invalidate("/a").await;
    gate.open();
    one.settled().await;
    assert_eq!(two.rendered("/a", &origin).await, "miss 2");
    // The instance learned of the loss from the refusal, before its next question was due.
    assert_eq!(one.told("/a", &origin).await, "invalidated 3");
}

/// The entry is from a time that is lost before its answer arrives. By then, its number is that of
/// another invalidation, which is in force here.
#[tokio::test]
async fn an_entry_above_what_is_in_force_is_read_again() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.made(false, |_| {}), cluster.made(false, |_| {}));
    one.follow().await;
    two.follow().await;
    let origin = Origin::numbers(FOREVER);
    let remembered = cluster.hub.inner.state();
    two.invalidate("other").await;
    two.rendered("/a", &origin).await;
    let gate = one.link.hold_back(What::Read);
    let asking = one.asking("/a", &origin);
    turns().await;
    drop(two);
    cluster.hub.inner.come_back(Some(&remembered));
    let fresh = cluster.instance().await;
    fresh.invalidate("/a").await;
    one.engine.catch_up().await.unwrap();
    one.link.late.lock().unwrap().take();
    gate.open();
    assert_eq!(all_told(vec![asking]).await, ["miss 2"]);
}

/// The store is asked, and comes back as it was before the answer arrives. The answer is then from a
/// time that is lost, and so are the numbers in it.
#[tokio::test]
async fn an_answer_from_before_a_loss_makes_nothing_valid_again() {
    for what in [What::Invalidations, What::Invalidate, What::Read] {
        let cluster = Cluster::new();
        let (one, two) = (cluster.made(false, |_| {}), cluster.made(false, |_| {}));
        one.follow().await;
        two.follow().await;
        let origin = Origin::numbers(FOREVER);
        let remembered = cluster.hub.inner.state();
        one.invalidate("other").await;
        assert_eq!(one.rendered("/a", &origin).await, "miss 1");
        let gate = one.link.hold_back(what);
        let asking = one.asking("/b", &origin);
        let engine = one.engine.clone();
        let invalidating = tokio::spawn(async move {
            let tags = [Tag::from("other")];
            engine.invalidate(&tags, Invalidation::Absent).await
        });
        turns().await;
        cluster.hub.inner.come_back(Some(&remembered));
        // As many numbers as were lost, and one more.
        for tag in ["/a", "/b", "other"] {
            two.invalidate(tag).await;
        }
        gate.open();
        invalidating.await.unwrap().unwrap();
        all_told(vec![asking]).await;
        cluster.pass(TICK).await;
        let told = one.told("/a", &origin).await;
        assert!(told.starts_with("invalidated"), "{what:?}: {told}");
        let told = two.told("/b", &origin).await;
        assert!(
            told.starts_with("miss") || told.starts_with("inval"),
            "{what:?}: {told}"
        );
    }
}

/// An instance asks about the record while an invalidation of its own is under way, and the store
/// answers the question late, as it was before a loss.
#[tokio::test]
async fn one_question_about_the_record_is_under_way_at_a_time() {
    let cluster = Cluster::new();
    let one = cluster.made(false, |_| {});
    one.follow().await;
    let gate = one.link.hold_up(What::Invalidations);
    cluster.pass(TICK).await;
    let asked = one.link.asked();
    let invalidating = (0..10).map(|number| {
        let engine = one.engine.clone();
        tokio::spawn(async move {
            let tags = [Tag::new(format!("{}", number % 3))];
            let how = match number {
                0..5 => Invalidation::Absent,
                _ => Invalidation::Stale,
            };
            engine.invalidate(&tags, how).await
        })
    });
    let invalidating: Vec<_> = invalidating.collect();
    turns().await;
    let recorded = async || {
        let news = cluster.hub.inner.invalidations(Mark::START, None).await;
        news.unwrap().until.epoch
    };
    assert_eq!(recorded().await, Epoch(0), "they wait for the question");
    gate.open();
    for invalidating in invalidating {
        invalidating.await.unwrap().unwrap();
    }
    // Those that waited together are one for each kind, and each follows what is in force.
    assert_eq!((recorded().await, one.link.asked()), (Epoch(2), asked));
}

#[tokio::test]
async fn an_invalidation_whose_caller_goes_away_is_carried_out() {
    let cluster = Cluster::new();
    let one = cluster.instance().await;
    let origin = Origin::numbers(FOREVER);
    one.rendered("/a", &origin).await;
    let tags = [Tag::from("/a")];
    let mut invalidating = Box::pin(one.engine.invalidate(&tags, Invalidation::Absent));
    assert!(futures_util::FutureExt::now_or_never(&mut invalidating).is_none());
    drop(invalidating);
    turns().await;
    assert_eq!(one.told("/a", &origin).await, "invalidated 2");
}

/// Another instance has written an entry after an invalidation that is not in force here yet.
#[tokio::test]
async fn an_entry_from_after_what_is_in_force_is_taken_once_that_is_in_force_too() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.made(false, |_| {}), cluster.made(false, |_| {}));
    one.follow().await;
    two.follow().await;
    let origin = Origin::numbers(FOREVER);
    two.rendered("/b", &origin).await;
    one.invalidate("/b").await;
    one.rendered("/a", &origin).await;
    let asked = two.link.asked();
    assert_eq!(two.told("/a", &origin).await, "hit 2");
    assert_eq!(two.link.asked(), asked + 1);
    assert_eq!(two.told("/b", &origin).await, "invalidated 3");
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
