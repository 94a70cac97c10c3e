//! The record of invalidations: a file that grows by a line for each, until it is written anew.
//!
//! The first line names the record and this writing of it. Each further line begins with a checksum
//! of itself and of the checksum before, so whoever reads on notices if what it has read is no
//! longer there. The last line counts only with its end: one that is being written, or that a full
//! disk cut off, is not read, and the next writer removes it.
//!
//! Whoever writes holds a lock. Whoever reads needs none: lines are only added, and a new writing
//! is moved into place whole. So nobody who reads waits for a disk that is slow to write, in this
//! process either: what is known is changed only once it is written.

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::iter;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::known::{End, Known, State, both};
use super::line::{Line, chain, first, written};
use super::place::Place;
use crate::store::random::random;
use crate::store::{Epoch, Invalidation, Invalidations, Tag};

#[derive(Debug)]
pub(super) struct Record {
    /// Held while it is read on, and never while it is written: every read of an entry needs it.
    known: Mutex<Known>,
    /// Held by the one thread of this process that writes.
    pub(super) writer: Mutex<()>,
}

/// The right to write: the lock, and that of this process.
type Turn<'a> = (File, MutexGuard<'a, ()>);

impl Record {
    pub(super) fn new() -> Self {
        Self {
            known: Mutex::new(Known::nothing()),
            writer: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, place: &Place) -> io::Result<Turn<'_>> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((place.lock("record")?, writer))
    }

    /// Makes the record if there is none, and reads it.
    pub(super) fn open(&self, place: &Place) -> io::Result<()> {
        self.current(place)
    }

    /// Returns the name of the record, when all epochs up to `met` are of it.
    pub(super) fn meet(&self, place: &Place, met: Epoch) -> io::Result<String> {
        let unknown = |known: &Known| known.name.is_empty() || known.last < met;
        if unknown(&self.known()) {
            self.current(place)?;
        }
        if unknown(&self.known()) {
            self.raise(place, met)?;
        }
        Ok(self.known().name.clone())
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
        let _turn = self.turn(place)?;
        self.repair(place)?;
        let epoch = self.known().last.0 + 1;
        let tags = tags.iter().map(|tag| tag.as_str().to_owned()).collect();
        self.append(
            place,
            match how {
                Invalidation::Absent => Line::Absent { epoch, tags },
                Invalidation::Stale => Line::Stale { epoch, tags },
            },
        )?;
        self.shorten(place);
        Ok(Epoch(epoch))
    }

    pub(super) fn since(&self, place: &Place, after: Epoch) -> io::Result<Invalidations> {
        self.current(place)?;
        let lost = after > self.known().last && self.raise(place, after).is_err();
        let known = self.known();
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

    /// Reads what is new, and repairs the file if it is not the one that was read before.
    fn current(&self, place: &Place) -> io::Result<()> {
        if self.known().follow(place)?.is_whole() {
            return Ok(());
        }
        let _turn = self.turn(place)?;
        self.repair(place)
    }

    /// Does the same for whoever has the turn.
    fn repair(&self, place: &Place) -> io::Result<()> {
        let (state, seen, is_first) = {
            let mut known = self.known();
            let state = known.follow(place)?;
            let is_first = known.name.is_empty() && known.last == Epoch(0);
            (state, known.last, is_first)
        };
        if state.is_whole() {
            return Ok(());
        }
        let mut found = Known::nothing();
        let repaired = if state == State::Other && found.follow(place)?.is_whole() {
            // What was lost may have reached anything this instance has seen.
            let next = Epoch(seen.max(found.last).0 + 1);
            let line = floor(next, next);
            let added = append(place, &found.end, &line);
            added.map(|text| found.took(&text, line))
        } else {
            let next = Epoch(seen.max(found.last).0 + 1);
            found = Known::nothing();
            found.name = random();
            // Where none was read, its name in the entries tells that it is gone.
            if !is_first {
                found.last = next;
                found.ledger.raise_floor(both(next));
            }
            let all = found.ledger.since(Epoch(0), found.last);
            let end = rewrite(place, &found.name, &all);
            end.map(|end| found.moved(end))
        };
        let mut known = self.known();
        match repaired {
            Ok(()) => *known = found,
            // It is still to be done.
            Err(_) => known.lost |= state == State::Other,
        }
        repaired
    }

    /// Records that everything below `epoch` counts as invalidated, unless it turns out known.
    fn raise(&self, place: &Place, epoch: Epoch) -> io::Result<()> {
        let _turn = self.turn(place)?;
        self.repair(place)?;
        let last = self.known().last;
        if last < epoch {
            self.append(place, floor(epoch, epoch))?;
        }
        Ok(())
    }

    /// Adds a line. The caller has the turn and has read all.
    fn append(&self, place: &Place, line: Line) -> io::Result<()> {
        let end = self.known().end.clone();
        let text = append(place, &end, &line)?;
        let mut known = self.known();
        // Unless another thread has read it already.
        if known.end == end {
            known.took(&text, line);
        }
        Ok(())
    }

    /// Writes the file anew when it has grown far beyond what it says.
    fn shorten(&self, place: &Place) {
        let (end, name, all) = {
            let known = self.known();
            if !known.is_long() {
                return;
            }
            let all = known.ledger.since(Epoch(0), known.last);
            (known.end.clone(), known.name.clone(), all)
        };
        let moved = rewrite(place, &name, &all);
        let mut known = self.known();
        match moved {
            Ok(moved) if known.end == end => known.moved(moved),
            // Another thread has read it already.
            Ok(_) => {}
            Err(_) => known.stays_long(),
        }
    }
}

fn floor(until: Epoch, below: Epoch) -> Line {
    Line::Floor {
        until: until.0,
        absent: below.0,
        stale: below.0,
    }
}

/// Adds a line where the file ends, on the disk when this returns, and returns its text.
fn append(place: &Place, end: &End, line: &Line) -> io::Result<Vec<u8>> {
    let text = written(line, &end.chain);
    let mut file = File::options().write(true).open(place.record())?;
    // What somebody began and could not end.
    file.set_len(end.read)?;
    file.seek(SeekFrom::Start(end.read))?;
    if let Err(error) = file.write_all(&text) {
        // Failing that, it has no end, and is not read.
        file.set_len(end.read).ok();
        return Err(error);
    }
    // If it fails, the line stays: others may have read it already.
    file.sync_data()?;
    Ok(text)
}

/// Puts a file in place that says this and no more, and returns where it ends.
fn rewrite(place: &Place, name: &str, all: &Invalidations) -> io::Result<End> {
    let writing = random();
    let mut text = first(name, &writing).into_bytes();
    let floor = Line::Floor {
        until: all.until.0,
        absent: all.floor.absent.0,
        stale: all.floor.stale.0,
    };
    let tags = all.tags.iter().map(|(tag, risen)| Line::Tag {
        tag: tag.as_str().to_owned(),
        absent: risen.absent.0,
        stale: risen.stale.0,
    });
    let mut last = writing.clone();
    for line in iter::once(floor).chain(tags) {
        let line = written(&line, &last);
        last = chain(&line);
        text.extend(line);
    }
    let draft = place.draft(&text)?;
    draft.sync()?;
    draft.publish(&place.record())?;
    // Without it, the lines to come could be added to a file that a power cut takes back. Not
    // every system can.
    File::open(place.root()).and_then(|it| it.sync_all()).ok();
    Ok(End {
        writing,
        read: text.len() as u64,
        chain: last,
    })
}
