//! What is kept under a key.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::clock::Moment;
use super::epoch::{Epochs, Stamp};
use super::failure::Failure;
use super::freshness::Lifetime;
use crate::store::{Epoch, Slot, Standing, Tag, Weighted};

/// Something a cache can keep and give to many.
pub(crate) trait Value: Send + Sync + Sized + 'static {
    /// What a render makes instead when its content is for one request only. It never enters an
    /// entry, a flight or a store.
    type Individual: Send + 'static;

    /// Returns how many bytes it occupies.
    fn weight(&self) -> usize;

    /// Encodes it for a store behind memory. `None` if it lives in memory only.
    fn encode(&self) -> Option<Arc<[u8]>> {
        None
    }

    /// Decodes what [`encode`](Value::encode) made. `None` for anything else, whatever the bytes.
    fn decode(_bytes: &[u8]) -> Option<Self> {
        None
    }
}

/// Where a route without parameters keeps its response.
pub(crate) type CacheSlot<V> = Slot<Held<V>>;

/// What the allocator, the map and the counts of its shared parts need for an entry, beyond its
/// content. A little more than is measured: the bound on memory is a promise, its use is not.
const OVERHEAD: usize = 192;

/// A stored value, with all that decides how long it may be used.
#[derive(Debug)]
pub(crate) struct Entry<V> {
    value: V,
    tags: Arc<[Tag]>,
    lifetime: Lifetime,
    /// When its render finished.
    created: Moment,
    created_wall: SystemTime,
    /// The epoch at which its render began.
    started: Epoch,
    stamp: Stamp,
    weight: usize,
    refreshing: AtomicBool,
    /// No refresh begins before this moment.
    rested: AtomicU64,
}

/// When and of what an [`Entry`] was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub(crate) created: Moment,
    pub(crate) created_wall: SystemTime,
    pub(crate) started: Epoch,
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
            stamp: Stamp::new(made.started),
            refreshing: AtomicBool::new(false),
            rested: AtomicU64::new(Moment::MIN.to_bits()),
        }
    }

    pub(crate) fn value(&self) -> &V {
        &self.value
    }

    /// All it depends on: what its call declared and what its render used.
    pub(crate) fn tags(&self) -> &[Tag] {
        &self.tags
    }

    pub(crate) fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    pub(crate) fn created(&self) -> Moment {
        self.created
    }

    /// Returns when its render finished, by the wall clock: for `Last-Modified` and stores.
    pub(crate) fn created_wall(&self) -> SystemTime {
        self.created_wall
    }

    pub(crate) fn started(&self) -> Epoch {
        self.started
    }

    pub(crate) fn shared_tags(&self) -> Arc<[Tag]> {
        Arc::clone(&self.tags)
    }

    pub(crate) fn standing(&self, epochs: &Epochs) -> Standing {
        epochs.standing(&self.stamp, &self.tags)
    }

    /// Claims the refresh of this entry, unless one is under way or the last one failed lately.
    pub(crate) fn claim(self: &Arc<Self>, now: Moment) -> Option<Claim<V>> {
        if self.rests(now) || self.refreshing.swap(true, Ordering::AcqRel) {
            return None;
        }
        let claim = Claim(Arc::clone(self));
        // The refresh before this one may have failed between the two looks.
        (!self.rests(now)).then_some(claim)
    }

    /// Whether [`claim`](Self::claim) would fail now.
    pub(crate) fn is_claimed(&self, now: Moment) -> bool {
        self.rests(now) || self.refreshing.load(Ordering::Relaxed)
    }

    fn rests(&self, now: Moment) -> bool {
        now < Moment::from_bits(self.rested.load(Ordering::Relaxed))
    }

    /// Lets no refresh begin for a while: one has just failed.
    pub(crate) fn rest(&self, now: Moment) {
        let wait = self.lifetime.revalidate.map_or(LONGEST_REST, |after| {
            after.clamp(SHORTEST_REST, LONGEST_REST)
        });
        self.rest_for(now, wait);
    }

    /// Lets no refresh begin for this long.
    pub(crate) fn rest_for(&self, now: Moment, wait: Duration) {
        self.rested
            .store(now.after(wait).to_bits(), Ordering::Relaxed);
    }
}

/// However short its lifetime, a failing upstream is not asked more often than this.
const SHORTEST_REST: Duration = Duration::from_secs(3);

/// However long its lifetime, recovery is noticed after this.
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
    /// `None` if it is not known what the render used: it was cut off.
    tags: Option<Arc<[Tag]>>,
    created: Moment,
    started: Epoch,
    weight: usize,
}

/// How long those that follow a render share a result that is not stored.
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

    /// Returns its age, while it may still be shared.
    pub(crate) fn age(&self, now: Moment) -> Option<Duration> {
        let age = now.since(self.created);
        (age < KEPT).then_some(age)
    }

    /// What the invalidations since its render began leave of it. If what it used is unknown, it
    /// is assumed to have used everything.
    pub(crate) fn standing(&self, epochs: &Epochs) -> Standing {
        match &self.tags {
            _ if epochs.published() == self.started => Standing::Valid,
            Some(tags) => epochs.since(self.started, tags),
            None => Standing::Absent,
        }
    }
}

/// What a place in memory holds. A clone shares the content.
#[derive(Debug)]
pub(crate) enum Held<V> {
    Entry(Arc<Entry<V>>),
    Kept(Arc<Kept<V>>),
    /// Until then, everyone renders for themselves.
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

impl<V> Weighted for Held<V> {
    fn weight(&self) -> usize {
        match self {
            Self::Entry(entry) => entry.weight,
            Self::Kept(kept) => kept.weight,
            Self::Pass(_) => size_of::<Self>() + OVERHEAD,
        }
    }
}
