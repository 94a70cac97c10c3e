//! The record of invalidations, as far as this instance has read it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use super::line::{FIRST, RecordLine, chain, checked, names};
use super::place::StoreDirectory;
use crate::store::{Epoch, Invalidation, Ledger, Risen, Tag};

/// The number of tags that are remembered by name.
const TAGS: usize = 65_536;
/// The least number of bytes by which the file grows before it is written anew.
const GROWTH: u64 = 1 << 20;

/// The content of the record's file, as far as it has been read.
#[derive(Debug)]
pub(super) struct Known {
    /// The name of the record, which entries carry, too. The epoch of an entry that carries another
    /// name means nothing.
    pub(super) name: String,
    pub(super) end: RecordEnd,
    pub(super) ledger: Ledger,
    pub(super) last: Epoch,
    /// Set if the file no longer holds what has been read, until it is read from the beginning.
    pub(super) lost: bool,
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
    /// The checksum of the last line that has been read.
    pub(super) chain: String,
}

pub(super) fn both(epoch: Epoch) -> Risen {
    Risen {
        absent: epoch,
        stale: epoch,
    }
}

/// The result of reading on in the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum KnownState {
    Whole,
    /// There is no file, or it is not a record.
    Gone,
    /// The file is another record, or one that has lost lines that were read before.
    Other,
}

impl KnownState {
    pub(super) fn is_whole(self) -> bool {
        self == Self::Whole
    }
}

impl Known {
    pub(super) fn nothing() -> Self {
        Self {
            name: String::new(),
            end: RecordEnd::default(),
            ledger: Ledger::new(TAGS),
            last: Epoch(0),
            lost: false,
            bound: GROWTH,
        }
    }

    /// Takes over a line that was added at the end of what has been read.
    pub(super) fn took(&mut self, text: &[u8], line: RecordLine) {
        self.end.read += text.len() as u64;
        self.end.chain = chain(text);
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
        if self.lost || (!self.name.is_empty() && self.name != name) {
            return Ok(KnownState::Other);
        }
        if self.end.writing == writing {
            if file.metadata()?.len() < self.end.read {
                return Ok(KnownState::Other);
            }
            file.seek(SeekFrom::Start(self.end.read))?;
            return Ok(match self.read_on(file)? {
                KnownState::Whole => KnownState::Whole,
                _ => {
                    self.lost = true;
                    KnownState::Other
                }
            });
        }
        let mut anew = Self::nothing();
        anew.name = name.to_owned();
        anew.end = RecordEnd {
            writing: writing.to_owned(),
            read: FIRST as u64,
            chain: writing.to_owned(),
        };
        match anew.read_on(file)? {
            KnownState::Whole if anew.last < self.last => Ok(KnownState::Other),
            KnownState::Whole => {
                anew.bound = 2 * anew.end.read + GROWTH;
                *self = anew;
                Ok(KnownState::Whole)
            }
            state => {
                self.last = self.last.max(anew.last);
                Ok(state)
            }
        }
    }

    fn read_on(&mut self, mut file: File) -> io::Result<KnownState> {
        let mut lines = Vec::new();
        file.read_to_end(&mut lines)?;
        let mut state = KnownState::Whole;
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            let Some(content) = line.strip_suffix(b"\n") else {
                break; // A writer is writing this line, or could not finish it.
            };
            match checked(content, &self.end.chain) {
                Some(line) => self.apply(line),
                None => state = KnownState::Gone,
            }
            // Lines after the damage still tell how far the numbers went.
            self.end.chain = chain(content);
            self.end.read += line.len() as u64;
        }
        Ok(state)
    }

    fn apply(&mut self, line: RecordLine) {
        match line {
            RecordLine::Floor {
                until,
                absent,
                stale,
            } => {
                self.last = self.last.max(Epoch(until));
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
            RecordLine::Absent { epoch, tags } => {
                self.raise_tags(epoch, tags, Invalidation::Absent);
            }
            RecordLine::Stale { epoch, tags } => self.raise_tags(epoch, tags, Invalidation::Stale),
        }
    }

    fn raise_tags(&mut self, epoch: u64, tags: Vec<String>, how: Invalidation) {
        self.last = self.last.max(Epoch(epoch));
        for tag in tags {
            self.ledger.raise(&Tag::new(tag), how, Epoch(epoch));
        }
    }
}
