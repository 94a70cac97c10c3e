//! Data that must be newer than the last invalidation of the route that uses it, with a store
//! behind memory.

use super::*;
use crate::store::MemoryStore;

fn cache(store: &Arc<MemoryStore>, clock: &Clock, hands: &ManualClock) -> Cache {
    let engine = Cache::engine(clock.clone(), |config| {
        config.store = Some(Arc::clone(store) as Arc<_>);
    });
    let hands = hands.clone();
    Cache {
        engine,
        hands,
        keep: Keep::Listed,
    }
}

impl Cache {
    /// Asks for data on behalf of a caller with the tag `also`.
    async fn data(&self, also: &str, stale: Stale, origin: &Origin) -> String {
        let call = Call {
            key: &Key::new("data"),
            slot: None,
            tags: &Arc::from([Tag::from("d")]),
            also: &[Tag::from(also)],
            stale,
            limit: LIMIT,
            turn: Turn::AtOnce,
            owner: OWNER,
            keep: Keep::Listed,
            parent: None,
        };
        told(&self.engine.get_or_render(call, origin.render()).await)
    }
}

#[tokio::test]
async fn an_entry_that_is_too_old_for_its_caller_is_not_taken_from_the_store() {
    for stale in [Stale::Serve, Stale::Refetch] {
        let (clock, hands) = Clock::manual();
        let store = Arc::new(MemoryStore::new(1_000_000));
        let one = cache(&store, &clock, &hands);
        let origin = Origin::numbers(Lifetime::FOREVER);
        assert_eq!(one.data("r", stale, &origin).await, "miss 1");
        one.engine.settled().await;
        one.invalidate("r").await;
        // For another caller, the entry is as good as ever.
        assert_eq!(one.data("other", stale, &origin).await, "hit 1");
        assert_eq!(one.data("r", stale, &origin).await, "invalidated 2");
        one.engine.settled().await;

        // An instance with nothing in memory yet does not take the entry either.
        one.invalidate("r").await;
        let two = cache(&store, &clock, &hands);
        two.engine.catch_up().await.unwrap();
        assert_eq!(two.data("r", stale, &origin).await, "miss 3");
        two.engine.settled().await;
        assert_eq!(two.data("r", stale, &origin).await, "hit 3");
    }
}

#[tokio::test]
async fn an_entry_that_is_stale_for_its_caller_is_rendered_anew_and_not_taken_from_the_store() {
    let (clock, hands) = Clock::manual();
    let store = Arc::new(MemoryStore::new(1_000_000));
    let cache = cache(&store, &clock, &hands);
    let origin = Origin::numbers(Lifetime::FOREVER);
    assert_eq!(cache.data("r", Stale::Serve, &origin).await, "miss 1");
    cache.engine.settled().await;
    cache.mark("r", Invalidation::Stale).await;
    assert_eq!(cache.data("r", Stale::Refetch, &origin).await, "expired 2");
    cache.engine.settled().await;
    cache.mark("r", Invalidation::Stale).await;
    assert_eq!(cache.data("r", Stale::Serve, &origin).await, "stale 2");
    cache.engine.settled().await;
    assert_eq!(cache.data("r", Stale::Serve, &origin).await, "hit 3");
}
