//! Invalidation: which content is older than the last time one of its tags rose.
//!
//! A counter rises with each invalidation and is remembered per tag: the tag's epoch is written
//! first, then the counter is published (Release). A render stamps the published counter when it
//! begins (Acquire). So a stamp never covers an invalidation whose cause the render may not have
//! seen, and whoever finds a tag above a stamp knows that the content is too old.
//!
//! While nothing was invalidated, judging an entry is one comparison of two integers. After an
//! invalidation each entry is looked up once more, and its stamp is raised to what was published
//! before the look.

use super::sync::{
    AtomicBool, AtomicU64, Ordering, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use crate::store::{Epoch, Invalidation, Invalidations, Ledger, Standing, Tag};

/// How many tags are remembered by name. Beyond, the oldest raise the floor.
pub(crate) const TAGS: usize = 65_536;

/// The published counter, and the tags behind it.
#[derive(Debug)]
pub(crate) struct Epochs {
    /// A copy of [`Record::last`] that is read without the lock.
    published: AtomicU64,
    record: RwLock<Record>,
}

#[derive(Debug)]
struct Record {
    ledger: Ledger,
    last: Epoch,
}

impl Epochs {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            published: AtomicU64::new(0),
            record: RwLock::new(Record {
                ledger: Ledger::new(capacity),
                last: Epoch(0),
            }),
        }
    }

    /// Returns the last invalidation that everything read from now on reflects.
    pub(crate) fn published(&self) -> Epoch {
        Epoch(self.published.load(Ordering::Acquire))
    }

    /// Invalidates all content with one of `tags` whose render has begun by now.
    pub(crate) fn invalidate(&self, tags: &[Tag], how: Invalidation) -> Epoch {
        let mut record = self.write();
        let epoch = Epoch(record.last.0 + 1);
        for tag in tags {
            record.ledger.raise(tag, how, epoch);
        }
        self.publish(&mut record, epoch);
        epoch
    }

    /// Takes over one invalidation that a store has numbered. Returns whether it is in force now:
    /// it is not if others below its number are still unknown here.
    pub(crate) fn follow(&self, epoch: Epoch, tags: &[Tag], how: Invalidation) -> bool {
        let mut record = self.write();
        let next = Epoch(record.last.0 + 1);
        if epoch == next {
            for tag in tags {
                record.ledger.raise(tag, how, epoch);
            }
            self.publish(&mut record, epoch);
        }
        epoch <= next
    }

    /// Takes over what a store has recorded. Must include everything above
    /// [`published`](Self::published), so that no number is published that was not seen.
    pub(crate) fn adopt(&self, news: &Invalidations) {
        let mut record = self.write();
        record.ledger.raise_floor(news.floor);
        for (tag, risen) in &news.tags {
            record.ledger.merge(tag, *risen);
        }
        let last = record.last.max(news.until);
        self.publish(&mut record, last);
    }

    /// Judges content with these tags, and raises its stamp if that saves the next look.
    pub(crate) fn standing(&self, stamp: &Stamp, tags: &[Tag]) -> Standing {
        let published = self.published();
        if stamp.covers(published) {
            return stamp.marked();
        }
        // What was published before the look is reflected by it; what is published during the
        // look may not be, so the stamp must not cover it.
        let standing = self.since(stamp.epoch(), tags);
        if standing != Standing::Absent {
            stamp.raise(published, standing);
            return standing.min(stamp.marked());
        }
        standing
    }

    /// Judges content with these tags whose render began at `started`.
    pub(crate) fn since(&self, started: Epoch, tags: &[Tag]) -> Standing {
        self.read().ledger.standing(started, tags)
    }

    /// Last of all, and still under the lock: numbers are published in order.
    fn publish(&self, record: &mut Record, epoch: Epoch) {
        record.last = epoch;
        self.published.store(epoch.0, Ordering::Release);
    }

    fn read(&self) -> RwLockReadGuard<'_, Record> {
        self.record.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Record> {
        self.record.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last invalidation an entry is known to have survived. Begins as the epoch at which its
/// render began.
#[derive(Debug)]
pub(crate) struct Stamp {
    epoch: AtomicU64,
    /// Whether it survived only as stale.
    stale: AtomicBool,
}

impl Stamp {
    pub(crate) fn new(started: Epoch) -> Self {
        Self {
            epoch: AtomicU64::new(started.0),
            stale: AtomicBool::new(false),
        }
    }

    fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::Acquire))
    }

    fn covers(&self, published: Epoch) -> bool {
        self.epoch() >= published
    }

    fn marked(&self) -> Standing {
        if self.stale.load(Ordering::Relaxed) {
            Standing::Stale
        } else {
            Standing::Valid
        }
    }

    /// The mark first: whoever sees the raised epoch must see it (Release, Acquire in `epoch`).
    fn raise(&self, survived: Epoch, standing: Standing) {
        if standing == Standing::Stale {
            self.stale.store(true, Ordering::Relaxed);
        }
        self.epoch.fetch_max(survived.0, Ordering::Release);
    }
}
