//! The engine of the cache: it answers requests from memory, renders what is missing, and decides
//! which requests wait for which render.
//!
//! The engine knows neither HTTP nor actix-web. Responses and data are values to it, and its caller
//! decides how they are made. Its nouns, in the order in which a value passes through them:
//!
//! - A **call** is what a request asks for: a key, tags, a limit.
//! - A **flight** is the one render that all requests for a key wait for.
//! - A **render** makes a value. A render that replaces a stale entry, while requests are still
//!   answered with that entry, is a **refresh**.
//! - An **outcome** says with whom the value may be shared.
//! - A **landing** is what a flight gives to all requests that waited for it.
//! - An **entry** is a value that is kept, with its lifetime and its tags. It is *fresh*, then
//!   *stale*, then *expired*. An invalidation of one of its tags since its render began makes it
//!   stale or *absent*.
//! - An **epoch** is the number of an invalidation. Renders and invalidations are ordered by it.
//!   With the word that the store gave it, it is a **mark** in the history of the store's record.
//! - A **store** lies behind memory. Other instances write entries there, and invalidate.
//!
//! Pure questions are separate from the code that acts on the answers. `freshness` and `outcome`
//! hold no state. `epoch` and `flight` are synchronous, built from `std` alone and model-checked.
//! `clock` is the only reader of time.

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
mod record;
mod render;
mod request;
mod second;
mod shares;
mod stats;
mod status;
mod sync;
mod tasks;

#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use self::admission::Admission;
pub(crate) use self::ancestry::{Ancestry, Stale};
pub(crate) use self::call::{Answer, Call, Content, Hit, Keep, Turn};
pub(crate) use self::clock::{Clock, Moment};
pub use self::config::OnPartition;
pub(crate) use self::config::{
    CAPACITY, EngineConfig, Limits, RenderPlaces, STALENESS, STORE_LIMIT, Spawn,
};
pub(crate) use self::entry::{CacheSlot, Entry, Value};
use self::entry::{Held, Kept};
use self::epoch::Epochs;
pub(crate) use self::failure::Failure;
use self::flight::Flights;
use self::freshness::Freshness;
pub(crate) use self::freshness::Lifetime;
pub(crate) use self::key::{CacheKey, Key};
use self::landing::Landing;
pub(crate) use self::outcome::{PASS, RenderOutcome, TaggedOutcome};
pub(crate) use self::render::RenderFn;
use self::second::Second;
use self::stats::{Counters, count, read};
pub use self::stats::{RenderShare, Stats};
pub(crate) use self::status::{Bypass, Status, Ttl};
use self::tasks::Tasks;
use crate::owner::Owner;
use crate::store::{Epoch, Memory, Standing, Tag};
use crate::target;

#[cfg(any(test, feature = "testing"))]
pub(crate) use self::clock::ManualClock;

#[cfg(feature = "fetch")]
pub(crate) use self::entry::KEPT;

/// The engine of a cache. It answers from memory, renders what is missing once, and refreshes what
/// is stale.
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

/// The state that the handles of an engine and its tasks share.
struct Core<K: CacheKey, V: Value> {
    clock: Clock,
    spawn: Arc<dyn Spawn>,
    memory: Memory<K, Held<V>>,
    epochs: Epochs,
    flights: Flights<K, Notify, Landing<V>>,
    admission: Admission,
    second: Option<Arc<Second>>,
    /// The sender that ends the task which follows other instances. It is dropped with the engine.
    following: OnceLock<oneshot::Sender<()>>,
    counters: Counters,
    tasks: Arc<Tasks>,
    /// The owners of content that was too large to be kept, as far as the log says so.
    oversized: Mutex<BTreeSet<Owner>>,
}

impl<K: CacheKey, V: Value> Engine<K, V> {
    /// Makes an empty engine. An engine with a store should [`follow`](Self::follow) what other
    /// instances invalidate, and [`catch_up`](Self::catch_up) before it serves.
    pub(crate) fn new(config: EngineConfig) -> Self {
        Self(Arc::new(Core {
            memory: Memory::new(config.memory),
            epochs: Epochs::new(epoch::TAGS),
            flights: Flights::new(),
            admission: Admission::new(config.limits),
            second: Second::from_config(&config).map(Arc::new),
            following: OnceLock::new(),
            counters: Counters::default(),
            tasks: Arc::default(),
            oversized: Mutex::default(),
            clock: config.clock,
            spawn: config.spawn,
        }))
    }

    /// Makes a slot for a route without parameters. The content of a slot is found without
    /// hashing, is never evicted, and counts towards the bound on memory.
    pub(crate) fn slot(&self) -> Arc<CacheSlot<V>> {
        Arc::new(self.0.memory.slot())
    }

    /// Returns the entry under a key if a request can be answered with it at once. It is fresh, or
    /// it is stale and its refresh cannot begin now, for example because it is under way.
    ///
    /// Counts nothing. Every other case belongs to [`get_or_render`](Self::get_or_render), and so
    /// does a request that accepts no stale content.
    pub(crate) fn lookup<Q>(&self, key: &Q, owner: Owner) -> Option<Hit<V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.ready_hit(self.0.memory.read(key), owner)
    }

    /// Counts a request that is answered with a hit of [`lookup`](Self::lookup).
    pub(crate) fn count(&self, hit: &Hit<V>) {
        let Core { counters, .. } = &*self.0;
        match hit.is_stale {
            false => counters.hits.add(),
            true => counters.stale.add(),
        }
        self.0.count_unverified(hit);
    }

    /// Returns the entry in a slot, under the conditions of [`lookup`](Self::lookup).
    pub(crate) fn lookup_slot(&self, slot: &CacheSlot<V>, owner: Owner) -> Option<Hit<V>> {
        self.0.ready_hit(slot.read(), owner)
    }

    /// Returns the ancestry of a render for one request only, outside the cache, on behalf of
    /// `parent`.
    ///
    /// # Errors
    ///
    /// [`Failure::Cycle`] if the key is already being rendered on its own behalf, or if the chain
    /// of renders is too long.
    pub(crate) fn alone(key: K, parent: Option<&Ancestry<K>>) -> Result<Ancestry<K>, Failure> {
        if parent.is_some_and(|parent| parent.would_cycle(&key)) {
            return Err(Failure::Cycle);
        }
        Ok(Ancestry::alone(key, parent))
    }

    /// Waits until no render and no refresh is under way.
    pub(crate) async fn settled(&self) {
        self.0.tasks.wait_until_idle().await;
    }

    /// Returns the largest weight of a value that is kept. A larger value should be
    /// [`Individual`](super::RenderOutcome::Individual), so that it need not be buffered.
    pub(crate) fn entry_limit(&self) -> u64 {
        self.0.memory.entry_limit()
    }

    /// Says in the log, once for each owner, that content of it is too large to be kept.
    pub(crate) fn warn_oversize(&self, owner: Owner, name: &str) {
        self.0.warn_oversize(owner, name);
    }

    pub(crate) fn stats(&self) -> Stats {
        let Core {
            counters,
            memory,
            admission,
            ..
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
            shares: admission.shares(),
        }
    }
}

/// The place of the content for a request: its slot if it has one, otherwise its key.
struct KeyPlace<'a, K, V: Value> {
    key: &'a K,
    slot: Option<&'a CacheSlot<V>>,
    /// The tags of [`Call::also`].
    also: &'a [Tag],
    /// The handler that asks.
    owner: Owner,
    keep: Keep,
}

/// The result of looking up a place in memory.
enum Found<V: Value> {
    Fresh(Hit<V>),
    Stale(Hit<V>),
    Kept(Arc<Kept<V>>, Duration),
    Pass,
    Absent(Absence),
}

/// The reason why a request has to wait for a render.
#[derive(Clone, Copy)]
enum Absence {
    Never,
    /// The entry has expired. An entry also counts as expired if it is stale and the request
    /// accepts no stale content, or if it is unverified and unverified content is not served.
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
    fn ready_hit(&self, held: Option<Held<V>>, owner: Owner) -> Option<Hit<V>> {
        let Held::Entry(entry) = held? else {
            return None;
        };
        let now = self.clock.now();
        if self.is_out_of_contact(now) {
            return None;
        }
        match self.judge_entry(entry, &[], now) {
            Found::Fresh(hit) => Some(hit),
            Found::Stale(hit)
                if hit.entry.is_claimed(now) || self.admission.refuses_refresh(owner) =>
            {
                Some(hit)
            }
            _ => None,
        }
    }

    fn warn_oversize(&self, owner: Owner, name: &str) {
        let mut told = self
            .oversized
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if told.insert(owner) {
            let limit = self.memory.entry_limit();
            tracing::warn!(
                target: target::CACHE,
                key = name,
                "`{owner}` makes content that is larger than {limit} bytes; it is made anew for each \
                 request, and later content like it is not mentioned"
            );
        }
    }

    /// Puts an entry into memory, unless it is too large.
    fn write_entry(&self, place: &KeyPlace<'_, K, V>, entry: &Arc<Entry<V>>) -> bool {
        let is_kept = self.write_memory(place, Held::Entry(Arc::clone(entry)));
        if !is_kept {
            count(&self.counters.oversize);
            self.warn_oversize(place.owner, place.key.name());
        }
        is_kept
    }

    fn count_unverified(&self, hit: &Hit<V>) {
        if !hit.is_verified {
            count(&self.counters.unverified);
        }
    }

    fn look_up_entry(&self, place: &KeyPlace<'_, K, V>, now: Moment) -> Found<V> {
        match self.read_memory(place) {
            Some(Held::Entry(entry)) => self.judge_entry(entry, place.also, now),
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

    fn judge_entry(&self, entry: Arc<Entry<V>>, also: &[Tag], now: Moment) -> Found<V> {
        let age = now.since(entry.created());
        let lifetime = entry.lifetime();
        // Read before the standing, so that the standing includes everything that is verified.
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
            // No freshness is left, however much its age would have left.
            (Standing::Stale, _) => {
                Found::Stale(hit(Some(left.map_or(0, |left| left.min(0))), true))
            }
        }
    }

    fn entry_standing(&self, entry: &Entry<V>, also: &[Tag]) -> Standing {
        let own = entry.standing(&self.epochs);
        own.min(self.standing_since(entry.started().epoch, also))
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

    fn read_memory(&self, place: &KeyPlace<'_, K, V>) -> Option<Held<V>> {
        match place.slot {
            Some(slot) => slot.read(),
            None => self.memory.read(place.key),
        }
    }

    fn write_memory(&self, place: &KeyPlace<'_, K, V>, held: Held<V>) -> bool {
        match place.slot {
            Some(slot) => self.memory.write_slot(slot, held),
            None => self.memory.write(place.key, held),
        }
    }

    /// Returns whether a request may get content whose render began at `started`. The request
    /// began when `begun` was published, and accepts content whose standing is `at_least` this.
    ///
    /// A request that began before an invalidation may get content that was being rendered
    /// meanwhile. A request that began after the invalidation may not. Which of several
    /// invalidations came between the two can no longer be determined. So a request that began
    /// after any of them gets only content that has survived all of them.
    fn may_serve(
        &self,
        begun: Epoch,
        started: Epoch,
        standing: impl FnOnce() -> Standing,
        at_least: Standing,
    ) -> bool {
        begun <= started || standing() >= at_least
    }
}
