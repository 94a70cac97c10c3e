//! The record of invalidations: a file that grows by a line for each, until it is written anew.
//!
//! The first line names the record and this writing of it. Each further line begins with a checksum
//! of itself and of the checksum before, so whoever reads on notices if what it has read is no
//! longer there. The last line counts only with its end: one that is being written, or that a full
//! disk cut off, is not read, and the next writer removes it.
//!
//! Whoever writes holds a lock. Whoever reads needs none: lines are only added, and a new writing
//! is moved into place whole.

use std::{
    fs, io,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use super::{
    known::{Known, State, both},
    line::Line,
    place::Place,
};
use crate::store::{Epoch, Invalidation, Invalidations, Tag};

#[derive(Debug)]
pub(super) struct Record {
    known: Mutex<Known>,
}

impl Record {
    pub(super) fn new() -> Self {
        Self {
            known: Mutex::new(Known::nothing()),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the record if there is none, and reads it.
    pub(super) fn open(&self, place: &Place) -> io::Result<()> {
        self.known().current(place)
    }

    /// Returns the name of the record, when all epochs up to `met` are of it.
    pub(super) fn meet(&self, place: &Place, met: Epoch) -> io::Result<String> {
        let mut known = self.known();
        if known.name.is_empty() || known.last < met {
            known.current(place)?;
        }
        if known.last < met {
            known.raise(place, met)?;
        }
        Ok(known.name.clone())
    }

    /// Returns whether an epoch is of this record: what was rendered under another one may have
    /// been invalidated there.
    pub(super) fn includes(&self, place: &Place, name: &str, epoch: Epoch) -> bool {
        let mut known = self.known();
        let included = |known: &Known| known.name == name && known.last >= epoch;
        // Another process may have gone ahead. What cannot be read includes nothing.
        included(&known) || (known.follow(place).is_ok_and(State::is_whole) && included(&known))
    }

    pub(super) fn invalidate(
        &self,
        place: &Place,
        tags: &[Tag],
        how: Invalidation,
    ) -> io::Result<Epoch> {
        let mut known = self.known();
        let _lock = place.lock("record")?;
        known.repair(place)?;
        let epoch = known.last.0 + 1;
        let tags = tags.iter().map(|tag| tag.as_str().to_owned()).collect();
        known.append(
            place,
            match how {
                Invalidation::Absent => Line::Absent { epoch, tags },
                Invalidation::Stale => Line::Stale { epoch, tags },
            },
        )?;
        known.shorten(place);
        Ok(Epoch(epoch))
    }

    pub(super) fn since(&self, place: &Place, after: Epoch) -> io::Result<Invalidations> {
        let mut known = self.known();
        known.current(place)?;
        let lost = after > known.last && known.raise(place, after).is_err();
        let mut news = known.ledger.since(after, known.last.max(after));
        if lost {
            // Where it cannot be written down, what was lost still counts as invalidated.
            news.floor.merge(both(after));
        }
        Ok(news)
    }

    /// Returns something that differs once the record has changed.
    pub(super) fn stamp(place: &Place) -> Option<(u64, SystemTime)> {
        let metadata = fs::metadata(place.record()).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    }
}
