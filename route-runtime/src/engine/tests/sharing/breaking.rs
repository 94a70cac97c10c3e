//! A store that is away.

use super::*;
use crate::store::logged;

#[tokio::test]
async fn a_request_waits_fifty_milliseconds_in_all_and_the_next_one_not_at_all() {
    let cluster = Cluster::new();
    let one = cluster.instance().await;
    one.link.set(Way::Hangs);
    let origin = Origin::numbers(TWO);
    let asking = one.crowd(10, "/a", &origin);
    turns().await;
    cluster.hands.advance(ms(49));
    turns().await;
    assert_eq!(origin.runs(), 0);
    cluster.hands.advance(ms(1));
    let answers = all_told(asking).await;
    assert_eq!(tally(&answers), [(9, "collapsed 1"), (1, "miss 1")]);
    one.settled().await;
    let reads = one.link.reads();
    for path in ["/b", "/c", "/d"] {
        assert!(one.rendered(path, &origin).await.starts_with("miss"));
    }
    assert_eq!(one.link.reads(), reads);
}

/// Reading and leasing share the time that a request may wait for the store.
#[tokio::test]
async fn a_request_waits_for_all_steps_of_a_slow_store_only_as_long_as_for_one() {
    let cluster = Cluster::new();
    let origin = Origin::numbers(TWO);
    let slow = Slow::cache(&cluster, ms(30)).await;
    let asking = slow.crowd(1, "/a", &origin);
    turns().await;
    cluster.pass(ms(50)).await;
    assert_eq!(all_told(asking).await, ["miss 1"]);
}

/// The time that is left for the last step may be so short that a timeout says little of the store.
#[tokio::test]
async fn a_store_that_is_slow_at_each_step_is_not_taken_to_be_away() {
    logged::listen();
    // The lease is late, or the read that comes after it.
    for each in [ms(30), ms(20)] {
        let cluster = Cluster::new();
        let origin = Origin::numbers(TWO);
        let slow = Slow::cache(&cluster, each).await;
        let other = cluster.instance().await;
        for (path, failures) in [("/a", 1), ("/b", 2)] {
            let asking = slow.crowd(1, path, &origin);
            turns().await;
            cluster.pass(ms(50)).await;
            assert!(all_told(asking).await[0].starts_with("miss"));
            slow.engine.settled().await;
            assert_eq!(slow.engine.stats().store_failures, failures);
            // The entry was written all the same.
            let found = other.told(path, &origin).await;
            assert!(found.starts_with("hit"), "{path}: {found}");
        }
    }
    assert!(logged::levels("store").is_empty());
}

/// A store that is slow at each operation that a request waits for.
struct Slow {
    link: Arc<Link>,
    clock: Clock,
    each: Duration,
}

impl Slow {
    /// Makes an instance in front of such a store.
    async fn cache(cluster: &Cluster, each: Duration) -> Cache {
        let clock = cluster.hub.clock.clone();
        let link = Arc::clone(&cluster.instance().await.link);
        let slow = Self {
            link,
            clock: clock.clone(),
            each,
        };
        let engine = Cache::engine(clock, |config| {
            config.store = Some(Arc::new(slow));
            config.build = "build".into();
        });
        let hands = cluster.hands.clone();
        Cache {
            engine,
            hands,
            keep: Keep::Listed,
        }
    }
}

impl Store for Slow {
    fn read<'a>(&'a self, key: EntryKey<'a>, seen: Mark) -> StoreFuture<'a, Option<StoredEntry>> {
        Box::pin(async move {
            self.clock.sleep(self.each).await;
            self.link.read(key, seen).await
        })
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
        seen: Mark,
    ) -> StoreFuture<'a, Recorded> {
        self.link.invalidate(tags, how, seen)
    }

    fn invalidations(&self, seen: Mark, own: Option<Mark>) -> StoreFuture<'_, Invalidations> {
        self.link.invalidations(seen, own)
    }

    fn lease<'a>(&'a self, key: EntryKey<'a>, length: Duration) -> StoreFuture<'a, Lease> {
        Box::pin(async move {
            self.clock.sleep(self.each).await;
            self.link.lease(key, length).await
        })
    }
}

#[tokio::test]
async fn invalidations_are_tried_while_the_store_is_away_and_report_that_they_failed() {
    let cluster = Cluster::new();
    let one = cluster.instance().await;
    let origin = Origin::numbers(TWO);
    one.rendered("/a", &origin).await;
    one.link.set(Way::Fails);
    cluster.pass(TICK).await;
    let tags = [Tag::from("/a")];
    let failed = one.engine.invalidate(&tags, Invalidation::Absent).await;
    assert_eq!(failed.unwrap_err().to_string(), "cut");
    assert_eq!(one.told("/a", &origin).await, "hit 1");
    // The store is back, though the instance has not noticed yet.
    one.link.set(Way::Open);
    one.invalidate("/a").await;
    assert_eq!(one.told("/a", &origin).await, "invalidated 2");
}

/// An instance that used the store before could adopt what was invalidated meanwhile.
#[tokio::test]
async fn a_store_that_is_back_is_used_once_it_has_reported_the_missed_invalidations() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.instance().await, cluster.instance().await);
    let origin = Origin::numbers(Lifetime::FOREVER);
    one.rendered("/a", &origin).await;
    one.rendered("/b", &origin).await;
    two.told("/a", &origin).await;
    two.link.set(Way::Fails);
    cluster.pass(TICK).await;
    one.invalidate("/a").await;
    one.invalidate("/b").await;
    turns().await;
    two.link.set(Way::Open);
    let reads = two.link.reads();
    // The follower has not asked again: nothing is read.
    assert_eq!(two.rendered("/b", &origin).await, "miss 3");
    assert_eq!(two.link.reads(), reads);
    cluster.pass(TICK).await;
    assert_eq!(two.told("/a", &origin).await, "invalidated 4");
    assert!(two.link.reads() > reads);
    // The entry was rendered after the invalidation, but by an instance that could not know that.
    assert_eq!(two.told("/b", &origin).await, "invalidated 5");
}

#[tokio::test]
async fn only_the_first_request_in_an_outage_counts_a_store_failure() {
    let cluster = Cluster::new();
    let one = cluster.instance().await;
    let origin = Origin::numbers(TWO);
    one.link.set(Way::Fails);
    for path in ["/a", "/b", "/c", "/d"] {
        one.rendered(path, &origin).await;
    }
    assert_eq!(one.engine.stats().store_failures, 1);
    // The follower goes on asking twice a second, and each failure counts.
    cluster.pass(secs(2)).await;
    assert_eq!(one.engine.stats().store_failures, 5);
}

#[tokio::test]
async fn an_outage_is_logged_once_and_so_is_its_end() {
    use tracing::Level;
    logged::listen();
    let cluster = Cluster::new();
    let one = cluster.instance().await;
    let origin = Origin::numbers(TWO);
    one.rendered("/a", &origin).await;
    for outage in 1..4 {
        one.link.set(Way::Fails);
        for path in ["/b", "/c", "/d"] {
            one.rendered(path, &origin).await;
            cluster.pass(secs(3)).await;
        }
        one.link.set(Way::Open);
        cluster.pass(secs(3)).await;
        for path in ["/b", "/c", "/d"] {
            one.rendered(path, &origin).await;
        }
        let told = logged::levels("store");
        let expected = [Level::WARN, Level::INFO].repeat(outage);
        assert_eq!(told, expected);
    }
}
