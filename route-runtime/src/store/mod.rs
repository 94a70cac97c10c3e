//! Stores, which keep responses and data between requests.
//!
//! The memory of the process always comes first and is not reached through the trait. A [`Store`]
//! may stand behind it: files that survive a restart, or a server that many instances share.

mod arc;
mod files;
mod history;
mod key;
mod ledger;
#[cfg(test)]
pub(crate) mod logged;
mod mark;
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
    mark::{Epoch, Mark},
    shared_memory::MemoryStore,
    tag::{Invalidation, Risen, Tag},
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
/// **Room.** Clients can make as many entries that are not [listed](StoredEntry::listed) as they like.
/// A store that is bounded should not forget a listed entry to make room for one that is not.
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
/// [`invalidate`](Store::invalidate) takes one number, however many tags it has, and with it a
/// random word: both together are its [`Mark`]. When the future of `invalidate` resolves with `Ok`,
/// the invalidation is durable, and every later call of [`invalidations`](Store::invalidations)
/// includes it, on any instance. Invalidations belong to the application: they reach the entries of
/// every build. A store deletes no entries because of an invalidation; the reader of an entry
/// compares its epoch. A store may remember a bounded number of tags; the tags that it forgets raise
/// the [floor](Invalidations::floor).
///
/// **A lost record** must not make old content valid again. A store may lose invalidations: it was
/// emptied, it came back as it was earlier, or another took over that was behind. So callers name
/// the mark up to which they have its record in force, and the store remembers the words of its last
/// 65 536 numbers. [`Mark::START`] is known always. Any other mark is *unknown* if its number is
/// above the last one or has another word. If `invalidate` or `invalidations` are called with an
/// unknown mark, invalidations were lost, and nobody knows which. Before anything else, and in one
/// step with it, the number then rises above the last one and above every number that was named, and
/// both floors rise to that number, so that all older content counts as invalidated. The store
/// remembers at least the last 64 marks for which it did so, and does so once for each. A mark whose
/// word is forgotten is *old*: then only the answer to its caller has floors at the last number. A
/// read whose caller names a mark that is unknown or old finds nothing. A write is refused if its
/// entry began at a mark that is unknown or old, or below the floor for absent content. A read or a
/// write never raises a number. A store that loses its record but keeps entries must not return
/// these entries again.
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
/// # use std::hash::{BuildHasher as _, Hasher as _, RandomState};
/// # use std::{collections::HashMap, future::ready, sync::{Arc, Mutex}};
/// # use route_runtime::store::{
/// #     EntryKey, Epoch, Invalidation, Invalidations, Mark, Recorded, Risen, Store, StoreFuture,
/// #     StoredEntry, Tag,
/// # };
/// #[derive(Default)]
/// struct Plain(Mutex<Kept>);
///
/// #[derive(Default)]
/// struct Kept {
///     entries: HashMap<(Option<String>, String), StoredEntry>,
///     tags: HashMap<Tag, Risen>,
///     last: Mark,
///     words: HashMap<Epoch, u64>,
///     answered: Vec<Mark>,
///     floor: Epoch,
/// }
///
/// impl Kept {
///     fn knows(&self, mark: Mark) -> bool {
///         mark == Mark::START || self.words.get(&mark.epoch) == Some(&mark.word)
///     }
///
///     /// Gives a number above the last one, with a word.
///     fn give(&mut self, number: u64) -> Mark {
///         let word = RandomState::new().build_hasher().finish();
///         self.last = Mark { epoch: Epoch(number), word };
///         self.words.insert(self.last.epoch, word);
///         self.last
///     }
///
///     /// Raises the floor if a caller has seen what this store does not know.
///     fn check(&mut self, mark: Mark) {
///         if !self.knows(mark) && !self.answered.contains(&mark) {
///             self.answered.push(mark);
///             self.floor = self.give(self.last.epoch.max(mark.epoch).0 + 1).epoch;
///         }
///     }
/// }
///
/// fn owned(key: EntryKey<'_>) -> (Option<String>, String) {
///     (key.build.map(str::to_owned), key.name.to_owned())
/// }
///
/// impl Store for Plain {
///     fn read<'a>(
///         &'a self,
///         key: EntryKey<'a>,
///         seen: Mark,
///     ) -> StoreFuture<'a, Option<StoredEntry>> {
///         let kept = self.0.lock().unwrap();
///         let entry = kept.entries.get(&owned(key)).filter(|_| kept.knows(seen)).cloned();
///         Box::pin(ready(Ok(entry)))
///     }
///
///     fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, bool> {
///         let mut kept = self.0.lock().unwrap();
///         let taken = kept.knows(entry.started) && entry.started.epoch >= kept.floor;
///         let there = kept.entries.get(&owned(key));
///         if taken && there.is_none_or(|there| entry.is_newer_than(there)) {
///             kept.entries.insert(owned(key), entry);
///         }
///         Box::pin(ready(Ok(taken)))
///     }
///
///     fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()> {
///         self.0.lock().unwrap().entries.remove(&owned(key));
///         Box::pin(ready(Ok(())))
///     }
///
///     fn invalidate<'a>(
///         &'a self,
///         tags: &'a [Tag],
///         how: Invalidation,
///         seen: Mark,
///     ) -> StoreFuture<'a, Recorded> {
///         let mut kept = self.0.lock().unwrap();
///         kept.check(seen);
///         let before = kept.last;
///         let mark = kept.give(before.epoch.0 + 1);
///         for tag in tags {
///             let risen = kept.tags.entry(tag.clone()).or_default();
///             match how {
///                 Invalidation::Absent => risen.absent = mark.epoch,
///                 Invalidation::Stale => risen.stale = mark.epoch,
///             }
///         }
///         Box::pin(ready(Ok(Recorded { before, mark })))
///     }
///
///     fn invalidations(&self, seen: Mark, own: Option<Mark>) -> StoreFuture<'_, Invalidations> {
///         let mut kept = self.0.lock().unwrap();
///         kept.check(seen);
///         kept.check(own.unwrap_or_default());
///         let above = kept.tags.iter().filter(|(_, risen)| risen.latest() > seen.epoch);
///         let tags = above.map(|(tag, risen)| (tag.clone(), *risen)).collect();
///         let floor = Risen { absent: kept.floor, stale: kept.floor };
///         Box::pin(ready(Ok(Invalidations { until: kept.last, floor, tags })))
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
/// This store lacks bounds for its entries, its tags and its words. To serve several processes, it also lacks
/// [`changed`](Self::changed) and leases.
pub trait Store: Send + Sync + 'static {
    /// Reads an entry, for a caller that has the record in force up to `seen`. Returns `None` if the
    /// store does not know that mark: the caller may not know what invalidated the entry.
    fn read<'a>(&'a self, key: EntryKey<'a>, seen: Mark) -> StoreFuture<'a, Option<StoredEntry>>;

    /// Writes an entry, unless a newer one is there. Returns `false` if the store refuses it, because
    /// it does not know the mark at which the entry's render began, or because everything from then
    /// counts as invalidated. The caller then asks at once what was
    /// [invalidated](Self::invalidations).
    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, bool>;

    /// Removes an entry. Succeeds if it is absent already.
    fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()>;

    /// Records an invalidation of these tags, for a caller that has the record in force up to `seen`.
    fn invalidate<'a>(
        &'a self,
        tags: &'a [Tag],
        how: Invalidation,
        seen: Mark,
    ) -> StoreFuture<'a, Recorded>;

    /// Returns every invalidation above `seen`, which is the mark up to which the caller has the
    /// record in force. For [`Mark::START`], these are all that are known.
    ///
    /// A caller that asks because of an invalidation of its `own` names the mark of that, too: it may
    /// have been lost since.
    fn invalidations(&self, seen: Mark, own: Option<Mark>) -> StoreFuture<'_, Invalidations>;

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
/// # use route_runtime::store::{Epoch, Mark, StoredEntry, Tag};
/// let old = StoredEntry {
///     body: Arc::from(*b"[]"),
///     created: SystemTime::now(),
///     started: Mark { epoch: Epoch(6), word: 0x3f1c },
///     revalidate: Some(Duration::from_secs(60)),
///     expire: None,
///     tags: Arc::from([Tag::from("posts")]),
///     listed: true,
/// };
/// // The new entry was finished earlier, but its render had seen a later invalidation.
/// let created = old.created - Duration::from_secs(1);
/// let started = Mark { epoch: Epoch(7), word: 0xa208 };
/// let new = StoredEntry { started, created, ..old.clone() };
/// assert!(new.is_newer_than(&old));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// The encoded value, with its own version.
    pub body: Arc<[u8]>,
    /// The time at which the entry's render finished.
    pub created: SystemTime,
    /// The last invalidation that the render had seen when it began.
    pub started: Mark,
    /// The length of time for which the entry is fresh. `None` means for ever.
    pub revalidate: Option<Duration>,
    /// The age from which the entry must not be used. `None` means that it never expires.
    pub expire: Option<Duration>,
    /// The tags that the entry's content depends on.
    pub tags: Arc<[Tag]>,
    /// Set if the program lists this content: it is the response of a route without parameters or
    /// of a path that `static_params` gives, the value of a cached function without arguments, or
    /// data that was made for one of these. So everything that a build renders is listed. Clients
    /// can make as much as they like of all other content, so a store gives that only a part of its
    /// room.
    pub listed: bool,
}

impl StoredEntry {
    /// Returns whether this entry is to be preferred to `other`: its render had seen more
    /// invalidations, or it had seen as many and finished later.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        (self.started.epoch, self.created) > (other.started.epoch, other.created)
    }
}

/// The invalidations that a store reports, as a state and not as a log: applying them twice changes
/// nothing.
///
/// ```
/// # use route_runtime::store::{Epoch, Invalidations, Mark, Risen, Tag};
/// let posts = Risen { absent: Epoch(3), stale: Epoch(5) };
/// let news = Invalidations {
///     until: Mark { epoch: Epoch(5), word: 0x3f1c },
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
    pub until: Mark,
    /// The floor: content whose render began below these epochs is invalidated, whatever its tags,
    /// because the store has forgotten the rest, or has lost invalidations.
    pub floor: Risen,
    /// The invalidated tags, each with its latest epochs.
    pub tags: Vec<(Tag, Risen)>,
}

/// An invalidation that a store has recorded.
///
/// ```
/// # use route_runtime::store::{Invalidation, Mark, MemoryStore, Store, StoreError, Tag};
/// # async fn example() -> Result<(), StoreError> {
/// let store = MemoryStore::new(1024 * 1024);
/// let tags = [Tag::from("posts")];
/// let first = store.invalidate(&tags, Invalidation::Absent, Mark::START).await?;
/// let second = store.invalidate(&tags, Invalidation::Absent, first.mark).await?;
/// // Nobody has invalidated anything in between.
/// assert_eq!(second.before, first.mark);
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The last mark before this one. A caller that has the record in force up to there misses
    /// nothing but this invalidation.
    pub before: Mark,
    /// The mark of this invalidation, which is above `before` and above the mark that the caller
    /// named.
    pub mark: Mark,
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
#[derive(Clone, Debug)]
pub struct StoreError {
    what: String,
    cause: Option<Arc<dyn Error + Send + Sync>>,
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
        self.cause = Some(Arc::from(cause.into()));
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
