//! Stores, which keep responses and data between requests.
//!
//! The memory of the process always comes first and is not reached through the trait. A [`Store`]
//! may stand behind it: files that survive a restart, or a server that many instances share.

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

/// The future that a [`Store`]'s methods return, boxed so that stores can be used as `dyn Store`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A place outside this process's memory that keeps entries and the record of invalidations.
///
/// # Contract
///
/// `testing::store::suite` (feature `testing`) checks this contract for any store.
///
/// **Entries** are opaque bytes with metadata. A store returns exactly what was written or
/// nothing: an entry that is damaged, that has an unknown version or that belongs to another build
/// is `Ok(None)`, never an error and never a guess. A store may forget any entry at any time. A
/// write must not replace an entry that is *newer* ([`StoredEntry::is_newer_than`]), because the
/// writes of two instances may arrive in either order. A reader sees a whole entry, never half of
/// one.
///
/// **Keys** say to what an entry belongs: to one build, or to the application
/// ([`EntryKey::build`]). Names are arbitrary strings of any length; a store must not derive a
/// path or a command from a name without escaping it. Two keys are one only if they are equal,
/// byte by byte.
///
/// **Time** is wall-clock time. [`StoredEntry::created`] is the time at which the render finished,
/// by the clock of the instance that wrote the entry. Readers clamp negative ages, and treat an
/// entry from more than five seconds in the future as expired. A store that several machines share
/// converts `created` to the reader's clock, and may be wrong by as long as its calls take. Any
/// other store returns `created` exact to the nanosecond. Every store returns durations exact to
/// the nanosecond. No store keeps an entry for ever: an entry may go after its `expire`, or after
/// 30 days without a write.
///
/// **Invalidations** are numbered by the store, upwards from 1 and without gaps. Each call of
/// [`invalidate`](Store::invalidate) takes one number, however many tags it has. When the future
/// of `invalidate` resolves with `Ok`, the invalidation is durable, and every later call of
/// [`invalidations`](Store::invalidations) includes it, on any instance. Invalidations belong to
/// the application: they reach the entries of every build. A store deletes no entries because of
/// an invalidation; the reader of an entry compares its epoch. A store may remember a bounded
/// number of tags; the tags that it forgets raise the [floor](Invalidations::floor).
///
/// **A lost record** must not make old content valid again. The numbering survives restarts, and
/// continues above every epoch that the store meets, in an entry that is written or as the
/// argument of `invalidations`. If the store has not given such an epoch itself, it has lost
/// invalidations, and nobody knows which. Then both floors rise at least to that epoch, so that
/// all older content counts as invalidated once. Entries from before the loss are absent.
///
/// **Leases** say which instance renders an entry. They are advice: a lost lease costs a second
/// render. The provided methods grant every lease, which is right for a store that only one
/// process uses. A store that has leases grants one at a time for each key. Leases are short; a
/// holder renews its lease for as long as it renders, and gives back a lease that is granted after
/// it has stopped waiting for the answer. A store that ends a call by itself, without an answer,
/// gives back what that call was granted.
///
/// **Errors and time limits.** A method must not block its thread: it is called on threads that every
/// render waits for. A method that cannot do its work returns an error. It does not
/// retry for long, because requests wait for it. Callers limit how long they wait, and then drop
/// the future.
///
/// # Example: A minimal store that keeps the contract
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
///     /// Raises the floor to an epoch that this store has not given: what was invalidated up to
///     /// there is unknown.
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
/// // In a test: opening a name again gives another instance of the same store.
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
/// This store lacks bounds for its entries and its tags. To serve several processes, it also lacks
/// [`changed`](Self::changed) and leases.
pub trait Store: Send + Sync + 'static {
    /// Reads an entry.
    fn read<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, Option<StoredEntry>>;

    /// Writes an entry, unless a newer one is there.
    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, ()>;

    /// Removes an entry. Succeeds if it is absent already.
    fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()>;

    /// Records an invalidation of these tags and returns its number.
    fn invalidate<'a>(&'a self, tags: &'a [Tag], how: Invalidation) -> StoreFuture<'a, Epoch>;

    /// Returns every invalidation above `after`. For [`Epoch`] 0, these are all that are known.
    fn invalidations(&self, after: Epoch) -> StoreFuture<'_, Invalidations>;

    /// Resolves when others may have recorded invalidations since the last call.
    ///
    /// The future listens from the moment of the call, even before it is polled. A caller misses
    /// nothing if it calls this method first, then reads [`invalidations`](Self::invalidations),
    /// then awaits the future. If the store has only one caller, an invalidation between two calls
    /// resolves the second future at once. The future may also resolve without an invalidation. In
    /// a store that only one process uses, or that cannot notice the invalidations of others, the
    /// future never resolves. That is what the provided method does.
    fn changed(&self) -> StoreFuture<'_, ()> {
        Box::pin(pending())
    }

    /// Asks for the lease to render this entry, for at most `length`.
    fn lease<'a>(&'a self, key: EntryKey<'a>, length: Duration) -> StoreFuture<'a, Lease> {
        let _ = (key, length);
        Box::pin(ready(Ok(Lease::Granted(LeaseToken(0)))))
    }

    /// Makes a lease last for `length` from now on. Returns `false` if the caller does not hold it
    /// any more.
    fn renew<'a>(
        &'a self,
        key: EntryKey<'a>,
        token: LeaseToken,
        length: Duration,
    ) -> StoreFuture<'a, bool> {
        let _ = (key, token, length);
        Box::pin(ready(Ok(true)))
    }

    /// Gives a lease back. Leaves a lease alone that has expired or that another caller has taken
    /// over.
    fn release<'a>(&'a self, key: EntryKey<'a>, token: LeaseToken) -> StoreFuture<'a, ()> {
        let _ = (key, token);
        Box::pin(ready(Ok(())))
    }
}

/// The key of an entry in a store.
///
/// ```
/// # use route_runtime::store::EntryKey;
/// let page = EntryKey { build: Some("f00d"), name: "/posts" };
/// // The next build has a key of its own, so it renders the page anew.
/// assert_ne!(page, EntryKey { build: Some("beef"), ..page });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntryKey<'a> {
    /// The build that the entry belongs to, or `None` if it belongs to the application.
    pub build: Option<&'a str>,
    /// The canonical key, which may be any string.
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
/// // The new entry was finished earlier, but its render had seen a later invalidation.
/// let created = old.created - Duration::from_secs(1);
/// let new = StoredEntry { started: Epoch(7), created, ..old.clone() };
/// assert!(new.is_newer_than(&old));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// The encoded value, with its own version.
    pub body: Arc<[u8]>,
    /// The time at which the entry's render finished.
    pub created: SystemTime,
    /// The last invalidation that the render had seen when it began.
    pub started: Epoch,
    /// The length of time for which the entry is fresh. `None` means for ever.
    pub revalidate: Option<Duration>,
    /// The age from which the entry must not be used. `None` means that it never expires.
    pub expire: Option<Duration>,
    /// The tags that the entry's content depends on.
    pub tags: Arc<[Tag]>,
}

impl StoredEntry {
    /// Returns whether this entry is to be preferred to `other`: its render had seen more
    /// invalidations, or it had seen as many and finished later.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        (self.started, self.created) > (other.started, other.created)
    }
}

/// The invalidations that a store reports, as a state and not as a log: applying them twice changes
/// nothing.
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
    /// The last invalidation that is included. All before it are included, too.
    pub until: Epoch,
    /// The floor: content whose render began below these epochs is invalidated, whatever its tags,
    /// because the store has forgotten the rest.
    pub floor: Risen,
    /// The invalidated tags, each with its latest epochs.
    pub tags: Vec<(Tag, Risen)>,
}

/// The answer to a request for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The caller holds the lease until it expires or is released.
    Granted(LeaseToken),
    /// The lease is already held, for at most this long.
    Held(Duration),
}

/// A token that proves who holds a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseToken(pub u64);

/// The reason why a store could not do its work.
///
/// An error is logged with its causes, so it should contain no password and nothing that is in an
/// entry. Callers decide nothing by what an error says. Whatever it says, the failed call had no
/// effect, or an effect that nobody knows.
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
    /// Makes an error from a description of what could not be done, as part of a sentence. The
    /// description may have any length, though a single line reads best in a log.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            cause: None,
        }
    }

    /// Adds the cause of the failure.
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
