//! Invalidation: finds the content that is older than the last invalidation of one of its tags.
//!
//! A counter rises with each invalidation and is remembered per tag. The tag's epoch is written
//! first, then the counter is published (Release). A render takes the published counter as its
//! stamp when it begins (Acquire). So a stamp never covers an invalidation whose cause the render
//! may not have seen. If a tag is above the stamp of some content, the content is too old.
//!
//! While nothing is invalidated, judging an entry compares two integers. After an invalidation, the
//! tags of each entry are looked up once more, and its stamp is raised to the counter that was
//! published before that look-up.

use super::sync::{
    AtomicBool, AtomicU64, Ordering, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use crate::store::{Epoch, Invalidation, Invalidations, Ledger, Mark, Recorded, Standing, Tag};

/// The number of tags that are remembered by name. Beyond it, the oldest tags raise the floor.
pub(crate) const TAGS: usize = 65_536;

/// The published counter, and the record of tags behind it.
#[derive(Debug)]
pub(crate) struct Epochs {
    /// The epoch of [`TagRecord::last`], which is read without the lock.
    published: AtomicU64,
    record: RwLock<TagRecord>,
}

#[derive(Debug)]
struct TagRecord {
    ledger: Ledger,
    last: Mark,
}

impl Epochs {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            published: AtomicU64::new(0),
            record: RwLock::new(TagRecord {
                ledger: Ledger::new(capacity),
                last: Mark::START,
            }),
        }
    }

    /// Returns the last invalidation that is reflected by everything read from now on.
    pub(crate) fn published(&self) -> Epoch {
        Epoch(self.published.load(Ordering::Acquire))
    }

    /// Returns the mark of [`published`](Self::published).
    pub(crate) fn mark(&self) -> Mark {
        self.read().last
    }

    /// Invalidates all content with one of `tags` whose render has begun by now. No store numbers
    /// this invalidation, so its mark means nothing to any.
    pub(crate) fn invalidate(&self, tags: &[Tag], how: Invalidation) -> Epoch {
        let mut record = self.write();
        let epoch = Epoch(record.last.epoch.0 + 1);
        for tag in tags {
            record.ledger.raise(tag, how, epoch);
        }
        self.publish(&mut record, Mark { epoch, word: 0 });
        epoch
    }

    /// Takes over one invalidation that a store has recorded. Returns whether it is in force now. It
    /// is not in force if others that the store recorded before it are still unknown here.
    pub(crate) fn follow(&self, recorded: Recorded, tags: &[Tag], how: Invalidation) -> bool {
        let mut record = self.write();
        let Recorded { before, mark } = recorded;
        if before != record.last || mark.epoch.0 != before.epoch.0 + 1 {
            return false;
        }
        for tag in tags {
            record.ledger.raise(tag, how, mark.epoch);
        }
        self.publish(&mut record, mark);
        true
    }

    /// Takes over the record of a store. The record must include everything above the mark that is
    /// [published](Self::mark), so that nothing is published that was not seen. Returns `false`, and
    /// takes over nothing, if the store does not know what is published.
    pub(crate) fn adopt(&self, news: &Invalidations) -> bool {
        let mut record = self.write();
        let is_behind = news.until.epoch < record.last.epoch;
        if is_behind || news.until.epoch == record.last.epoch && news.until != record.last {
            return false;
        }
        record.ledger.raise_floor(news.floor);
        for (tag, risen) in &news.tags {
            record.ledger.merge(tag, *risen);
        }
        self.publish(&mut record, news.until);
        true
    }

    /// Judges content with these tags, and raises its stamp if that saves the next look-up.
    pub(crate) fn standing(&self, stamp: &Stamp, tags: &[Tag]) -> Standing {
        let published = self.published();
        if stamp.covers(published) {
            return stamp.marked();
        }
        // The look-up reflects what was published before it. It may miss what is published during
        // it, so the stamp must not cover that.
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

    /// Publishes a mark. This is the last step, still under the lock, so that numbers are published
    /// in order.
    fn publish(&self, record: &mut TagRecord, mark: Mark) {
        record.last = mark;
        self.published.store(mark.epoch.0, Ordering::Release);
    }

    fn read(&self) -> RwLockReadGuard<'_, TagRecord> {
        self.record.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, TagRecord> {
        self.record.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last invalidation that an entry is known to have survived. It begins as the epoch at which
/// the render of the entry began.
#[derive(Debug)]
pub(crate) struct Stamp {
    epoch: AtomicU64,
    /// The entry has survived only as stale.
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

    /// Raises the stamp. The mark of staleness is written first: a thread that sees the raised
    /// epoch must see the mark too (Release here, Acquire in `epoch`).
    fn raise(&self, survived: Epoch, standing: Standing) {
        if standing == Standing::Stale {
            self.stale.store(true, Ordering::Relaxed);
        }
        self.epoch.fetch_max(survived.0, Ordering::Release);
    }
}
