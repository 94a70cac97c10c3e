//! Sharing of one store by several instances.

use std::{sync::Arc, time::Duration};

use super::{
    EntryKey, Invalidation, Invalidations, Lease, LeaseToken, Mark, Recorded, Store, StoreFuture,
    StoredEntry, Tag,
};

/// Forwards to the store inside, so that several instances can share one store.
impl<S: Store + ?Sized> Store for Arc<S> {
    fn read<'a>(&'a self, key: EntryKey<'a>, seen: Mark) -> StoreFuture<'a, Option<StoredEntry>> {
        (**self).read(key, seen)
    }

    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, bool> {
        (**self).write(key, entry)
    }

    fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()> {
        (**self).remove(key)
    }

    fn invalidate<'a>(
        &'a self,
        tags: &'a [Tag],
        how: Invalidation,
        seen: Mark,
    ) -> StoreFuture<'a, Recorded> {
        (**self).invalidate(tags, how, seen)
    }

    fn invalidations(&self, seen: Mark, own: Option<Mark>) -> StoreFuture<'_, Invalidations> {
        (**self).invalidations(seen, own)
    }

    fn lease<'a>(&'a self, key: EntryKey<'a>, length: Duration) -> StoreFuture<'a, Lease> {
        (**self).lease(key, length)
    }

    fn renew<'a>(
        &'a self,
        key: EntryKey<'a>,
        token: LeaseToken,
        length: Duration,
    ) -> StoreFuture<'a, bool> {
        (**self).renew(key, token, length)
    }

    fn release<'a>(&'a self, key: EntryKey<'a>, token: LeaseToken) -> StoreFuture<'a, ()> {
        (**self).release(key, token)
    }

    fn changed(&self) -> StoreFuture<'_, ()> {
        (**self).changed()
    }
}
