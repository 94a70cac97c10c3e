//! The contents of memory: entries, and the other things that are kept under a key.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::clock::Moment;
use super::epoch::{Epochs, Stamp};
use super::failure::Failure;
use super::freshness::Lifetime;
use crate::store::{Epoch, Mark, Slot, Standing, Tag, Weighted};

/// A value that a cache can keep and give to many requests.
pub(crate) trait Value: Send + Sync + Sized + 'static {
    /// The type that a render makes instead when its content is for one request only. It never
    /// enters an entry, a flight or a store.
    type Individual: Send + 'static;

    /// Returns how many bytes the value occupies.
    fn weight(&self) -> usize;

    /// Returns how many of these bytes are set aside for what may be made of the value later. They
    /// do not count towards the bound on the largest value.
    fn reserve(&self) -> usize {
        0
    }

    /// Encodes the value for a store behind memory. Returns `None` if the value lives in memory
    /// only.
    fn encode(&self) -> Option<Arc<[u8]>> {
        None
    }

    /// Decodes the output of [`encode`](Value::encode). Returns `None` for any other bytes.
    fn decode(_bytes: &[u8]) -> Option<Self> {
        None
    }
}

/// The slot in which a route without parameters keeps its response.
pub(crate) type CacheSlot<V> = Slot<Held<V>>;

/// The bytes that the allocator, the map and the reference counts need for an entry, beyond its
/// content. This is a little more than was measured: the bound on memory is a promise, but using
/// all of it is not.
const OVERHEAD: usize = 192;

/// A stored value, with everything that decides how long it may be used.
#[derive(Debug)]
pub(crate) struct Entry<V> {
    value: V,
    tags: Arc<[Tag]>,
    lifetime: Lifetime,
    /// The moment at which the render finished.
    created: Moment,
    created_wall: SystemTime,
    /// The mark at which the render began.
    started: Mark,
    stamp: Stamp,
    weight: usize,
    refreshing: AtomicBool,
    /// The moment before which no refresh begins.
    rested: AtomicU64,
}

/// The times at which an [`Entry`] was made, and the mark at which its render began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub(crate) created: Moment,
    pub(crate) created_wall: SystemTime,
    pub(crate) started: Mark,
}

impl<V: Value> Entry<V> {
    pub(crate) fn new(value: V, lifetime: Lifetime, tags: Arc<[Tag]>, made: Made) -> Self {
        let names: usize = tags.iter().map(|tag| tag.as_str().len()).sum();
        Self {
            weight: value.weight()
                + names
                + size_of_val(&*tags)
                + size_of::<Self>()
                + size_of::<Held<V>>()
                + OVERHEAD,
            value,
            tags,
            lifetime,
            created: made.created,
            created_wall: made.created_wall,
            started: made.started,
            stamp: Stamp::new(made.started.epoch),
            refreshing: AtomicBool::new(false),
            rested: AtomicU64::new(Moment::MIN.to_bits()),
        }
    }

    pub(crate) fn value(&self) -> &V {
        &self.value
    }

    /// Returns everything the entry depends on: the tags that its call declared and those that its
    /// render used.
    pub(crate) fn tags(&self) -> &[Tag] {
        &self.tags
    }

    pub(crate) fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    pub(crate) fn created(&self) -> Moment {
        self.created
    }

    /// Returns the wall time at which the render finished, for `Last-Modified` and stores.
    pub(crate) fn created_wall(&self) -> SystemTime {
        self.created_wall
    }

    /// Returns the last invalidation that the render had seen when it began.
    pub(crate) fn started(&self) -> Mark {
        self.started
    }

    pub(crate) fn shared_tags(&self) -> Arc<[Tag]> {
        Arc::clone(&self.tags)
    }

    pub(crate) fn standing(&self, epochs: &Epochs) -> Standing {
        epochs.standing(&self.stamp, &self.tags)
    }

    /// Claims the refresh of this entry. Returns `None` if a refresh is under way or the entry
    /// rests, for example because the last refresh has just failed.
    pub(crate) fn claim_refresh(self: &Arc<Self>, now: Moment) -> Option<Claim<V>> {
        if self.rests(now) || self.refreshing.swap(true, Ordering::AcqRel) {
            return None;
        }
        let claim = Claim(Arc::clone(self));
        // The previous refresh may have failed between the two checks.
        (!self.rests(now)).then_some(claim)
    }

    /// Returns whether [`claim_refresh`](Self::claim_refresh) would return `None` now.
    pub(crate) fn is_claimed(&self, now: Moment) -> bool {
        self.rests(now) || self.refreshing.load(Ordering::Relaxed)
    }

    fn rests(&self, now: Moment) -> bool {
        now < Moment::from_bits(self.rested.load(Ordering::Relaxed))
    }

    /// Lets no refresh begin for a while, because one has just failed.
    pub(crate) fn rest_after_failure(&self, now: Moment) {
        let wait = self.lifetime.revalidate.map_or(LONGEST_REST, |after| {
            after.clamp(SHORTEST_REST, LONGEST_REST)
        });
        self.rest_for(now, wait);
    }

    /// Lets no refresh begin before `wait` has passed.
    pub(crate) fn rest_for(&self, now: Moment, wait: Duration) {
        self.rested
            .store(now.after(wait).to_bits(), Ordering::Relaxed);
    }
}

/// The shortest rest after a failed refresh, however short the lifetime of the entry. Requests that
/// are answered with the stale entry ask a failing upstream no more often than this.
const SHORTEST_REST: Duration = Duration::from_secs(3);

/// The longest rest after a failed refresh. Recovery is noticed after this time, however long the
/// lifetime of the entry.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// The right to refresh an entry, for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Claim<V: Value>(Arc<Entry<V>>);

impl<V: Value> Drop for Claim<V> {
    fn drop(&mut self) {
        self.0.refreshing.store(false, Ordering::Release);
    }
}

/// A result that is shared for a moment and not stored.
#[derive(Debug)]
pub(crate) struct Kept<V> {
    result: Result<Arc<V>, Failure>,
    /// The tags that the render depends on. `None` if they are unknown because it timed out or
    /// panicked.
    tags: Option<Arc<[Tag]>>,
    created: Moment,
    started: Epoch,
    weight: usize,
}

/// The time for which a result that is not stored is shared with the requests that follow.
pub(crate) const KEPT: Duration = Duration::from_secs(1);

impl<V: Value> Kept<V> {
    pub(crate) fn new(
        result: Result<V, Failure>,
        tags: Option<Arc<[Tag]>>,
        created: Moment,
        started: Epoch,
    ) -> Self {
        let value = result.as_ref().map_or(0, Value::weight);
        let names = |tags: &Arc<[Tag]>| tags.iter().map(|tag| tag.as_str().len()).sum();
        Self {
            weight: value
                + tags.as_ref().map_or(0, names)
                + size_of::<Self>()
                + size_of::<Held<V>>()
                + OVERHEAD,
            result: result.map(Arc::new),
            tags,
            created,
            started,
        }
    }

    pub(crate) fn result(&self) -> Result<Arc<V>, Failure> {
        self.result.clone()
    }

    pub(crate) fn started(&self) -> Epoch {
        self.started
    }

    /// Returns the age of the result, or `None` once it may no longer be shared.
    pub(crate) fn age(&self, now: Moment) -> Option<Duration> {
        let age = now.since(self.created);
        (age < KEPT).then_some(age)
    }

    /// Returns the standing that the invalidations since the render began leave to the result. A
    /// render whose tags are unknown is assumed to have used everything.
    pub(crate) fn standing(&self, epochs: &Epochs) -> Standing {
        match &self.tags {
            _ if epochs.published() == self.started => Standing::Valid,
            Some(tags) => epochs.since(self.started, tags),
            None => Standing::Absent,
        }
    }
}

/// The content of a place in memory. A clone shares it.
#[derive(Debug)]
pub(crate) enum Held<V> {
    Entry(Arc<Entry<V>>),
    Kept(Arc<Kept<V>>),
    /// The pass mark: every request renders for itself until this moment.
    Pass(Moment),
}

impl<V> Clone for Held<V> {
    fn clone(&self) -> Self {
        match self {
            Self::Entry(entry) => Self::Entry(Arc::clone(entry)),
            Self::Kept(kept) => Self::Kept(Arc::clone(kept)),
            Self::Pass(until) => Self::Pass(*until),
        }
    }
}

impl<V: Value> Weighted for Held<V> {
    fn weight(&self) -> usize {
        match self {
            Self::Entry(entry) => entry.weight,
            Self::Kept(kept) => kept.weight,
            Self::Pass(_) => size_of::<Self>() + OVERHEAD,
        }
    }

    fn reserve(&self) -> usize {
        match self {
            Self::Entry(entry) => entry.value.reserve(),
            Self::Kept(_) | Self::Pass(_) => 0,
        }
    }
}
