//! The store behind memory, as the engine sees it: in monotonic time, and within limits.

use std::{sync::Arc, time::Duration};

use super::Limits;
use crate::{
    cache::{
        clock::Clock,
        entry::{Entry, Made, Value},
        freshness::Lifetime,
        key::CacheKey,
    },
    store::{
        EntryKey, Epoch, Invalidation, Invalidations, Store, StoreError, StoreFuture, StoredEntry,
        Tag,
    },
};

/// How far another machine's clock may be ahead before its entries are not believed.
const SKEW: Duration = Duration::from_secs(5);

/// The second level of the cache.
pub(super) struct Second {
    store: Arc<dyn Store>,
    build: Arc<str>,
    read: Duration,
    write: Duration,
}

impl Second {
    pub(super) fn new(store: Arc<dyn Store>, build: Arc<str>, limits: &Limits) -> Self {
        Self {
            store,
            build,
            read: limits.store_read,
            write: limits.store_write,
        }
    }

    fn key<'a>(&'a self, key: &'a impl CacheKey) -> EntryKey<'a> {
        EntryKey {
            build: key.belongs_to_build().then_some(&*self.build),
            name: key.name(),
        }
    }

    /// Reads an entry; `None` if there is none that can be believed.
    pub(super) async fn read<V: Value>(
        &self,
        clock: &Clock,
        key: &impl CacheKey,
    ) -> Result<Option<Entry<V>>, StoreError> {
        let found = self.store.read(self.key(key));
        let Some(stored) = within(clock, self.read, found).await? else {
            return Ok(None);
        };
        let age = match clock.wall().duration_since(stored.created) {
            Ok(age) => age,
            Err(ahead) if ahead.duration() <= SKEW => Duration::ZERO,
            Err(_) => return Ok(None),
        };
        let lifetime = Lifetime {
            revalidate: stored.revalidate,
            expire: stored.expire,
        };
        let made = Made {
            created: clock.now().before(age),
            created_wall: stored.created,
            started: stored.started,
        };
        Ok(V::decode(&stored.body).map(|value| Entry::new(value, lifetime, stored.tags, made)))
    }

    pub(super) async fn write<V: Value>(
        &self,
        clock: &Clock,
        key: &impl CacheKey,
        entry: &Entry<V>,
    ) -> Result<(), StoreError> {
        let Some(body) = entry.value().encode() else {
            return Ok(());
        };
        let stored = StoredEntry {
            body,
            created: entry.created_wall(),
            started: entry.started(),
            revalidate: entry.lifetime().revalidate,
            expire: entry.lifetime().expire,
            tags: entry.shared_tags(),
        };
        within(clock, self.write, self.store.write(self.key(key), stored)).await
    }

    pub(super) async fn remove(
        &self,
        clock: &Clock,
        key: &impl CacheKey,
    ) -> Result<(), StoreError> {
        within(clock, self.write, self.store.remove(self.key(key))).await
    }

    pub(super) async fn invalidate(
        &self,
        clock: &Clock,
        tags: &[Tag],
        how: Invalidation,
    ) -> Result<Epoch, StoreError> {
        within(clock, self.write, self.store.invalidate(tags, how)).await
    }

    pub(super) async fn invalidations(
        &self,
        clock: &Clock,
        after: Epoch,
    ) -> Result<Invalidations, StoreError> {
        within(clock, self.write, self.store.invalidations(after)).await
    }
}

async fn within<T>(
    clock: &Clock,
    limit: Duration,
    answer: StoreFuture<'_, T>,
) -> Result<T, StoreError> {
    clock
        .within(limit, answer)
        .await
        .unwrap_or_else(|| Err(StoreError::new("the store did not answer in time")))
}
