//! Tests that the suite finds what is wrong with a store.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt as _;

use super::*;
use crate::store::{Epoch, MemoryStore, Recorded, StoreFuture};

/// The fault of a store.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    CutsBodies,
    RoundsTimes,
    ForgetsTags,
    ListsNothing,
    KeepsTheLast,
    KeepsTheRemoved,
    IgnoresCase,
    IgnoresBuilds,
    SkipsNumbers,
    LosesInvalidations,
    DeletesInvalidated,
    NumbersAlone,
    TakesAnyMark,
    ReadsAnyMark,
    NoticesNothing,
    RisesAgain,
    ForgetsOwn,
    GrantsTwice,
    TakesAnyToken,
    RenewsForAnybody,
    RenewsNothing,
}

struct Faulty {
    inner: Arc<MemoryStore>,
    fault: Fault,
    /// The last mark of each number that the store inside has given.
    given: Arc<Mutex<HashMap<Epoch, Mark>>>,
    /// The number of questions about the record.
    asked: AtomicU64,
}

impl Faulty {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Returns the mark of the store inside, for one that this store has told.
    fn named(&self, mark: Mark) -> Mark {
        let given = self.given.lock().unwrap().get(&mark.epoch).copied();
        let is_told = self.has(Fault::NumbersAlone);
        given.filter(|_| is_told).unwrap_or(mark)
    }

    /// Returns the mark that a question about the record names instead.
    fn asked_with(&self, mark: Mark) -> Mark {
        match self.fault {
            Fault::NoticesNothing => Mark::START,
            Fault::RisesAgain if mark != Mark::START && !self.gave(mark) => Mark {
                word: mark.word ^ (self.asked.load(Ordering::SeqCst) << 32),
                ..mark
            },
            _ => self.named(mark),
        }
    }

    fn gave(&self, mark: Mark) -> bool {
        self.given.lock().unwrap().get(&mark.epoch) == Some(&mark)
    }

    /// Returns the mark that a caller gets instead.
    fn told(&self, mark: Mark) -> Mark {
        self.given.lock().unwrap().insert(mark.epoch, mark);
        match self.fault {
            Fault::NumbersAlone if mark != Mark::START => Mark { word: 7, ..mark },
            _ => mark,
        }
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
    fn read<'a>(&'a self, key: EntryKey<'a>, seen: Mark) -> StoreFuture<'a, Option<StoredEntry>> {
        Box::pin(async move {
            let lower = key.name.to_lowercase();
            let seen = match self.fault {
                Fault::ReadsAnyMark => Mark::START,
                _ => self.named(seen),
            };
            let mut read = self.inner.read(self.key(key, &lower), seen).await?;
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
                if self.has(Fault::ListsNothing) {
                    entry.listed = false;
                }
                entry.started = self.told(entry.started);
            }
            Ok(read)
        })
    }

    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let lower = key.name.to_lowercase();
            let key = self.key(key, &lower);
            let mut entry = entry;
            entry.started = self.named(entry.started);
            if self.has(Fault::TakesAnyMark) {
                self.inner.write(key, entry).await?;
                return Ok(true);
            }
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

    fn invalidate<'a>(
        &'a self,
        tags: &'a [Tag],
        how: Invalidation,
        seen: Mark,
    ) -> StoreFuture<'a, Recorded> {
        Box::pin(async move {
            if self.has(Fault::SkipsNumbers) {
                self.inner.invalidate(&[], how, seen).await?;
            }
            if self.has(Fault::DeletesInvalidated) {
                self.inner.remove(page("/kept")).await?;
            }
            let recorded = self
                .inner
                .invalidate(tags, how, self.asked_with(seen))
                .await?;
            Ok(Recorded {
                before: self.told(recorded.before),
                mark: self.told(recorded.mark),
            })
        })
    }

    fn invalidations(&self, seen: Mark, own: Option<Mark>) -> StoreFuture<'_, Invalidations> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let own = own.filter(|_| !self.has(Fault::ForgetsOwn));
            let own = own.map(|own| self.asked_with(own));
            let mut news = self.inner.invalidations(self.asked_with(seen), own).await?;
            news.until = self.told(news.until);
            news.tags.retain(|(_, risen)| risen.latest() > seen.epoch);
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
        (
            Fault::ForgetsTags,
            "entries: mark, lifetimes, tags and `listed` at",
        ),
        (
            Fault::ListsNothing,
            "entries: mark, lifetimes, tags and `listed` at",
        ),
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
            "losses: a mark that the store does not know raises both floors",
        ),
        (
            Fault::NumbersAlone,
            "invalidations: each comes with the mark before it, and has a word",
        ),
        (
            Fault::TakesAnyMark,
            "losses: a write is refused if its render began at a mark",
        ),
        (
            Fault::ReadsAnyMark,
            "losses: whoever names a mark that the store does not know",
        ),
        (
            Fault::NoticesNothing,
            "losses: a mark that the store does not know raises both floors",
        ),
        (
            Fault::RisesAgain,
            "losses: the floors rise once for each mark",
        ),
        (Fault::ForgetsOwn, "losses: the second mark that is named"),
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
        let stores = Mutex::new(HashMap::new());
        let open = async |name: &str| {
            let mut stores = stores.lock().unwrap();
            let make = || (Arc::new(MemoryStore::new(64 * 1024 * 1024)), Arc::default());
            let (inner, given) = stores.entry(name.to_owned()).or_insert_with(make);
            Faulty {
                inner: Arc::clone(inner),
                fault,
                given: Arc::clone(given),
                asked: AtomicU64::new(0),
            }
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
