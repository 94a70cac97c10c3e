//! The simplest [`Store`]: memory, shared by whoever holds it.

use std::{
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    EntryKey, Epoch, Invalidation, Invalidations, Ledger, Memory, MemoryOptions, Store,
    StoreFuture, StoredEntry, Tag, Weighted,
};

/// How many tags are remembered by name.
const TAGS: usize = 65_536;

/// Keeps entries in memory, bounded by bytes, for several servers of one process.
///
/// One server needs no store: it has memory of its own. This one lets tests run several instances
/// against one store without starting anything, and shows what a store has to do.
///
/// # Example: Two instances see each other's invalidations
///
/// ```
/// # use route_runtime::store::{Epoch, Invalidation, MemoryStore, Store, StoreError, Tag};
/// # async fn example() -> Result<(), StoreError> {
/// let store = MemoryStore::new(1024 * 1024);
/// store.invalidate(&[Tag::from("posts")], Invalidation::Absent).await?;
/// let news = store.invalidations(Epoch(0)).await?;
/// assert_eq!(news.until, Epoch(1));
/// assert_eq!(news.tags[0].0.as_str(), "posts");
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    entries: Memory<Name, Held>,
    record: Mutex<Record>,
}

#[derive(Debug)]
struct Record {
    ledger: Ledger,
    last: Epoch,
}

impl MemoryStore {
    /// Makes an empty store of at most so many bytes.
    pub fn new(capacity: u64) -> Self {
        Self {
            entries: Memory::new(MemoryOptions::with_capacity(capacity)),
            record: Mutex::new(Record {
                ledger: Ledger::new(TAGS),
                last: Epoch::default(),
            }),
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn read<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, Option<StoredEntry>> {
        let found = self.entries.read(&Name::from(key)).map(|held| held.0);
        Box::pin(ready(Ok(found.as_deref().cloned())))
    }

    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, ()> {
        let key = Name::from(key);
        // Held so that of two writes at once the newer entry stays.
        let _one_at_a_time = self.record();
        let newer = match self.entries.read(&key) {
            Some(there) => entry.is_newer_than(&there.0),
            None => true,
        };
        if newer {
            self.entries.write(&key, Held(Arc::new(entry)));
        }
        Box::pin(ready(Ok(())))
    }

    fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()> {
        self.entries.remove(&Name::from(key));
        Box::pin(ready(Ok(())))
    }

    fn invalidate<'a>(&'a self, tags: &'a [Tag], how: Invalidation) -> StoreFuture<'a, Epoch> {
        let mut record = self.record();
        let epoch = Epoch(record.last.0 + 1);
        for tag in tags {
            record.ledger.raise(tag, how, epoch);
        }
        record.last = epoch;
        Box::pin(ready(Ok(epoch)))
    }

    fn invalidations(&self, after: Epoch) -> StoreFuture<'_, Invalidations> {
        let record = self.record();
        Box::pin(ready(Ok(record.ledger.since(after, record.last))))
    }
}

/// An [`EntryKey`] that owns its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name {
    build: Option<Box<str>>,
    name: Box<str>,
}

impl From<EntryKey<'_>> for Name {
    fn from(key: EntryKey<'_>) -> Self {
        Self {
            build: key.build.map(Box::from),
            name: key.name.into(),
        }
    }
}

impl Weighted for Name {
    fn weight(&self) -> usize {
        size_of::<Self>() + self.build.as_ref().map_or(0, |build| build.len()) + self.name.len()
    }
}

#[derive(Clone, Debug)]
struct Held(Arc<StoredEntry>);

impl Weighted for Held {
    fn weight(&self) -> usize {
        let tags: usize = self.0.tags.iter().map(|tag| tag.as_str().len()).sum();
        size_of::<StoredEntry>() + self.0.body.len() + tags
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    const KEY: EntryKey<'static> = EntryKey {
        build: Some("b"),
        name: "/a",
    };

    fn entry(body: u8, started: u64, created: u64) -> StoredEntry {
        StoredEntry {
            body: Arc::from([body]),
            created: UNIX_EPOCH + Duration::from_secs(created),
            started: Epoch(started),
            revalidate: None,
            expire: None,
            tags: Arc::from([Tag::from("t")]),
        }
    }

    #[tokio::test]
    async fn the_newer_of_two_entries_stays_whichever_comes_last() {
        let store = MemoryStore::new(100_000);
        for (written, stays) in [
            (entry(1, 5, 10), 1),
            (entry(2, 5, 9), 1),
            (entry(3, 4, 11), 1),
            (entry(4, 5, 11), 4),
            (entry(5, 6, 1), 5),
        ] {
            store.write(KEY, written).await.unwrap();
            let there = store.read(KEY).await.unwrap().unwrap();
            assert_eq!(*there.body, [stays]);
        }
        let other = EntryKey { build: None, ..KEY };
        assert_eq!(store.read(other).await.unwrap(), None);
        store.remove(KEY).await.unwrap();
        store.remove(KEY).await.unwrap();
        assert_eq!(store.read(KEY).await.unwrap(), None);
    }

    #[tokio::test]
    async fn invalidations_are_numbered_without_gaps() {
        let store = MemoryStore::new(100_000);
        let tags = [Tag::from("t"), Tag::from("u")];
        for number in 1..=3 {
            let epoch = store.invalidate(&tags, Invalidation::Absent).await.unwrap();
            assert_eq!(epoch, Epoch(number));
        }
        let news = store.invalidations(Epoch(2)).await.unwrap();
        assert_eq!((news.until, news.tags.len()), (Epoch(3), 2));
        let news = store.invalidations(Epoch(3)).await.unwrap();
        assert_eq!((news.until, news.tags.len()), (Epoch(3), 0));
    }
}
