//! Tests that the suite finds what is wrong with a store.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;

use futures_util::FutureExt as _;

use super::*;
use crate::store::{MemoryStore, StoreFuture};

/// The fault of a store.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    CutsBodies,
    RoundsTimes,
    ForgetsTags,
    KeepsTheLast,
    KeepsTheRemoved,
    IgnoresCase,
    IgnoresBuilds,
    SkipsNumbers,
    LosesInvalidations,
    DeletesInvalidated,
    GrantsTwice,
    TakesAnyToken,
    RenewsForAnybody,
    RenewsNothing,
}

struct Faulty {
    inner: Arc<MemoryStore>,
    fault: Fault,
}

impl Faulty {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Returns the key that the store uses instead.
    fn key<'a>(&self, key: EntryKey<'a>, lower: &'a str) -> EntryKey<'a> {
        EntryKey {
            build: key.build.filter(|_| !self.has(Fault::IgnoresBuilds)),
            name: if self.has(Fault::IgnoresCase) {
                lower
            } else {
                key.name
            },
        }
    }
}

impl Store for Faulty {
    fn read<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, Option<StoredEntry>> {
        Box::pin(async move {
            let lower = key.name.to_lowercase();
            let mut read = self.inner.read(self.key(key, &lower)).await?;
            if let Some(entry) = &mut read {
                if self.has(Fault::CutsBodies) && entry.body.len() > 1000 {
                    entry.body = entry.body[..1000].into();
                }
                if self.has(Fault::RoundsTimes) {
                    let time = entry.created.duration_since(UNIX_EPOCH).unwrap_or_default();
                    entry.created = UNIX_EPOCH + Duration::from_secs(time.as_secs());
                }
                if self.has(Fault::ForgetsTags) {
                    entry.tags = Arc::from([]);
                }
            }
            Ok(read)
        })
    }

    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let lower = key.name.to_lowercase();
            let key = self.key(key, &lower);
            if self.has(Fault::KeepsTheLast) {
                self.inner.remove(key).await?;
            }
            self.inner.write(key, entry).await
        })
    }

    fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            if self.has(Fault::KeepsTheRemoved) {
                return Ok(());
            }
            let lower = key.name.to_lowercase();
            self.inner.remove(self.key(key, &lower)).await
        })
    }

    fn invalidate<'a>(&'a self, tags: &'a [Tag], how: Invalidation) -> StoreFuture<'a, Epoch> {
        Box::pin(async move {
            if self.has(Fault::SkipsNumbers) {
                self.inner.invalidate(&[], how).await?;
            }
            if self.has(Fault::DeletesInvalidated) {
                self.inner.remove(page("/kept")).await?;
            }
            self.inner.invalidate(tags, how).await
        })
    }

    fn invalidations(&self, after: Epoch) -> StoreFuture<'_, Invalidations> {
        Box::pin(async move {
            let mut news = self.inner.invalidations(after).await?;
            if self.has(Fault::LosesInvalidations) {
                news.floor = Default::default();
            }
            Ok(news)
        })
    }

    fn lease<'a>(&'a self, key: EntryKey<'a>, length: Duration) -> StoreFuture<'a, Lease> {
        if self.has(Fault::GrantsTwice) {
            return Box::pin(async { Ok(Lease::Granted(LeaseToken(0))) });
        }
        self.inner.lease(key, length)
    }

    fn renew<'a>(
        &'a self,
        key: EntryKey<'a>,
        token: LeaseToken,
        length: Duration,
    ) -> StoreFuture<'a, bool> {
        match self.fault {
            Fault::RenewsForAnybody => Box::pin(async { Ok(true) }),
            // It says so, and does nothing.
            Fault::RenewsNothing => {
                Box::pin(async move { self.inner.renew(key, token, Duration::from_secs(60)).await })
            }
            _ => self.inner.renew(key, token, length),
        }
    }

    fn release<'a>(&'a self, key: EntryKey<'a>, token: LeaseToken) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            if self.has(Fault::TakesAnyToken) {
                self.inner
                    .release(key, LeaseToken(token.0.wrapping_sub(1)))
                    .await?;
            }
            self.inner.release(key, token).await
        })
    }
}

#[tokio::test]
async fn the_suite_names_the_clause_that_each_fault_breaks() {
    for (fault, clause) in [
        (Fault::CutsBodies, "entries: the body at `/body/1048576`"),
        (Fault::RoundsTimes, "time: `created` at"),
        (Fault::ForgetsTags, "entries: epoch, lifetimes and tags at"),
        (
            Fault::KeepsTheLast,
            "entries: a write must not replace what is newer",
        ),
        (
            Fault::KeepsTheRemoved,
            "entries: what was removed is absent",
        ),
        (
            Fault::IgnoresCase,
            "keys: \"A\" (1 bytes) of build None is absent though",
        ),
        (
            Fault::IgnoresBuilds,
            "keys: \"\" (0 bytes) of build Some(\"\") is absent though",
        ),
        (
            Fault::SkipsNumbers,
            "invalidations: they are numbered from 1 without gaps",
        ),
        (
            Fault::LosesInvalidations,
            "invalidations: when the number rises over a loss",
        ),
        (
            Fault::DeletesInvalidated,
            "invalidations: a store deletes no entries",
        ),
        (
            Fault::GrantsTwice,
            "leases: one is held by another instance",
        ),
        (
            Fault::TakesAnyToken,
            "leases: one is held though another token was given back",
        ),
        (
            Fault::RenewsForAnybody,
            "leases: only its holder renews one",
        ),
        (
            Fault::RenewsNothing,
            "leases: one that is renewed lasts for the new length",
        ),
    ] {
        let stores = Mutex::new(HashMap::<String, Arc<MemoryStore>>::new());
        let open = async |name: &str| {
            let mut stores = stores.lock().unwrap();
            let make = || Arc::new(MemoryStore::new(64 * 1024 * 1024));
            let inner = Arc::clone(stores.entry(name.to_owned()).or_insert_with(make));
            Faulty { inner, fault }
        };
        let checked = async {
            suite(open).await;
            leases(open).await;
        };
        let panicked = AssertUnwindSafe(checked).catch_unwind().await.unwrap_err();
        let said = panicked.downcast_ref::<String>().map(String::as_str);
        let said = said
            .or_else(|| panicked.downcast_ref::<&str>().copied())
            .unwrap_or("");
        assert!(said.starts_with(clause), "{said:?} instead of {clause:?}");
    }
}
