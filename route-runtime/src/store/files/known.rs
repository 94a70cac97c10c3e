//! The record of invalidations, as far as this instance has read it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use super::line::{FIRST, RecordLine, chain, checked, names};
use super::place::StoreDirectory;
use crate::store::history::History;
use crate::store::{Epoch, Invalidation, Ledger, Mark, Risen, Tag};

/// The number of tags that are remembered by name.
const TAGS: usize = 65_536;
/// The least number of bytes by which the file grows before it is written anew.
const GROWTH: u64 = 1 << 20;

/// The content of the record's file, as far as it has been read.
#[derive(Debug)]
pub(super) struct Known {
    /// The name of the record, which entries carry, too. The mark of an entry that carries another
    /// name means nothing.
    pub(super) name: String,
    pub(super) end: RecordEnd,
    pub(super) ledger: Ledger,
    pub(super) history: History,
    /// The marks that this process has read and that the file may not know any more. Floors rise for
    /// them before anything else is done.
    pub(super) unsettled: Vec<Mark>,
    /// Set if lines were taken over that are not in the file, because the file cannot be written.
    pub(super) is_ahead: bool,
    /// The length from which the file is written anew.
    bound: u64,
}

/// The end of what has been read, which is where the next line goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RecordEnd {
    /// The name of this writing of the file, which changes each time that the file is written
    /// anew.
    pub(super) writing: String,
    pub(super) read: u64,
    /// The place at which the last line that has been read begins.
    pub(super) last: u64,
    /// The checksum of that line.
    pub(super) chain: String,
}

/// The treatment of a line that is damaged, or that does not follow the line before.
#[derive(Clone, Copy)]
enum Damage {
    /// Nothing after it is read: the lines may be those of another history.
    Ends,
    /// The lines after it still tell how far the numbers went.
    Skipped,
}

impl RecordEnd {
    /// Takes over a line, with its line end.
    pub(super) fn took(&mut self, line: &[u8]) {
        self.last = self.read;
        self.read += line.len() as u64;
        self.chain = chain(line);
    }

    /// Returns whether the last line is where it was read.
    fn is_there(&self, file: &mut File) -> io::Result<bool> {
        if self.read <= FIRST as u64 {
            return Ok(true);
        }
        let mut check = vec![0; self.chain.len()];
        file.seek(SeekFrom::Start(self.last))?;
        match file.read_exact(&mut check) {
            Ok(()) => Ok(check == self.chain.as_bytes()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The result of reading on in the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum KnownState {
    Whole,
    /// There is no file, or it is not a record, or it is damaged.
    Gone,
}

impl Known {
    pub(super) fn nothing() -> Self {
        Self {
            name: String::new(),
            end: RecordEnd::default(),
            ledger: Ledger::new(TAGS),
            history: History::default(),
            unsettled: Vec::new(),
            is_ahead: false,
            bound: GROWTH,
        }
    }

    /// Returns the last mark that this process has read.
    pub(super) fn last(&self) -> Mark {
        self.history.last()
    }

    /// Takes over a line that cannot be added to the file.
    pub(super) fn took_alone(&mut self, line: RecordLine) {
        self.is_ahead = true;
        self.apply(line);
    }

    /// Takes over a line that was added at the end of what has been read.
    pub(super) fn took(&mut self, text: &[u8], line: RecordLine) {
        self.end.took(text);
        self.apply(line);
    }

    /// Takes over the end of a new writing of the file.
    pub(super) fn moved(&mut self, end: RecordEnd) {
        self.bound = 2 * end.read + GROWTH;
        self.end = end;
    }

    pub(super) fn is_long(&self) -> bool {
        self.end.read > self.bound
    }

    /// Puts off the next attempt after the file could not be written anew. The long file is as
    /// good, but not every further line should try again.
    pub(super) fn stays_long(&mut self) {
        self.bound = 2 * self.end.read;
    }

    /// Reads the lines that were added since the last read.
    pub(super) fn follow(&mut self, place: &StoreDirectory) -> io::Result<KnownState> {
        let mut file = match File::open(place.record()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(KnownState::Gone),
            Err(error) => return Err(error),
        };
        let mut first = [0; FIRST];
        if let Err(error) = file.read_exact(&mut first) {
            return match error.kind() {
                io::ErrorKind::UnexpectedEof | io::ErrorKind::IsADirectory => Ok(KnownState::Gone),
                _ => Err(error),
            };
        }
        let Some((name, writing)) = names(&first) else {
            return Ok(KnownState::Gone);
        };
        if self.name == name && self.end.writing == writing {
            let length = file.metadata()?.len();
            if length == self.end.read && self.end.is_there(&mut file)? {
                return Ok(KnownState::Whole);
            }
            if length > self.end.read && !self.is_ahead {
                file.seek(SeekFrom::Start(self.end.read))?;
                if self.read_on(&mut file, Damage::Ends)? == KnownState::Whole {
                    return Ok(KnownState::Whole);
                }
            }
        }
        // The file is another one, or has lost lines that were read before.
        file.seek(SeekFrom::Start(FIRST as u64))?;
        let mut anew = Self::nothing();
        anew.name = name.to_owned();
        anew.end = RecordEnd {
            writing: writing.to_owned(),
            read: FIRST as u64,
            last: 0,
            chain: writing.to_owned(),
        };
        let state = anew.read_on(&mut file, Damage::Skipped)?;
        anew.bound = 2 * anew.end.read + GROWTH;
        if state == KnownState::Gone {
            // Nobody may read on from here.
            anew.end = RecordEnd::default();
        }
        self.replace(anew);
        Ok(state)
    }

    /// Replaces what is known by another record, or by another state of this one, and remembers what
    /// that has to know.
    pub(super) fn replace(&mut self, anew: Self) {
        let before = std::mem::replace(self, anew);
        self.unsettled = before.unsettled;
        let last = before.history.last();
        if last != Mark::START && !self.unsettled.contains(&last) {
            self.unsettled.push(last);
        }
    }

    fn read_on(&mut self, file: &mut File, damage: Damage) -> io::Result<KnownState> {
        let mut lines = Vec::new();
        file.read_to_end(&mut lines)?;
        let mut state = KnownState::Whole;
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            let Some(content) = line.strip_suffix(b"\n") else {
                break; // A writer is writing this line, or could not finish it.
            };
            match (checked(content, &self.end.chain), damage) {
                (Some(line), _) => self.apply(line),
                (None, Damage::Ends) => return Ok(KnownState::Gone),
                (None, Damage::Skipped) => state = KnownState::Gone,
            }
            self.end.took(line);
        }
        Ok(state)
    }

    fn apply(&mut self, line: RecordLine) {
        match line {
            RecordLine::Words { first, words } => {
                for (epoch, word) in (first..).zip(words) {
                    self.give(epoch, word);
                }
            }
            RecordLine::Floor {
                epoch,
                word,
                absent,
                stale,
                answered,
            } => {
                self.give(epoch, word);
                let marks = answered.into_iter().map(|(epoch, word)| mark(epoch, word));
                self.history.answer(marks);
                self.ledger.raise_floor(Risen {
                    absent: Epoch(absent),
                    stale: Epoch(stale),
                });
            }
            RecordLine::Tag { tag, absent, stale } => self.ledger.merge(
                &Tag::new(tag),
                Risen {
                    absent: Epoch(absent),
                    stale: Epoch(stale),
                },
            ),
            RecordLine::Absent { epoch, word, tags } => {
                self.raise_tags(mark(epoch, word), tags, Invalidation::Absent);
            }
            RecordLine::Stale { epoch, word, tags } => {
                self.raise_tags(mark(epoch, word), tags, Invalidation::Stale);
            }
        }
    }

    fn raise_tags(&mut self, mark: Mark, tags: Vec<String>, how: Invalidation) {
        self.give(mark.epoch.0, mark.word);
        for tag in tags {
            self.ledger.raise(&Tag::new(tag), how, mark.epoch);
        }
    }

    /// Takes over a mark, unless it is not above the last one: a line may repeat that.
    fn give(&mut self, epoch: u64, word: u64) {
        if Epoch(epoch) > self.last().epoch {
            self.history.give(mark(epoch, word));
        }
    }
}

fn mark(epoch: u64, word: u64) -> Mark {
    Mark {
        epoch: Epoch(epoch),
        word,
    }
}
