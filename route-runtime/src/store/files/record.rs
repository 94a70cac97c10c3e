//! The record of invalidations: a file that grows by a line for each invalidation, until it is
//! written anew.
//!
//! The first line names the record and this writing of it. Each further line begins with a checksum
//! of itself and of the checksum before, and has the word of its number. So a reader that reads on
//! notices if the lines it has read are no longer there. The last line counts only with its line
//! end: a line that is being written, or that a full disk cut off, is not read, and the next writer
//! removes it.
//!
//! A writer holds a lock. A reader needs none, because lines are only added, and a new writing is
//! moved into place whole. So no reader waits for a disk that is slow to write. That holds within
//! this process, too: what is known is changed only once it is written.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::known::{Known, KnownState, RecordEnd};
use super::line::{RecordLine, first, written};
use super::mark::{self, MarkFile};
use super::place::StoreDirectory;
use super::reserve;
use crate::store::history::MarkIs;
use crate::store::random::{random, word};
use crate::store::{Epoch, Invalidation, Invalidations, Mark, Recorded, Risen, Tag};

/// The number of times that the record is settled for an answer.
const ATTEMPTS: usize = 3;

#[derive(Debug)]
pub(super) struct Record {
    /// Locked while the file is read on, and never while it is written: every read of an entry
    /// needs this lock.
    known: Mutex<Known>,
    /// Locked by the one thread of this process that writes.
    pub(super) writer: Mutex<()>,
    /// The name of the record when callers were last told of it. Callers have nothing of another
    /// record in force. Locked after `known`, by those who lock both.
    told: Mutex<String>,
    /// Set if nobody can write the directory. Then this process takes over lines for itself alone.
    is_source: AtomicBool,
    /// Set if the reserve was given up to add a line, until it is refilled.
    gave_up: AtomicBool,
}

/// The turn to write: the lock of the file, and that of this process. There is no file to be locked
/// if nobody can write.
type RecordTurn<'a> = (Option<File>, MutexGuard<'a, ()>);

impl Record {
    pub(super) fn new() -> Self {
        Self {
            known: Mutex::new(Known::nothing()),
            writer: Mutex::default(),
            told: Mutex::default(),
            is_source: AtomicBool::new(false),
            gave_up: AtomicBool::new(false),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) -> MutexGuard<'_, String> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether nobody can write the directory.
    pub(super) fn is_source(&self) -> bool {
        self.is_source.load(Ordering::Relaxed)
    }

    /// Returns whether the reserve was given up since the last call.
    pub(super) fn has_given_up(&self) -> bool {
        self.gave_up.swap(false, Ordering::Relaxed)
    }

    fn turn(&self, place: &StoreDirectory) -> io::Result<RecordTurn<'_>> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match self.is_source() {
            true => None,
            false => Some(place.lock("record")?),
        };
        Ok((file, writer))
    }

    /// Makes the record if there is none, and reads it.
    pub(super) fn open(&self, place: &StoreDirectory) -> io::Result<()> {
        match place.lock("record") {
            Err(error) if is_unwritable(&error) => self.is_source.store(true, Ordering::Relaxed),
            // If this fails, what follows fails, too, unless it needs no lock.
            locked => drop(locked),
        }
        self.settle(place, &[])
    }

    /// Returns whether a caller that has the record in force up to `seen` may be given an entry of
    /// the record with this name, whose render began at `started`.
    pub(super) fn leads_to(
        &self,
        place: &StoreDirectory,
        seen: Mark,
        name: &str,
        started: Mark,
    ) -> bool {
        let leads = |known: &Known| {
            known.name == name
                && known.history.judge(seen) == MarkIs::Known
                && known.history.judge(started) != MarkIs::Unknown
        };
        let mut known = self.known();
        if known.unsettled.is_empty() && leads(&known) {
            return self.is_told(name);
        }
        // Another process may have added lines. A record that cannot be read leads to nothing.
        let is_whole = matches!(known.follow(place), Ok(KnownState::Whole));
        is_whole && known.unsettled.is_empty() && leads(&known) && self.is_told(name)
    }

    /// Returns the record's name, if an entry may be written whose render began at `started`.
    pub(super) fn takes(
        &self,
        place: &StoreDirectory,
        started: Mark,
    ) -> io::Result<Option<String>> {
        if self.known().name.is_empty() {
            self.settle(place, &[])?;
        }
        let mut known = self.known();
        let is_taken = known.follow(place)? == KnownState::Whole
            && known.unsettled.is_empty()
            && known.history.judge(started) == MarkIs::Known
            && started.epoch >= known.ledger.floor().absent
            && self.is_told(&known.name);
        Ok(is_taken.then(|| known.name.clone()))
    }

    fn is_told(&self, name: &str) -> bool {
        let told = self.told();
        told.is_empty() || *told == name
    }

    pub(super) fn invalidate(
        &self,
        place: &StoreDirectory,
        tags: &[Tag],
        how: Invalidation,
        seen: Mark,
    ) -> io::Result<Recorded> {
        let _turn = self.turn(place)?;
        self.repair(place, &[seen])?;
        let (before, mark) = {
            let known = self.known();
            (known.last(), known.history.next(word()))
        };
        let tags = tags.iter().map(|tag| tag.as_str().to_owned()).collect();
        let (epoch, word) = (mark.epoch.0, mark.word);
        let line = match how {
            Invalidation::Absent => RecordLine::Absent { epoch, word, tags },
            Invalidation::Stale => RecordLine::Stale { epoch, word, tags },
        };
        self.add(place, line, mark)?;
        self.shorten(place);
        let known = self.known();
        self.told().clone_from(&known.name);
        Ok(Recorded { before, mark })
    }

    pub(super) fn since(
        &self,
        place: &StoreDirectory,
        seen: Mark,
        own: Option<Mark>,
    ) -> io::Result<Invalidations> {
        let named: Vec<Mark> = [seen].into_iter().chain(own).collect();
        for _ in 0..ATTEMPTS {
            self.settle(place, &named)?;
            let known = self.known();
            // Another thread may have read on since, in a file that was replaced.
            let is_settled =
                known.unsettled.is_empty() && known.history.lost(named.iter().copied()).is_empty();
            if is_settled {
                let mut news = known.ledger.since(seen.epoch, known.last());
                let floor = known.history.floor_for(named);
                news.floor.merge(Risen::both(floor));
                self.told().clone_from(&known.name);
                return Ok(news);
            }
        }
        Err(io::Error::other("the record is being replaced"))
    }

    /// Returns a stamp of the record's file, which differs once the record has changed.
    pub(super) fn stamp(place: &StoreDirectory) -> Option<(u64, SystemTime)> {
        let metadata = fs::metadata(place.record()).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    }

    /// Reads new lines. If the record does not know the mark of a caller, or one that this process
    /// or an earlier one has read, its floors rise.
    fn settle(&self, place: &StoreDirectory, named: &[Mark]) -> io::Result<()> {
        // Read before the record, which is written first.
        let mark = MarkFile::read(place)?.last();
        {
            let mut known = self.known();
            let is_whole = known.follow(place)? == KnownState::Whole;
            let marks = named.iter().chain(&mark).chain(&known.unsettled).copied();
            if is_whole
                && (mark.is_some() || self.is_source())
                && known.history.lost(marks).is_empty()
            {
                known.unsettled.clear();
                return Ok(());
            }
        }
        let _turn = self.turn(place)?;
        self.repair(place, named)
    }

    /// Does the work of [`settle`](Self::settle) for a caller that has the turn to write. If there
    /// is no record, or it is damaged, makes it anew.
    fn repair(&self, place: &StoreDirectory, named: &[Mark]) -> io::Result<()> {
        let mark = MarkFile::read(place)?;
        let is_whole = self.known().follow(place)? == KnownState::Whole;
        // The lost invalidations may have reached anything.
        let is_mark_lost = is_whole && mark.last().is_none() && !self.is_source();
        let is_made = is_whole || self.is_source() && self.known().is_ahead;
        if !is_made {
            self.make_anew(place, mark)?;
        }
        let unsettled = self.known().unsettled.clone();
        let line = {
            let known = self.known();
            let marks = named.iter().chain(&unsettled).copied();
            let lost = known.history.lost(marks.chain(mark.last()));
            (is_mark_lost || !lost.is_empty()).then(|| {
                let floor = known.history.above(&lost, word());
                let answered = lost.iter().map(|mark| (mark.epoch.0, mark.word));
                let line = RecordLine::Floor {
                    epoch: floor.epoch.0,
                    word: floor.word,
                    absent: floor.epoch.0,
                    stale: floor.epoch.0,
                    answered: answered.collect(),
                };
                (line, floor)
            })
        };
        if let Some((line, floor)) = line {
            if is_mark_lost {
                // If this cannot be done, the loss could not be answered, and floors would rise again.
                mark::clear(place)?;
            }
            self.add(place, line, floor)?;
        }
        // Others may have read on meanwhile, and found something else.
        let mut known = self.known();
        known.unsettled.retain(|mark| !unsettled.contains(mark));
        Ok(())
    }

    /// Replaces a record that is not there or is damaged by a new one. Its name tells that the
    /// entries of the old one mean nothing any more.
    fn make_anew(&self, place: &StoreDirectory, mark: MarkFile) -> io::Result<()> {
        let mut anew = Known::nothing();
        anew.name = random();
        if self.is_source() {
            anew.is_ahead = true;
        } else {
            if mark.last().is_none() {
                mark.write(place, Mark::START)?;
            }
            let end = rewrite(place, &anew)?;
            anew.moved(end);
        }
        self.known().replace(anew);
        Ok(())
    }

    /// Adds a line with the next mark. The caller has the turn to write, and has read all lines.
    fn add(&self, place: &StoreDirectory, line: RecordLine, mark: Mark) -> io::Result<()> {
        if self.is_source() {
            self.known().took_alone(line);
            return Ok(());
        }
        let end = self.known().end.clone();
        let (text, gave_up) = reserve::write(place, || append(place, &end, &line))?;
        self.gave_up.fetch_or(gave_up, Ordering::Relaxed);
        {
            let mut known = self.known();
            // Another thread may have read the line already.
            if known.end == end {
                known.took(&text, line);
            }
        }
        let file = MarkFile::read(place)?;
        let ((), gave_up) = reserve::write(place, || file.write(place, mark))?;
        self.gave_up.fetch_or(gave_up, Ordering::Relaxed);
        Ok(())
    }

    /// Writes the file anew if it has grown far beyond what it has to say. The caller has the turn.
    fn shorten(&self, place: &StoreDirectory) {
        if self.known().is_long() && !self.is_source() {
            self.write_anew(place);
        }
    }

    pub(super) fn write_anew(&self, place: &StoreDirectory) {
        let (end, anew) = {
            let known = self.known();
            (known.end.clone(), text_anew(&known))
        };
        let moved = publish(place, anew);
        let mut known = self.known();
        match moved {
            Ok(moved) if known.end == end => known.moved(moved),
            // Another thread has read the new writing already.
            Ok(_) => {}
            Err(_) => known.stays_long(),
        }
    }
}

/// Returns whether the error says that nobody can write here, whatever happens next.
pub(super) fn is_unwritable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
    )
}

/// Adds a line where the file ends, and returns its text. When this returns, the line is on the
/// disk.
fn append(place: &StoreDirectory, end: &RecordEnd, line: &RecordLine) -> io::Result<Vec<u8>> {
    let text = written(line, &end.chain);
    place.step()?;
    place.fits(text.len())?;
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

/// Replaces the file by one that says just what is known, and returns its end.
fn rewrite(place: &StoreDirectory, known: &Known) -> io::Result<RecordEnd> {
    publish(place, text_anew(known))
}

/// Returns the text of a file that says just what is known, and its end.
fn text_anew(known: &Known) -> (Vec<u8>, RecordEnd) {
    let writing = random();
    let mut text = first(&known.name, &writing).into_bytes();
    let mut end = RecordEnd {
        read: text.len() as u64,
        last: 0,
        chain: writing.clone(),
        writing,
    };
    let all = known.ledger.since(Epoch(0), known.last());
    let (given, answered) = known.history.parts();
    // The last line has the last mark, so that a file that is cut off does not know it.
    let words = runs(given).map(|(first, words)| RecordLine::Words { first, words });
    let floor = RecordLine::Floor {
        epoch: 0,
        word: 0,
        absent: all.floor.absent.0,
        stale: all.floor.stale.0,
        answered: answered
            .iter()
            .map(|mark| (mark.epoch.0, mark.word))
            .collect(),
    };
    let tags = all.tags.iter().map(|(tag, risen)| RecordLine::Tag {
        tag: tag.as_str().to_owned(),
        absent: risen.absent.0,
        stale: risen.stale.0,
    });
    for line in [floor].into_iter().chain(tags).chain(words) {
        let line = written(&line, &end.chain);
        end.took(&line);
        text.extend(line);
    }
    (text, end)
}

/// Returns the runs of consecutive numbers, each as its first number and its words.
fn runs(given: &VecDeque<Mark>) -> impl Iterator<Item = (u64, Vec<u64>)> {
    let mut runs: Vec<(u64, Vec<u64>)> = Vec::new();
    for mark in given {
        match runs.last_mut() {
            Some((first, words)) if *first + words.len() as u64 == mark.epoch.0 => {
                words.push(mark.word);
            }
            _ => runs.push((mark.epoch.0, vec![mark.word])),
        }
    }
    runs.into_iter()
}

fn publish(place: &StoreDirectory, (text, end): (Vec<u8>, RecordEnd)) -> io::Result<RecordEnd> {
    place.step()?;
    let draft = place.draft(&text)?;
    draft.sync()?;
    draft.publish(&place.record())?;
    // Without this, the lines to come could be added to a file that a power cut takes back. Not
    // every system can sync a directory.
    File::open(place.root()).and_then(|it| it.sync_all()).ok();
    Ok(end)
}
