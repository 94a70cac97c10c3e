use std::future::pending;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use super::*;
use crate::engine::Status;
use crate::store::{
    EntryKey, Invalidations, Mark, MemoryStore, Recorded, Store, StoreError, StoreFuture,
    StoredEntry,
};

const TWO: Lifetime = Lifetime::revalidate(secs(2));

/// A store that can be made to hang, and counts how often it is read.
struct Slow {
    inner: MemoryStore,
    down: AtomicBool,
    reads: AtomicUsize,
}

impl Slow {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryStore::new(1_000_000),
            down: AtomicBool::new(false),
            reads: AtomicUsize::new(0),
        })
    }

    fn go_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    fn unless_down<'a, T: Send + 'a>(&'a self, up: StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        if self.down.load(Ordering::SeqCst) {
            Box::pin(pending())
        } else {
            up
        }
    }
}

impl Store for Slow {
    fn read<'a>(&'a self, key: EntryKey<'a>, seen: Mark) -> StoreFuture<'a, Option<StoredEntry>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.unless_down(self.inner.read(key, seen))
    }

    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, bool> {
        self.unless_down(self.inner.write(key, entry))
    }

    fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()> {
        self.unless_down(self.inner.remove(key))
    }

    fn invalidate<'a>(
        &'a self,
        tags: &'a [Tag],
        how: Invalidation,
        seen: Mark,
    ) -> StoreFuture<'a, Recorded> {
        if self.down.load(Ordering::SeqCst) {
            return Box::pin(pending());
        }
        self.inner.invalidate(tags, how, seen)
    }

    fn invalidations(&self, seen: Mark, own: Option<Mark>) -> StoreFuture<'_, Invalidations> {
        self.unless_down(self.inner.invalidations(seen, own))
    }
}

/// An instance in front of the store; several share one clock.
fn instance(clock: &Clock, hands: &ManualClock, store: &Arc<Slow>, build: &str) -> Cache {
    let engine = Cache::engine(clock.clone(), |config| {
        config.store = Some(Arc::clone(store) as Arc<dyn Store>);
        config.build = build.into();
    });
    Cache {
        engine,
        hands: hands.clone(),
        keep: Keep::Listed,
    }
}

struct Cluster {
    store: Arc<Slow>,
    clock: Clock,
    hands: ManualClock,
}

impl Cluster {
    fn new() -> Self {
        let (clock, hands) = Clock::manual();
        Self {
            store: Slow::new(),
            clock,
            hands,
        }
    }

    fn instance(&self) -> Cache {
        instance(&self.clock, &self.hands, &self.store, "build")
    }
}

#[tokio::test]
async fn an_instance_finds_what_another_instance_has_rendered() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance(), cluster.instance());
    let origin = Origin::numbers(TWO);
    assert_eq!(one.told("/a", &origin).await, "miss 1");
    one.engine.settled().await;
    cluster.hands.advance(ms(500));
    let answer = two.get("/a", &origin).await.unwrap();
    assert_eq!((body(&answer), answer.age), ("1", ms(500)));
    assert_eq!(answer.status, Status::Hit(Some(1)));
    // A render is preceded by two reads, and the instance holds the lease during the second.
    assert_eq!(cluster.store.reads(), 3);
    assert_eq!(two.engine.stats().adopted, 1);
    // The second instance now answers from its own memory.
    assert_eq!(two.told("/a", &origin).await, "hit 1");
    assert_eq!((cluster.store.reads(), origin.runs()), (3, 1));
}

#[tokio::test]
async fn stale_content_of_a_store_is_served_and_refreshed() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance(), cluster.instance());
    let origin = Origin::numbers(TWO);
    one.get("/a", &origin).await.unwrap();
    one.engine.settled().await;
    cluster.hands.advance(secs(100));
    assert_eq!(two.told("/a", &origin).await, "stale 1");
    two.engine.settled().await;
    assert_eq!(two.told("/a", &origin).await, "hit 2");
    // The first request is a miss, because it had to wait for the store.
    let stats = two.engine.stats();
    assert_eq!((stats.hits, stats.stale, stats.misses), (1, 0, 1));
    // The first instance still has the old entry, and adopts the new one instead of rendering.
    assert_eq!(one.told("/a", &origin).await, "stale 1");
    one.engine.settled().await;
    assert_eq!(one.told("/a", &origin).await, "hit 2");
    assert_eq!(origin.runs(), 2);
}

#[tokio::test]
async fn stale_content_of_a_store_is_not_given_to_a_request_that_refetches() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance(), cluster.instance());
    let origin = Origin::numbers(TWO);
    one.get("/a", &origin).await.unwrap();
    one.engine.settled().await;
    cluster.hands.advance(secs(2));
    let answer = two.ask("/a", Stale::Refetch, None, &origin).await;
    assert_eq!(told(&answer), "miss 2");
}

#[tokio::test]
async fn an_invalidation_reaches_the_entries_of_a_store() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance(), cluster.instance());
    let origin = Origin::numbers(Lifetime::FOREVER);
    one.get("/a", &origin).await.unwrap();
    one.engine.settled().await;
    one.invalidate("other").await;
    one.invalidate("/a").await;
    // The second instance does not know of the invalidation until it asks the store.
    two.engine.catch_up().await.unwrap();
    assert_eq!(two.told("/a", &origin).await, "miss 2");
    two.engine.settled().await;
    assert_eq!(one.told("/a", &origin).await, "hit 2");

    // The store numbers the invalidations of all instances.
    two.invalidate("/a").await;
    one.invalidate("other").await;
    assert_eq!(one.told("/a", &origin).await, "invalidated 3");
    assert_eq!(origin.runs(), 3);
}

#[tokio::test]
async fn an_instance_started_later_knows_what_was_invalidated_before() {
    let cluster = Cluster::new();
    let one = cluster.instance();
    let origin = Origin::numbers(Lifetime::FOREVER);
    one.get("/a", &origin).await.unwrap();
    one.get("/b", &origin).await.unwrap();
    one.engine.settled().await;
    one.invalidate("/a").await;
    one.mark("/b", Invalidation::Stale).await;
    let two = cluster.instance();
    two.engine.catch_up().await.unwrap();
    assert_eq!(two.told("/a", &origin).await, "miss 3");
    assert_eq!(two.told("/b", &origin).await, "stale 2");
}

#[tokio::test]
async fn an_invalidation_that_was_not_recorded_is_an_error() {
    let cluster = Cluster::new();
    let one = cluster.instance();
    let origin = Origin::numbers(Lifetime::FOREVER);
    one.get("/a", &origin).await.unwrap();
    one.engine.settled().await;
    cluster.store.go_down(true);
    let invalidating = tokio::spawn({
        let engine = one.engine.clone();
        async move {
            let tags = [Tag::from("/a")];
            engine.invalidate(&tags, Invalidation::Absent).await
        }
    });
    until(|| cluster.hands.sleepers() == 1).await;
    cluster.hands.advance(secs(1));
    let error: StoreError = invalidating.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the store did not answer in time");
    assert_eq!(one.told("/a", &origin).await, "hit 1");
    cluster.store.go_down(false);
    one.invalidate("/a").await;
    assert_eq!(one.told("/a", &origin).await, "invalidated 2");
}

#[tokio::test]
async fn a_store_that_does_not_answer_delays_requests_once_and_fails_none() {
    let cluster = Cluster::new();
    let one = cluster.instance();
    let origin = Origin::numbers(TWO);
    cluster.store.go_down(true);
    let asking = one.crowd(20, "/a", &origin);
    until(|| cluster.hands.sleepers() == 1).await;
    cluster.hands.advance(ms(50));
    let answers = all_told(asking).await;
    assert_eq!(tally(&answers), [(19, "collapsed 1"), (1, "miss 1")]);
    // From then on the store is left alone, and nothing is written to it either.
    one.engine.settled().await;
    assert_eq!(one.told("/a", &origin).await, "hit 1");
    assert_eq!(one.told("/b", &origin).await, "miss 2");
    one.engine.settled().await;
    assert_eq!(one.engine.stats().store_failures, 1);
    assert_eq!(cluster.store.reads(), 1);

    // The store is used again once it has reported what was missed.
    cluster.store.go_down(false);
    one.engine.catch_up().await.unwrap();
    assert_eq!(one.told("/c", &origin).await, "miss 3");
    one.engine.settled().await;
    assert_eq!(cluster.instance().told("/c", &origin).await, "hit 3");
}

#[tokio::test]
async fn entries_belong_to_a_build_and_data_to_the_application() {
    let cluster = Cluster::new();
    let origin = Origin::numbers(TWO);
    let one = cluster.instance();
    one.get("/a", &origin).await.unwrap();
    one.get("data", &origin).await.unwrap();
    one.engine.settled().await;
    let next = instance(&cluster.clock, &cluster.hands, &cluster.store, "next build");
    assert_eq!(next.told("/a", &origin).await, "miss 3");
    assert_eq!(next.told("data", &origin).await, "hit 2");
}

#[tokio::test]
async fn an_entry_replaced_by_individual_content_is_removed_from_the_store() {
    let cluster = Cluster::new();
    let origin = Origin::new(|run, _| async move {
        match run {
            1 => store("old", TWO),
            _ => individual(run.to_string()),
        }
    });
    let one = cluster.instance();
    one.get("/a", &origin).await.unwrap();
    one.engine.settled().await;
    cluster.hands.advance(secs(2));
    assert_eq!(one.told("/a", &origin).await, "stale old");
    one.engine.settled().await;
    assert_eq!(cluster.instance().told("/a", &origin).await, "bypass 3");
}

#[tokio::test]
async fn an_entry_replaced_by_a_value_that_is_too_large_is_removed_from_the_store() {
    let cluster = Cluster::new();
    let origin = Origin::new(|run, _| async move {
        match run {
            1 => store("old", TWO),
            _ => store("x".repeat(3_000_000), TWO),
        }
    });
    let one = cluster.instance();
    one.get("/a", &origin).await.unwrap();
    one.engine.settled().await;
    cluster.hands.advance(secs(2));
    assert_eq!(one.told("/a", &origin).await, "stale old");
    one.engine.settled().await;
    let answer = cluster.instance().told("/a", &origin).await;
    assert!(answer.starts_with("miss xxx"));
}

#[tokio::test]
async fn a_passing_outcome_is_kept_in_memory_and_not_in_the_store() {
    let cluster = Cluster::new();
    let one = cluster.instance();
    let brief = TWO.expire(secs(4));
    let origin = Origin::new(move |run, _| async move {
        match run {
            1 => store("page", TWO),
            run => RenderOutcome::passing(Text(format!("absent {run}")), brief).into(),
        }
    });
    assert_eq!(one.told("/a", &origin).await, "miss page");
    assert_eq!(one.told("/b", &origin).await, "miss absent 2");
    one.engine.settled().await;
    assert_eq!(one.told("/b", &origin).await, "hit absent 2");
    let two = cluster.instance();
    assert_eq!(two.told("/a", &origin).await, "hit page");
    assert_eq!(two.told("/b", &origin).await, "miss absent 3");

    // The entry that a passing outcome replaces does not come back.
    cluster.hands.advance(secs(2));
    assert_eq!(one.told("/a", &origin).await, "stale page");
    one.engine.settled().await;
    assert_eq!(one.told("/a", &origin).await, "hit absent 4");
    cluster.hands.advance(secs(4));
    assert_eq!(one.told("/a", &origin).await, "expired absent 5");
}

#[tokio::test]
async fn expired_content_of_a_store_is_a_miss() {
    let cluster = Cluster::new();
    let origin = Origin::numbers(TWO.expire(secs(10)));
    let one = cluster.instance();
    one.get("/a", &origin).await.unwrap();
    one.engine.settled().await;
    cluster.hands.advance(secs(10));
    assert_eq!(cluster.instance().told("/a", &origin).await, "miss 2");
}

/// Compares the clock of the instance that wrote an entry with the clock of the one that reads it.
#[tokio::test]
async fn entries_from_the_future_are_believed_up_to_five_seconds() {
    for (ahead, expected) in [
        (ms(0), "hit old"),
        (secs(5), "hit old"),
        (ms(5001), "miss 1"),
    ] {
        let cluster = Cluster::new();
        let key = EntryKey {
            build: Some("build"),
            name: "/a",
        };
        let entry = stored("old", cluster.clock.wall() + ahead);
        cluster.store.write(key, entry).await.unwrap();
        let origin = Origin::numbers(TWO);
        let one = cluster.instance();
        assert_eq!(one.told("/a", &origin).await, expected);
        one.engine.settled().await;
        // What was not believed was replaced.
        let expected = expected.replace("miss", "hit");
        assert_eq!(cluster.instance().told("/a", &origin).await, expected);
    }
}

#[tokio::test]
async fn an_entry_that_cannot_be_decoded_is_a_miss() {
    let cluster = Cluster::new();
    let key = EntryKey {
        build: Some("build"),
        name: "/a",
    };
    let mut entry = stored("", cluster.clock.wall());
    entry.body = Arc::from([0xff, 0xfe]);
    cluster.store.write(key, entry).await.unwrap();
    let origin = Origin::numbers(TWO);
    assert_eq!(cluster.instance().told("/a", &origin).await, "miss 1");
}

fn stored(body: &str, created: SystemTime) -> StoredEntry {
    StoredEntry {
        body: body.as_bytes().into(),
        created,
        started: Mark::START,
        revalidate: Some(secs(2)),
        expire: None,
        tags: Arc::from([Tag::from("/a")]),
        listed: true,
    }
}
