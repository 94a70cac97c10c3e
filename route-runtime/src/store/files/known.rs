//! What is known of the record of invalidations.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use super::line::{FIRST, Line, chain, checked, names};
use super::place::Place;
use crate::store::{Epoch, Invalidation, Ledger, Risen, Tag};

/// How many tags are remembered by name.
const TAGS: usize = 65_536;
/// How far the file grows before it is written anew, at least.
const GROWTH: u64 = 1 << 20;

/// What is in the file, as far as it has been read.
#[derive(Debug)]
pub(super) struct Known {
    /// The name of the record, which entries carry: with another one, their epochs mean nothing.
    pub(super) name: String,
    pub(super) end: End,
    pub(super) ledger: Ledger,
    pub(super) last: Epoch,
    /// Whether what has been read is no longer there, until it is read from the beginning.
    pub(super) lost: bool,
    /// The length from which it is written anew.
    bound: u64,
}

/// How far it has been read: where the next line goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct End {
    /// The name of this writing.
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

/// What reading on in the file came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    Whole,
    /// There is no file, or something that is none.
    Gone,
    /// It is another record, or one that has lost what was read before.
    Other,
}

impl State {
    pub(super) fn is_whole(self) -> bool {
        self == Self::Whole
    }
}

impl Known {
    pub(super) fn nothing() -> Self {
        Self {
            name: String::new(),
            end: End::default(),
            ledger: Ledger::new(TAGS),
            last: Epoch(0),
            lost: false,
            bound: GROWTH,
        }
    }

    /// Takes over a line that was added where this ended.
    pub(super) fn took(&mut self, text: &[u8], line: Line) {
        self.end.read += text.len() as u64;
        self.end.chain = chain(text);
        self.apply(line);
    }

    /// Takes over where it ends in a new writing.
    pub(super) fn moved(&mut self, end: End) {
        self.bound = 2 * end.read + GROWTH;
        self.end = end;
    }

    pub(super) fn is_long(&self) -> bool {
        self.end.read > self.bound
    }

    /// The long one is as good. It is not tried again at each line, though.
    pub(super) fn stays_long(&mut self) {
        self.bound = 2 * self.end.read;
    }

    /// Reads what has been added since it was read last.
    pub(super) fn follow(&mut self, place: &Place) -> io::Result<State> {
        let mut file = match File::open(place.record()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Gone),
            Err(error) => return Err(error),
        };
        let mut first = [0; FIRST];
        if let Err(error) = file.read_exact(&mut first) {
            return match error.kind() {
                io::ErrorKind::UnexpectedEof | io::ErrorKind::IsADirectory => Ok(State::Gone),
                _ => Err(error),
            };
        }
        let Some((name, writing)) = names(&first) else {
            return Ok(State::Gone);
        };
        if self.lost || (!self.name.is_empty() && self.name != name) {
            return Ok(State::Other);
        }
        if self.end.writing == writing {
            if file.metadata()?.len() < self.end.read {
                return Ok(State::Other);
            }
            file.seek(SeekFrom::Start(self.end.read))?;
            return Ok(match self.read_on(file)? {
                State::Whole => State::Whole,
                _ => {
                    self.lost = true;
                    State::Other
                }
            });
        }
        let mut anew = Self::nothing();
        anew.name = name.to_owned();
        anew.end = End {
            writing: writing.to_owned(),
            read: FIRST as u64,
            chain: writing.to_owned(),
        };
        match anew.read_on(file)? {
            State::Whole if anew.last < self.last => Ok(State::Other),
            State::Whole => {
                anew.bound = 2 * anew.end.read + GROWTH;
                *self = anew;
                Ok(State::Whole)
            }
            state => {
                self.last = self.last.max(anew.last);
                Ok(state)
            }
        }
    }

    fn read_on(&mut self, mut file: File) -> io::Result<State> {
        let mut lines = Vec::new();
        file.read_to_end(&mut lines)?;
        let mut state = State::Whole;
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            let Some(content) = line.strip_suffix(b"\n") else {
                break; // Somebody is writing it, or could not.
            };
            match checked(content, &self.end.chain) {
                Some(line) => self.apply(line),
                None => state = State::Gone,
            }
            // What follows damage still tells how far the numbers went.
            self.end.chain = chain(content);
            self.end.read += line.len() as u64;
        }
        Ok(state)
    }

    fn apply(&mut self, line: Line) {
        match line {
            Line::Floor {
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
            Line::Tag { tag, absent, stale } => self.ledger.merge(
                &Tag::new(tag),
                Risen {
                    absent: Epoch(absent),
                    stale: Epoch(stale),
                },
            ),
            Line::Absent { epoch, tags } => self.raise_tags(epoch, tags, Invalidation::Absent),
            Line::Stale { epoch, tags } => self.raise_tags(epoch, tags, Invalidation::Stale),
        }
    }

    fn raise_tags(&mut self, epoch: u64, tags: Vec<String>, how: Invalidation) {
        self.last = self.last.max(Epoch(epoch));
        for tag in tags {
            self.ledger.raise(&Tag::new(tag), how, Epoch(epoch));
        }
    }
}
