//! The simplest [`Store`]: memory that several instances share.

use std::collections::{HashMap, hash_map};
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::history::{History, MarkIs};
use super::random::word;
use super::{
    EntryKey, Invalidation, Invalidations, Lease, LeaseToken, Ledger, Mark, Memory, MemoryOptions,
    News, OwnedKey, Recorded, Risen, Store, StoreFuture, StoredEntry, Tag, Weighted,
};

/// The number of tags that are remembered by name.
const TAGS: usize = 65_536;

/// The number of leases from which on expired ones are looked for and dropped.
const LEASES: usize = 1024;

/// A store in memory, bounded by bytes, which several servers of one process share in an [`Arc`].
///
/// A single server needs no such store, because it has memory of its own. This store lets tests run
/// several instances against one store without starting anything, and shows what a store has to do.
///
/// It keeps listed entries and others alike: an entry that was read twice outlives any number of
/// entries that were read once.
///
/// Its leases expire by the time of the system, whatever clock the servers have: moving the clock
/// of a `TestApp` does not make a lease expire.
///
/// # Example: Every instance that holds the store sees an invalidation
///
/// ```
/// # use route_runtime::store::{Invalidation, Mark, MemoryStore, Store, StoreError, Tag};
/// # async fn example() -> Result<(), StoreError> {
/// let store = MemoryStore::new(1024 * 1024);
/// let tags = [Tag::from("posts")];
/// let recorded = store.invalidate(&tags, Invalidation::Absent, Mark::START).await?;
/// let news = store.invalidations(Mark::START, None).await?;
/// assert_eq!(news.until, recorded.mark);
/// assert_eq!(news.tags[0].0.as_str(), "posts");
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    entries: Memory<OwnedKey, HeldEntry>,
    record: Mutex<MemoryRecord>,
    leases: Mutex<Leases>,
    news: News,
}

#[derive(Clone, Debug)]
struct MemoryRecord {
    ledger: Ledger,
    history: History,
}

impl MemoryRecord {
    /// Makes everything that was rendered before count as invalidated, if one of these marks shows
    /// that invalidations were lost. Returns whether it did so.
    fn check(&mut self, named: &[Mark]) -> bool {
        let lost = self.history.lost(named.iter().copied());
        if lost.is_empty() {
            return false;
        }
        let floor = self.history.above(&lost, word());
        self.history.give(floor);
        self.history.answer(lost);
        self.ledger.raise_floor(Risen::both(floor.epoch));
        true
    }
}

#[derive(Debug, Default)]
struct Leases {
    held: HashMap<OwnedKey, (LeaseToken, Instant)>,
    last: u64,
}

impl MemoryStore {
    /// Makes an empty store of at most `capacity` bytes. Entries count, with their keys and tags,
    /// and so does the overhead of keeping them.
    ///
    /// An entry larger than 2 MiB, or than a quarter of `capacity`, is not kept; with a capacity of
    /// zero, no entry is. The store remembers 65 536 tags by name, and 16 MiB of their names. These
    /// do not count towards `capacity`.
    pub fn new(capacity: u64) -> Self {
        Self {
            entries: Memory::new(MemoryOptions::with_capacity(capacity)),
            record: Mutex::new(MemoryRecord {
                ledger: Ledger::new(TAGS),
                history: History::default(),
            }),
            leases: Mutex::default(),
            news: News::default(),
        }
    }

    fn record(&self) -> MutexGuard<'_, MemoryRecord> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn read<'a>(&'a self, key: EntryKey<'a>, seen: Mark) -> StoreFuture<'a, Option<StoredEntry>> {
        let is_known = self.record().history.judge(seen) == MarkIs::Known;
        let found = is_known.then(|| self.entries.read(&OwnedKey::from(key)));
        let found = found.flatten().map(|held| StoredEntry::clone(&held.0));
        Box::pin(ready(Ok(found)))
    }

    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, bool> {
        let key = OwnedKey::from(key);
        // Locked so that, of two writes at once, the newer entry stays.
        let record = self.record();
        let is_known = record.history.judge(entry.started) == MarkIs::Known;
        if !is_known || entry.started.epoch < record.ledger.floor().absent {
            return Box::pin(ready(Ok(false)));
        }
        let newer = match self.entries.read(&key) {
            Some(there) => entry.is_newer_than(&there.0),
            None => true,
        };
        if newer {
            self.entries.write(&key, HeldEntry(Arc::new(entry)));
        }
        Box::pin(ready(Ok(true)))
    }

    fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()> {
        self.entries.remove(&OwnedKey::from(key));
        Box::pin(ready(Ok(())))
    }

    fn invalidate<'a>(
        &'a self,
        tags: &'a [Tag],
        how: Invalidation,
        seen: Mark,
    ) -> StoreFuture<'a, Recorded> {
        let mut record = self.record();
        record.check(&[seen]);
        let before = record.history.last();
        let mark = record.history.next(word());
        for tag in tags {
            record.ledger.raise(tag, how, mark.epoch);
        }
        record.history.give(mark);
        self.news.tell();
        Box::pin(ready(Ok(Recorded { before, mark })))
    }

    fn invalidations(&self, seen: Mark, own: Option<Mark>) -> StoreFuture<'_, Invalidations> {
        let mut record = self.record();
        let named: Vec<Mark> = [seen].into_iter().chain(own).collect();
        if record.check(&named) {
            self.news.tell();
        }
        let mut news = record.ledger.since(seen.epoch, record.history.last());
        news.floor
            .merge(Risen::both(record.history.floor_for(named)));
        Box::pin(ready(Ok(news)))
    }

    fn changed(&self) -> StoreFuture<'_, ()> {
        let heard = self.news.heard();
        Box::pin(async {
            heard.await;
            Ok(())
        })
    }

    fn lease<'a>(&'a self, key: EntryKey<'a>, length: Duration) -> StoreFuture<'a, Lease> {
        let mut leases = self.leases();
        let now = Instant::now();
        if leases.held.len() >= LEASES {
            leases.held.retain(|_, (_, until)| *until > now);
        }
        let token = LeaseToken(leases.last + 1);
        let lease = (token, end(now, length));
        match leases.held.entry(OwnedKey::from(key)) {
            hash_map::Entry::Occupied(mut held) => {
                let left = held.get().1.saturating_duration_since(now);
                if !left.is_zero() {
                    return Box::pin(ready(Ok(Lease::Held(left))));
                }
                held.insert(lease);
            }
            hash_map::Entry::Vacant(free) => {
                free.insert(lease);
            }
        }
        leases.last = token.0;
        Box::pin(ready(Ok(Lease::Granted(token))))
    }

    fn renew<'a>(
        &'a self,
        key: EntryKey<'a>,
        token: LeaseToken,
        length: Duration,
    ) -> StoreFuture<'a, bool> {
        let mut leases = self.leases();
        let now = Instant::now();
        let held = leases.held.get_mut(&OwnedKey::from(key));
        let held = held.filter(|(held, until)| *held == token && *until > now);
        let is_held = held.is_some();
        if let Some((_, until)) = held {
            *until = end(now, length);
        }
        Box::pin(ready(Ok(is_held)))
    }

    fn release<'a>(&'a self, key: EntryKey<'a>, token: LeaseToken) -> StoreFuture<'a, ()> {
        let mut leases = self.leases();
        if let hash_map::Entry::Occupied(held) = leases.held.entry(OwnedKey::from(key))
            && held.get().0 == token
        {
            held.remove();
        }
        Box::pin(ready(Ok(())))
    }
}

/// Returns the end of a lease: within a century, because a later end may be beyond what an
/// `Instant` can hold.
fn end(now: Instant, length: Duration) -> Instant {
    now + length.min(Duration::from_secs(100 * 365 * 86_400))
}

#[derive(Clone, Debug)]
struct HeldEntry(Arc<StoredEntry>);

impl Weighted for HeldEntry {
    fn weight(&self) -> usize {
        let tags: usize = self.0.tags.iter().map(|tag| tag.as_str().len()).sum();
        size_of::<StoredEntry>() + self.0.body.len() + tags
    }
}

/// The content of a store, for a test that lets the store come back as it was.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct MemoryState {
    record: MemoryRecord,
    entries: Vec<(OwnedKey, HeldEntry)>,
}

#[cfg(test)]
impl MemoryStore {
    pub(crate) fn state(&self) -> MemoryState {
        MemoryState {
            record: self.record().clone(),
            entries: self.entries.all(),
        }
    }

    /// Becomes what a store was, or empty. Nobody is told.
    pub(crate) fn come_back(&self, state: Option<&MemoryState>) {
        let mut record = self.record();
        for (key, _) in self.entries.all() {
            self.entries.remove(&key);
        }
        for (key, entry) in state.iter().flat_map(|state| &state.entries) {
            self.entries.write(key, entry.clone());
        }
        *record = match state {
            Some(state) => state.record.clone(),
            None => Self::new(0).record().clone(),
        };
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::testing::store::{Loss, changes, leases, losses, suite};

    /// Stores by name: opening a name again gives the same store.
    #[derive(Default)]
    struct Stores(Mutex<HashMap<String, Arc<MemoryStore>>>);

    impl Stores {
        fn open(&self, name: &str) -> Arc<MemoryStore> {
            let mut stores = self.0.lock().unwrap();
            let make = || Arc::new(MemoryStore::new(64 * 1024 * 1024));
            Arc::clone(stores.entry(name.to_owned()).or_insert_with(make))
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_memory_store_keeps_the_contract() {
        let stores = Stores::default();
        suite(async |name: &str| stores.open(name)).await;
        leases(async |name: &str| stores.open(name)).await;
        changes(async |name: &str| stores.open(name)).await;
        let remembered = Mutex::new(HashMap::new());
        let lose = async |name: &str, loss| {
            let store = stores.open(name);
            let mut remembered = remembered.lock().unwrap();
            match loss {
                Loss::Remember => drop(remembered.insert(name.to_owned(), store.state())),
                Loss::ComeBack => store.come_back(Some(&remembered[name])),
                Loss::Empty => store.come_back(None),
            }
        };
        losses(async |name: &str| stores.open(name), lose).await;
    }

    #[tokio::test]
    async fn expired_leases_do_not_accumulate() {
        let store = MemoryStore::new(1_000_000);
        for number in 0..3 * LEASES {
            let name = number.to_string();
            let key = EntryKey {
                build: None,
                name: &name,
            };
            store.lease(key, Duration::ZERO).await.unwrap();
        }
        assert!(store.leases().held.len() <= LEASES);
    }
}
