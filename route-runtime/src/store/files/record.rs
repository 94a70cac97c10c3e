//! The record of invalidations: a file that grows by a line for each invalidation, until it is
//! written anew.
//!
//! The first line names the record and this writing of it. Each further line begins with a checksum
//! of itself and of the checksum before. So a reader that reads on notices if the lines it has read
//! are no longer there. The last line counts only with its line end: a line that is being written,
//! or that a full disk cut off, is not read, and the next writer removes it.
//!
//! A writer holds a lock. A reader needs none, because lines are only added, and a new writing is
//! moved into place whole. So no reader waits for a disk that is slow to write. That holds within
//! this process, too: what is known is changed only once it is written.

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::iter;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::known::{Known, KnownState, RecordEnd, both};
use super::line::{RecordLine, chain, first, written};
use super::place::StoreDirectory;
use crate::store::random::random;
use crate::store::{Epoch, Invalidation, Invalidations, Tag};

#[derive(Debug)]
pub(super) struct Record {
    /// Locked while the file is read on, and never while it is written: every read of an entry
    /// needs this lock.
    known: Mutex<Known>,
    /// Locked by the one thread of this process that writes.
    pub(super) writer: Mutex<()>,
}

/// The turn to write: the lock of the file, and that of this process.
type RecordTurn<'a> = (File, MutexGuard<'a, ()>);

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

    fn turn(&self, place: &StoreDirectory) -> io::Result<RecordTurn<'_>> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((place.lock("record")?, writer))
    }

    /// Makes the record if there is none, and reads it.
    pub(super) fn open(&self, place: &StoreDirectory) -> io::Result<()> {
        self.current(place)
    }

    /// Makes sure that all epochs up to `met` belong to the record, and returns the record's name.
    pub(super) fn meet(&self, place: &StoreDirectory, met: Epoch) -> io::Result<String> {
        let unknown = |known: &Known| known.name.is_empty() || known.last < met;
        if unknown(&self.known()) {
            self.current(place)?;
        }
        if unknown(&self.known()) {
            self.raise(place, met)?;
        }
        Ok(self.known().name.clone())
    }

    /// Returns whether an epoch belongs to this record. Content that was rendered under another
    /// record may have been invalidated there.
    pub(super) fn includes(&self, place: &StoreDirectory, name: &str, epoch: Epoch) -> bool {
        let mut known = self.known();
        let included = |known: &Known| known.name == name && known.last >= epoch;
        // Another process may have recorded more. A record that cannot be read includes nothing.
        included(&known)
            || (known.follow(place).is_ok_and(KnownState::is_whole) && included(&known))
    }

    pub(super) fn invalidate(
        &self,
        place: &StoreDirectory,
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
                Invalidation::Absent => RecordLine::Absent { epoch, tags },
                Invalidation::Stale => RecordLine::Stale { epoch, tags },
            },
        )?;
        self.shorten(place);
        Ok(Epoch(epoch))
    }

    pub(super) fn since(&self, place: &StoreDirectory, after: Epoch) -> io::Result<Invalidations> {
        self.current(place)?;
        let lost = after > self.known().last && self.raise(place, after).is_err();
        let known = self.known();
        let mut news = known.ledger.since(after, known.last.max(after));
        if lost {
            // The loss cannot be recorded, but all older content still counts as invalidated.
            news.floor.merge(both(after));
        }
        Ok(news)
    }

    /// Returns a stamp of the record's file, which differs once the record has changed.
    pub(super) fn stamp(place: &StoreDirectory) -> Option<(u64, SystemTime)> {
        let metadata = fs::metadata(place.record()).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    }

    /// Reads new lines, and repairs the file if it is not the one that was read before.
    fn current(&self, place: &StoreDirectory) -> io::Result<()> {
        if self.known().follow(place)?.is_whole() {
            return Ok(());
        }
        let _turn = self.turn(place)?;
        self.repair(place)
    }

    /// Reads new lines and repairs the file, for a caller that has the turn to write.
    fn repair(&self, place: &StoreDirectory) -> io::Result<()> {
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
        let repaired = if state == KnownState::Other && found.follow(place)?.is_whole() {
            // The lost invalidations may have reached anything that this instance has seen.
            let next = Epoch(seen.max(found.last).0 + 1);
            let line = floor(next, next);
            let added = append(place, &found.end, &line);
            added.map(|text| found.took(&text, line))
        } else {
            let next = Epoch(seen.max(found.last).0 + 1);
            found = Known::nothing();
            found.name = random();
            // An instance that has read no record needs no floor: the old name in the entries tells
            // that the old record is gone.
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
            // The repair is still to be done.
            Err(_) => known.lost |= state == KnownState::Other,
        }
        repaired
    }

    /// Records that everything below `epoch` counts as invalidated, unless the record turns out to
    /// know that epoch.
    fn raise(&self, place: &StoreDirectory, epoch: Epoch) -> io::Result<()> {
        let _turn = self.turn(place)?;
        self.repair(place)?;
        let last = self.known().last;
        if last < epoch {
            self.append(place, floor(epoch, epoch))?;
        }
        Ok(())
    }

    /// Adds a line. The caller has the turn to write, and has read all lines.
    fn append(&self, place: &StoreDirectory, line: RecordLine) -> io::Result<()> {
        let end = self.known().end.clone();
        let text = append(place, &end, &line)?;
        let mut known = self.known();
        // Another thread may have read the line already.
        if known.end == end {
            known.took(&text, line);
        }
        Ok(())
    }

    /// Writes the file anew if it has grown far beyond what it has to say.
    fn shorten(&self, place: &StoreDirectory) {
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
            // Another thread has read the new writing already.
            Ok(_) => {}
            Err(_) => known.stays_long(),
        }
    }
}

fn floor(until: Epoch, below: Epoch) -> RecordLine {
    RecordLine::Floor {
        until: until.0,
        absent: below.0,
        stale: below.0,
    }
}

/// Adds a line where the file ends, and returns its text. When this returns, the line is on the
/// disk.
fn append(place: &StoreDirectory, end: &RecordEnd, line: &RecordLine) -> io::Result<Vec<u8>> {
    let text = written(line, &end.chain);
    let mut file = File::options().write(true).open(place.record())?;
    // Cuts off a line that a writer began and could not finish.
    file.set_len(end.read)?;
    file.seek(SeekFrom::Start(end.read))?;
    if let Err(error) = file.write_all(&text) {
        // If this fails as well, the line has no end, and is not read.
        file.set_len(end.read).ok();
        return Err(error);
    }
    // If this fails, the line stays: others may have read it already.
    file.sync_data()?;
    Ok(text)
}

/// Replaces the file by one that says just this, and returns its end.
fn rewrite(place: &StoreDirectory, name: &str, all: &Invalidations) -> io::Result<RecordEnd> {
    let writing = random();
    let mut text = first(name, &writing).into_bytes();
    let floor = RecordLine::Floor {
        until: all.until.0,
        absent: all.floor.absent.0,
        stale: all.floor.stale.0,
    };
    let tags = all.tags.iter().map(|(tag, risen)| RecordLine::Tag {
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
    // Without this, the lines to come could be added to a file that a power cut takes back. Not
    // every system can sync a directory.
    File::open(place.root()).and_then(|it| it.sync_all()).ok();
    Ok(RecordEnd {
        writing,
        read: text.len() as u64,
        chain: last,
    })
}
