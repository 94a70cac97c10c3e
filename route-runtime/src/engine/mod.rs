//! The engine of the cache: what is answered from memory, what is rendered, and who waits for whom.
//!
//! It knows neither HTTP nor actix-web: responses and data are values to it, and how they are made is
//! its caller's affair. Its nouns, in the order in which a value passes through them:
//!
//! - A **call** is what a request asks for: a key, tags, a limit.
//! - A **flight** is the one render that all requests for a key wait for.
//! - A **render** makes a value. One for nobody who waits, of a key that is stale, is a **refresh**.
//! - An **outcome** says with whom the value may be shared.
//! - A **landing** is what a flight gives to all who waited for it.
//! - An **entry** is a value that is kept, with its lifetime and its tags. It is *fresh*, then *stale*, then
//!   *expired*; or it is *invalidated*, when one of its tags has risen since its render began.
//! - An **epoch** is the number of an invalidation, by which renders and invalidations are ordered.
//! - A **store** is behind memory: other processes write entries there, and invalidate.
//!
//! Pure questions are apart from what acts on them: `freshness` and `outcome` hold no state; `epoch` and
//! `flight` are synchronous, built from `std` alone and model-checked; `clock` is the only reader of time.

mod admission;
mod ancestry;
mod behind;
mod breaker;
mod call;
#[cfg_attr(
    not(any(test, feature = "testing")),
    allow(dead_code, reason = "one clock is for tests")
)]
mod clock;
mod config;
mod entry;
mod epoch;
mod failure;
mod flight;
mod follow;
mod freshness;
mod key;
mod landing;
mod outcome;
mod render;
mod request;
mod second;
mod stats;
mod status;
mod sync;
mod tasks;

#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use self::admission::Admission;
pub(crate) use self::ancestry::{Ancestry, Stale};
pub(crate) use self::call::{Answer, Call, Content, Hit, Turn};
pub(crate) use self::clock::{Clock, Moment};
pub use self::config::OnPartition;
pub(crate) use self::config::{CAPACITY, Config, Limits, STALENESS, STORE_LIMIT, Spawn};
pub(crate) use self::entry::{CacheSlot, Entry, Value};
use self::entry::{Held, Kept};
use self::epoch::Epochs;
pub(crate) use self::failure::Failure;
use self::flight::Flights;
use self::freshness::Freshness;
pub(crate) use self::freshness::Lifetime;
pub(crate) use self::key::{CacheKey, Key};
use self::landing::Landing;
pub(crate) use self::outcome::{Outcome, PASS, Rendered};
use self::second::Second;
pub use self::stats::Stats;
use self::stats::{Counters, count, read};
pub(crate) use self::status::{Bypass, Status, Ttl};
use self::tasks::Tasks;
use crate::store::{Epoch, Memory, Standing, Tag};

#[cfg(any(test, feature = "testing"))]
pub(crate) use self::clock::ManualClock;

#[cfg(feature = "fetch")]
pub(crate) use self::entry::KEPT;

/// Answers from memory, renders what is missing once, and refreshes what is stale.
///
/// A clone is another handle to the same engine.
pub(crate) struct Engine<K: CacheKey, V: Value>(Arc<Core<K, V>>);

impl<K: CacheKey, V: Value> Clone for Engine<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: CacheKey, V: Value> fmt::Debug for Engine<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// What the handles of an engine and its tasks share.
struct Core<K: CacheKey, V: Value> {
    clock: Clock,
    spawn: Arc<dyn Spawn>,
    memory: Memory<K, Held<V>>,
    epochs: Epochs,
    flights: Flights<K, Notify, Landing<V>>,
    admission: Admission,
    second: Option<Arc<Second>>,
    /// Dropped with the engine, which ends the task that follows others.
    following: OnceLock<oneshot::Sender<()>>,
    counters: Counters,
    tasks: Arc<Tasks>,
}

impl<K: CacheKey, V: Value> Engine<K, V> {
    /// Makes an empty engine. One with a store behind it should [`follow`](Self::follow) what
    /// others do, and [`catch_up`](Self::catch_up) before it serves.
    pub(crate) fn new(config: Config) -> Self {
        Self(Arc::new(Core {
            memory: Memory::new(config.memory),
            epochs: Epochs::new(epoch::TAGS),
            flights: Flights::new(),
            admission: Admission::new(config.limits),
            second: Second::of(&config).map(Arc::new),
            following: OnceLock::new(),
            counters: Counters::default(),
            tasks: Arc::default(),
            clock: config.clock,
            spawn: config.spawn,
        }))
    }

    /// Makes a place for a route without parameters. Its content is found without hashing, is
    /// never evicted, and counts towards the bound on memory.
    pub(crate) fn slot(&self) -> Arc<CacheSlot<V>> {
        Arc::new(self.0.memory.slot())
    }

    /// Returns the entry under a key with which a request can be answered at once: a fresh one, or
    /// a stale one whose refresh cannot begin now, because it is under way, say. Counts nothing:
    /// whatever is not a plain hit is for [`get_or_render`](Self::get_or_render), and so is a
    /// request that takes no stale content.
    pub(crate) fn lookup<Q>(&self, key: &Q) -> Option<Hit<V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.ready(self.0.memory.read(key))
    }

    /// Counts a request that is answered with what [`lookup`](Self::lookup) found.
    pub(crate) fn count(&self, hit: &Hit<V>) {
        let Core { counters, .. } = &*self.0;
        match hit.is_stale {
            false => counters.hits.add(),
            true => counters.stale.add(),
        }
        self.0.count_unverified(hit);
    }

    /// The same as [`lookup`](Self::lookup), for a slot.
    pub(crate) fn lookup_slot(&self, slot: &CacheSlot<V>) -> Option<Hit<V>> {
        self.0.ready(slot.read())
    }

    /// Returns the link of what is made for one request only, outside the cache, for the sake of
    /// `parent`.
    ///
    /// # Errors
    ///
    /// [`Failure::Cycle`] if it is already being made for its own sake.
    pub(crate) fn alone(key: K, parent: Option<&Ancestry<K>>) -> Result<Ancestry<K>, Failure> {
        if parent.is_some_and(|parent| parent.circles(&key)) {
            return Err(Failure::Cycle);
        }
        Ok(Ancestry::alone(key, parent))
    }

    /// Waits until no render and no refresh is under way.
    pub(crate) async fn settled(&self) {
        self.0.tasks.done().await;
    }

    /// Returns the largest weight of a value that is kept. Whoever renders something larger
    /// should call it [`Individual`](super::Outcome::Individual) rather than buffer it.
    pub(crate) fn entry_limit(&self) -> u64 {
        self.0.memory.entry_limit()
    }

    pub(crate) fn stats(&self) -> Stats {
        let Core {
            counters, memory, ..
        } = &*self.0;
        Stats {
            hits: counters.hits.sum(),
            stale: counters.stale.sum(),
            misses: read(&counters.misses),
            renders: read(&counters.renders),
            refreshes: read(&counters.refreshes),
            overloaded: read(&counters.overloaded),
            evictions: memory.evictions(),
            oversize: read(&counters.oversize),
            adopted: read(&counters.adopted),
            unverified: read(&counters.unverified),
            store_failures: read(&counters.store_failures),
            entries: memory.len() as u64,
            bytes: memory.bytes(),
            pinned: memory.pinned(),
            capacity: memory.capacity(),
        }
    }
}

/// Where the content for a request lives.
struct Place<'a, K, V: Value> {
    key: &'a K,
    slot: Option<&'a CacheSlot<V>>,
    /// See [`Call::also`].
    also: &'a [Tag],
}

/// What a look at a place found.
enum Found<V: Value> {
    Fresh(Hit<V>),
    Stale(Hit<V>),
    Kept(Arc<Kept<V>>, Duration),
    Pass,
    Absent(Absence),
}

/// Why a request has to wait for a render.
#[derive(Clone, Copy)]
enum Absence {
    Never,
    /// Also stale, for a request that cannot take stale content, and unverified, where that is
    /// not served.
    Expired,
    Invalidated,
}

impl Absence {
    fn status(self, stored: bool) -> Status {
        match self {
            Self::Never => Status::Miss { stored },
            Self::Expired => Status::Expired { stored },
            Self::Invalidated => Status::Invalidated { stored },
        }
    }
}

impl<K: CacheKey, V: Value> Core<K, V> {
    fn ready(&self, held: Option<Held<V>>) -> Option<Hit<V>> {
        let Held::Entry(entry) = held? else {
            return None;
        };
        let now = self.clock.now();
        match self.judge(entry, &[], now) {
            Found::Fresh(hit) => Some(hit),
            Found::Stale(hit) if hit.entry.is_claimed(now) || self.admission.is_busy() => Some(hit),
            _ => None,
        }
    }

    fn count_unverified(&self, hit: &Hit<V>) {
        if !hit.is_verified {
            count(&self.counters.unverified);
        }
    }

    fn look(&self, place: &Place<'_, K, V>, now: Moment) -> Found<V> {
        match self.held(place) {
            Some(Held::Entry(entry)) => self.judge(entry, place.also, now),
            Some(Held::Kept(kept)) => match kept.age(now) {
                None => Found::Absent(Absence::Never),
                Some(_) if self.kept_standing(&kept, place.also) != Standing::Valid => {
                    Found::Absent(Absence::Never)
                }
                Some(age) => Found::Kept(kept, age),
            },
            Some(Held::Pass(until)) if now < until => Found::Pass,
            Some(Held::Pass(_)) | None => Found::Absent(Absence::Never),
        }
    }

    fn judge(&self, entry: Arc<Entry<V>>, also: &[Tag], now: Moment) -> Found<V> {
        let age = now.since(entry.created());
        let lifetime = entry.lifetime();
        // Before the standing, which is to include what is verified.
        let (is_verified, is_served) = match &self.second {
            None => (true, true),
            Some(second) if second.is_verified(now) => (true, true),
            Some(second) => (false, second.serves_unverified()),
        };
        let standing = self.entry_standing(&entry, also);
        let hit = |ttl: Ttl, is_stale| Hit {
            entry,
            age,
            ttl,
            is_stale,
            is_verified,
        };
        let left = lifetime.seconds_left(age);
        match (standing, lifetime.freshness(age)) {
            (Standing::Absent, _) => Found::Absent(Absence::Invalidated),
            (_, Freshness::Expired) => Found::Absent(Absence::Expired),
            _ if !is_served => Found::Absent(Absence::Expired),
            (Standing::Valid, Freshness::Fresh) => Found::Fresh(hit(left, false)),
            (Standing::Valid, Freshness::Stale) => Found::Stale(hit(left, true)),
            // Whatever its age had left, it has no longer.
            (Standing::Stale, _) => {
                Found::Stale(hit(Some(left.map_or(0, |left| left.min(0))), true))
            }
        }
    }

    fn entry_standing(&self, entry: &Entry<V>, also: &[Tag]) -> Standing {
        let own = entry.standing(&self.epochs);
        own.min(self.standing_since(entry.started(), also))
    }

    fn kept_standing(&self, kept: &Kept<V>, also: &[Tag]) -> Standing {
        let own = kept.standing(&self.epochs);
        own.min(self.standing_since(kept.started(), also))
    }

    fn standing_since(&self, started: Epoch, tags: &[Tag]) -> Standing {
        if tags.is_empty() || self.epochs.published() <= started {
            return Standing::Valid;
        }
        self.epochs.since(started, tags)
    }

    fn held(&self, place: &Place<'_, K, V>) -> Option<Held<V>> {
        match place.slot {
            Some(slot) => slot.read(),
            None => self.memory.read(place.key),
        }
    }

    fn hold(&self, place: &Place<'_, K, V>, held: Held<V>) -> bool {
        match place.slot {
            Some(slot) => self.memory.write_slot(slot, held),
            None => self.memory.write(place.key, held),
        }
    }

    /// Whether content whose render began at `started` may be given to a request that began when
    /// `begun` was published, and which takes content of this standing.
    ///
    /// A request that began before the invalidation may have what was rendered meanwhile; one
    /// that began after it may not. Which of several invalidations came between cannot be told
    /// any more, so one that began after any takes only what has survived all.
    fn serves(
        &self,
        begun: Epoch,
        started: Epoch,
        standing: impl FnOnce() -> Standing,
        at_least: Standing,
    ) -> bool {
        begun <= started || standing() >= at_least
    }
}
