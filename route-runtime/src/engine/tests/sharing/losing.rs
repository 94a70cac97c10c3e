//! A store that loses invalidations, and questions about its record.

use super::*;
use crate::store::{Epoch, Risen};

const FOREVER: Lifetime = Lifetime::FOREVER;

/// Makes two instances that follow a store which reports nothing by itself.
async fn two_of(cluster: &Cluster) -> (Instance, Instance) {
    let two = (cluster.made(false, |_| {}), cluster.made(false, |_| {}));
    two.0.follow().await;
    two.1.follow().await;
    two
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
    let (one, two) = two_of(&cluster).await;
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
    let (one, two) = two_of(&cluster).await;
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
        let (one, two) = two_of(&cluster).await;
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
    let (one, two) = two_of(&cluster).await;
    let origin = Origin::numbers(FOREVER);
    two.rendered("/b", &origin).await;
    one.invalidate("/b").await;
    one.rendered("/a", &origin).await;
    let asked = two.link.asked();
    assert_eq!(two.told("/a", &origin).await, "hit 2");
    assert_eq!(two.link.asked(), asked + 1);
    assert_eq!(two.told("/b", &origin).await, "invalidated 3");
}

/// A runtime that has ended: it drops every task.
struct Ended;

impl crate::engine::Spawn for Ended {
    fn spawn(&self, task: crate::engine::config::BackgroundTask) {
        drop(task);
    }
}

#[tokio::test]
async fn an_invalidation_whose_task_is_dropped_is_an_error() {
    let cluster = Cluster::new();
    let one = cluster.made(false, |config| config.spawn = Arc::new(Ended));
    let tags = [Tag::from("/a")];
    let invalidated = one.engine.invalidate(&tags, Invalidation::Absent).await;
    assert_eq!(invalidated.unwrap_err().to_string(), "the program ends");
}

/// A question that another caller waits for says nothing of the store.
#[tokio::test]
async fn a_request_that_gets_no_turn_to_ask_does_not_take_the_store_for_away() {
    let cluster = Cluster::new();
    let (one, two) = two_of(&cluster).await;
    let origin = Origin::numbers(FOREVER);
    one.invalidate("other").await;
    one.rendered("/a", &origin).await;
    let gate = two.link.hold_back(What::Invalidate);
    let engine = two.engine.clone();
    let invalidating = tokio::spawn(async move {
        let tags = [Tag::from("other")];
        engine.invalidate(&tags, Invalidation::Absent).await
    });
    turns().await;
    let asking = two.asking("/a", &origin);
    turns().await;
    cluster.pass(ms(60)).await;
    assert_eq!(all_told(vec![asking]).await, ["miss 2"]);
    gate.open();
    invalidating.await.unwrap().unwrap();
    let reads = two.link.reads();
    two.rendered("/b", &origin).await;
    assert!(two.link.reads() > reads, "the store is read as before");
}
