//! The part that a store has in keeping content.

use super::*;

impl Cluster {
    async fn keeping(&self, keep: Keep) -> Instance {
        let mut instance = self.instance().await;
        instance.cache.keep = keep;
        instance
    }

    /// Returns whether the entry at a path is listed, if there is one.
    async fn listed(&self, path: &str) -> Option<bool> {
        let key = EntryKey {
            build: Some("build"),
            name: path,
        };
        let read = self.hub.inner.read(key, Mark::START).await;
        read.unwrap().map(|entry| entry.listed)
    }
}

#[tokio::test]
async fn the_store_is_told_whether_content_is_listed_and_has_it_either_way() {
    let cluster = Cluster::new();
    let origin = Origin::numbers(TWO);
    let listing = cluster.keeping(Keep::Listed).await;
    let other = cluster.keeping(Keep::Unlisted).await;
    assert_eq!(listing.rendered("/a", &origin).await, "miss 1");
    assert_eq!(other.rendered("/b", &origin).await, "miss 2");
    assert_eq!(cluster.listed("/a").await, Some(true));
    assert_eq!(cluster.listed("/b").await, Some(false));
    assert_eq!(listing.told("/b", &origin).await, "hit 2");
    assert_eq!(other.told("/a", &origin).await, "hit 1");
}

#[tokio::test]
async fn content_that_stays_in_memory_never_reaches_the_store_but_invalidations_reach_it() {
    let cluster = Cluster::new();
    let origin = Origin::numbers(TWO);
    let one = cluster.keeping(Keep::InMemory).await;
    let two = cluster.keeping(Keep::InMemory).await;
    // Another instance may have left an entry before it was decided that there is to be none.
    let before = cluster.instance().await;
    assert_eq!(before.rendered("/a", &origin).await, "miss 1");
    // No render waits for the answer to a request for a lease, so none is sent.
    let _held_up = one.link.hold_up(What::Lease);
    assert_eq!(one.rendered("/a", &origin).await, "miss 2");
    assert_eq!(two.rendered("/a", &origin).await, "miss 3");
    assert_eq!(one.rendered("/b", &origin).await, "miss 4");
    assert_eq!(cluster.listed("/b").await, None);
    cluster.pass(secs(2)).await;
    assert_eq!(one.rendered("/a", &origin).await, "stale 2");
    assert_eq!(one.told("/a", &origin).await, "hit 5");
    assert_eq!((one.link.reads(), two.link.reads()), (0, 0));

    let tags = [Tag::from("/a")];
    two.engine
        .invalidate(&tags, Invalidation::Absent)
        .await
        .unwrap();
    cluster.pass(TICK).await;
    assert_eq!(one.told("/a", &origin).await, "invalidated 6");
}
