//! Where responses and data are kept between requests.
//!
//! Memory of the process always comes first and is not reached through this trait. A [`Store`] is
//! what may stand behind it: files that survive a restart, or a server many instances share.

mod arc;
mod files;
mod key;
mod ledger;
#[cfg(test)]
pub(crate) mod logged;
mod memory;
mod news;
mod random;
#[cfg(feature = "redis")]
mod redis;
mod shared_memory;
mod slot;
mod tag;

use std::error::Error;
use std::fmt;
use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

#[cfg(feature = "redis")]
pub use self::redis::{RedisStore, RedisStoreOptions};
pub use self::{
    files::{FileStore, FileStoreOptions},
    shared_memory::MemoryStore,
    tag::{Epoch, Invalidation, Risen, Tag},
};
pub(crate) use self::{
    key::OwnedKey,
    ledger::{Ledger, Standing},
    memory::{Memory, MemoryOptions, Weighted},
    news::News,
    slot::Slot,
};

/// What a [`Store`]'s methods return: a boxed future, so that stores can be used as `dyn Store`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps entries and the record of invalidations outside this process's memory.
///
/// # Contract
///
/// `testing::store::suite` (feature `testing`) checks it, for any store.
///
/// **Entries** are opaque bytes with metadata. A store returns exactly what was written or
/// nothing: an entry that is damaged, of an unknown version or of another build is `Ok(None)`,
/// never an error and never a guess. It may forget any entry at any time. A write must not
/// replace an entry that is *newer* ([`StoredEntry::is_newer_than`]), because writes of two
/// instances may arrive in either order. A reader sees a whole entry, never half of one.
///
/// **Keys** say to whom an entry belongs: to one build, or to the application
/// ([`EntryKey::build`]). Names are arbitrary strings of any length; a store must not derive a
/// path or a command from one unescaped. Two keys are one only if they are equal, byte by byte.
///
/// **Time** is wall time. [`StoredEntry::created`] is when the render finished, by the clock of
/// whoever wrote it; readers clamp negative ages, and take an entry from more than five seconds
/// in the future for expired. A store that machines share converts it to the reader's clock and
/// may be wrong by as long as its calls take; any other returns it to the nanosecond, as all
/// return durations. A store keeps nothing for ever: an entry may go after its `expire`, or after
/// 30 days without having been written.
///
/// **Invalidations** are numbered by the store, upwards from 1, without gaps, one number for each
/// call of [`invalidate`](Store::invalidate), whatever the number of tags. When the future of
/// `invalidate` resolves with `Ok`, the record is durable and every later
/// [`invalidations`](Store::invalidations) includes it, of whichever instance. Invalidations
/// belong to the application: they reach the entries of every build. A store deletes no entries
/// because of them; whoever reads an entry compares its epoch. It may remember a bounded number
/// of tags: what it forgets raises the floor.
///
/// **A record that was lost** must not make old content valid again. The number outlives
/// restarts, and rises above every epoch the store meets: one in an entry that is written, or one
/// that `invalidations` is asked for. If it has not given that number itself, it has lost some,
/// and nobody knows which; then both floors rise with the number, so that all older content counts
/// as invalidated once. Entries from before the loss are absent.
///
/// **Leases** say which instance renders an entry. They are advice: a lost lease costs a second
/// render. The provided methods grant every lease, which is right for a store that only one
/// process uses. A store that has leases grants one at a time for each key.
///
/// **Errors and time.** A method that cannot do its work returns an error; it does not retry for
/// long, since requests wait for it. Callers limit how long they wait and drop the future.
///
/// # Example: The least that keeps the contract
///
/// ```
/// # use std::{collections::HashMap, future::ready, sync::{Arc, Mutex}};
/// # use route_runtime::store::{
/// #     EntryKey, Epoch, Invalidation, Invalidations, Risen, Store, StoreFuture, StoredEntry, Tag,
/// # };
/// #[derive(Default)]
/// struct Plain(Mutex<Kept>);
///
/// #[derive(Default)]
/// struct Kept {
///     entries: HashMap<(Option<String>, String), StoredEntry>,
///     tags: HashMap<Tag, Risen>,
///     last: Epoch,
///     floor: Risen,
/// }
///
/// impl Kept {
///     /// It has not given this number itself: what was invalidated up to there is unknown.
///     fn meet(&mut self, epoch: Epoch) {
///         if epoch > self.last {
///             self.last = epoch;
///             self.floor = Risen { absent: epoch, stale: epoch };
///         }
///     }
/// }
///
/// fn owned(key: EntryKey<'_>) -> (Option<String>, String) {
///     (key.build.map(str::to_owned), key.name.to_owned())
/// }
///
/// impl Store for Plain {
///     fn read<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, Option<StoredEntry>> {
///         let entry = self.0.lock().unwrap().entries.get(&owned(key)).cloned();
///         Box::pin(ready(Ok(entry)))
///     }
///
///     fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, ()> {
///         let mut kept = self.0.lock().unwrap();
///         kept.meet(entry.started);
///         let there = kept.entries.get(&owned(key));
///         if there.is_none_or(|there| entry.is_newer_than(there)) {
///             kept.entries.insert(owned(key), entry);
///         }
///         Box::pin(ready(Ok(())))
///     }
///
///     fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()> {
///         self.0.lock().unwrap().entries.remove(&owned(key));
///         Box::pin(ready(Ok(())))
///     }
///
///     fn invalidate<'a>(&'a self, tags: &'a [Tag], how: Invalidation) -> StoreFuture<'a, Epoch> {
///         let mut kept = self.0.lock().unwrap();
///         kept.last.0 += 1;
///         let last = kept.last;
///         for tag in tags {
///             let risen = kept.tags.entry(tag.clone()).or_default();
///             match how {
///                 Invalidation::Absent => risen.absent = last,
///                 Invalidation::Stale => risen.stale = last,
///             }
///         }
///         Box::pin(ready(Ok(last)))
///     }
///
///     fn invalidations(&self, after: Epoch) -> StoreFuture<'_, Invalidations> {
///         let mut kept = self.0.lock().unwrap();
///         kept.meet(after);
///         let above = kept.tags.iter().filter(|(_, risen)| risen.latest() > after);
///         let tags = above.map(|(tag, risen)| (tag.clone(), *risen)).collect();
///         Box::pin(ready(Ok(Invalidations { until: kept.last, floor: kept.floor, tags })))
///     }
/// }
///
/// # #[cfg(feature = "testing")]
/// # #[tokio::main]
/// # async fn main() {
/// // In a test. The same name is the same store, as another instance sees it.
/// let stores = Mutex::new(HashMap::<String, Arc<Plain>>::new());
/// route_runtime::testing::store::suite(async |name: &str| {
///     Arc::clone(stores.lock().unwrap().entry(name.to_owned()).or_default())
/// })
/// .await;
/// # }
/// # #[cfg(not(feature = "testing"))]
/// # fn main() {}
/// ```
///
/// What it lacks: bounds for its entries and its tags, and, for several processes,
/// [`changed`](Self::changed) and leases.
pub trait Store: Send + Sync + 'static {
    /// Reads an entry.
    fn read<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, Option<StoredEntry>>;

    /// Writes an entry, unless what is there is newer.
    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, ()>;

    /// Removes an entry. Absent already is success.
    fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()>;

    /// Records an invalidation of these tags and returns its number.
    fn invalidate<'a>(&'a self, tags: &'a [Tag], how: Invalidation) -> StoreFuture<'a, Epoch>;

    /// Returns every invalidation above `after`; all that is known, for [`Epoch`] 0.
    fn invalidations(&self, after: Epoch) -> StoreFuture<'_, Invalidations>;

    /// Resolves when others may have recorded invalidations since the last call.
    ///
    /// It listens from the moment of the call, even before it is polled, so nothing is missed by
    /// whoever calls it first, then reads [`invalidations`](Self::invalidations), then awaits it.
    /// What happens between two calls resolves the second at once, if one caller is all the store
    /// has. It may resolve for nothing. In a store that only one process uses or that cannot tell,
    /// it never resolves, as the provided method.
    fn changed(&self) -> StoreFuture<'_, ()> {
        Box::pin(pending())
    }

    /// Asks to be the one who renders this entry, for at most `length`.
    fn lease<'a>(&'a self, key: EntryKey<'a>, length: Duration) -> StoreFuture<'a, Lease> {
        let _ = (key, length);
        Box::pin(ready(Ok(Lease::Granted(LeaseToken(0)))))
    }

    /// Gives a lease back. One that has run out, or was taken over, is left alone.
    fn release<'a>(&'a self, key: EntryKey<'a>, token: LeaseToken) -> StoreFuture<'a, ()> {
        let _ = (key, token);
        Box::pin(ready(Ok(())))
    }
}

/// Names an entry in a store.
///
/// ```
/// # use route_runtime::store::EntryKey;
/// let page = EntryKey { build: Some("f00d"), name: "/posts" };
/// // The next build renders it anew.
/// assert_ne!(page, EntryKey { build: Some("beef"), ..page });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntryKey<'a> {
    /// The build the entry belongs to, or `None` if it is the application's.
    pub build: Option<&'a str>,
    /// The canonical key. Any string.
    pub name: &'a str,
}

/// An entry as stores keep it.
///
/// ```
/// # use std::{sync::Arc, time::{Duration, SystemTime}};
/// # use route_runtime::store::{Epoch, StoredEntry, Tag};
/// let old = StoredEntry {
///     body: Arc::from(*b"[]"),
///     created: SystemTime::now(),
///     started: Epoch(6),
///     revalidate: Some(Duration::from_secs(60)),
///     expire: None,
///     tags: Arc::from([Tag::from("posts")]),
/// };
/// // It was finished earlier, but has seen what was invalidated since.
/// let created = old.created - Duration::from_secs(1);
/// let new = StoredEntry { started: Epoch(7), created, ..old.clone() };
/// assert!(new.is_newer_than(&old));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// The encoded value, with its own version.
    pub body: Arc<[u8]>,
    /// When its render finished.
    pub created: SystemTime,
    /// The last invalidation its render had seen when it began.
    pub started: Epoch,
    /// How long it is fresh; `None` for ever.
    pub revalidate: Option<Duration>,
    /// The age from which it must not be used; `None` never.
    pub expire: Option<Duration>,
    /// What it depends on.
    pub tags: Arc<[Tag]>,
}

impl StoredEntry {
    /// Returns whether this entry is to be preferred: it has seen more invalidations, or, having
    /// seen as many, it was finished later.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        (self.started, self.created) > (other.started, other.created)
    }
}

/// What was invalidated, as a state and not as a log: applying it twice changes nothing.
///
/// ```
/// # use route_runtime::store::{Epoch, Invalidations, Risen, Tag};
/// let posts = Risen { absent: Epoch(3), stale: Epoch(5) };
/// let news = Invalidations {
///     until: Epoch(5),
///     floor: Risen::default(),
///     tags: vec![(Tag::from("posts"), posts)],
/// };
/// // Nothing was forgotten; a render of posts that began at 4 is stale.
/// assert_eq!(news.floor.latest(), Epoch(0));
/// assert!(posts.absent <= Epoch(4) && Epoch(4) < posts.stale);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invalidations {
    /// All invalidations up to this one are included.
    pub until: Epoch,
    /// Content of any tag that began below this is invalidated: the store has forgotten the rest.
    pub floor: Risen,
    /// The tags invalidated, each with its latest epochs.
    pub tags: Vec<(Tag, Risen)>,
}

/// The answer to a request for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// Yours until it runs out or is released.
    Granted(LeaseToken),
    /// Another instance holds it for at most this long.
    Held(Duration),
}

/// Proves who holds a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseToken(pub u64);

/// Why a store could not do what it was asked.
///
/// It is logged, with its causes: it should hold no password, and not what is in an entry. Nobody
/// looks at it to decide what to do: whatever it says, the call was of no effect, or of one that
/// nobody knows.
///
/// ```
/// # use route_runtime::store::StoreError;
/// # use std::error::Error as _;
/// let full = std::io::Error::other("the disk is full");
/// let error = StoreError::new("cannot write an entry").with_cause(full);
/// assert_eq!(error.to_string(), "cannot write an entry");
/// assert_eq!(error.source().unwrap().to_string(), "the disk is full");
/// ```
#[derive(Debug)]
pub struct StoreError {
    what: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// Describes a failure in words: what could not be done, as part of a sentence. Of any length,
    /// though a line reads best in a log.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            cause: None,
        }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Some(cause) => Some(&**cause),
            None => None,
        }
    }
}
