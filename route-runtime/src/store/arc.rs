//! Sharing of one store by several instances.

use std::{sync::Arc, time::Duration};

use super::{
    EntryKey, Epoch, Invalidation, Invalidations, Lease, LeaseToken, Store, StoreFuture,
    StoredEntry, Tag,
};

/// Forwards to the store inside, so that several instances can share one store.
impl<S: Store + ?Sized> Store for Arc<S> {
    fn read<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, Option<StoredEntry>> {
        (**self).read(key)
    }

    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, ()> {
        (**self).write(key, entry)
    }

    fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()> {
        (**self).remove(key)
    }

    fn invalidate<'a>(&'a self, tags: &'a [Tag], how: Invalidation) -> StoreFuture<'a, Epoch> {
        (**self).invalidate(tags, how)
    }

    fn invalidations(&self, after: Epoch) -> StoreFuture<'_, Invalidations> {
        (**self).invalidations(after)
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
