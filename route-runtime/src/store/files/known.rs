//! What is known of the record of invalidations.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    iter,
};

use super::{
    line::{FIRST, Line, chain, checked, first, names, written},
    place::Place,
};
use crate::store::{Epoch, Invalidation, Ledger, Risen, Tag, random::random};

/// How many tags are remembered by name.
const TAGS: usize = 65_536;
/// How far the file grows before it is written anew, at least.
const GROWTH: u64 = 1 << 20;

/// What is in the file, as far as it has been read.
#[derive(Debug)]
pub(super) struct Known {
    /// The name of the record, which entries carry: with another one, their epochs mean nothing.
    pub(super) name: String,
    /// The name of this writing.
    writing: String,
    pub(super) ledger: Ledger,
    pub(super) last: Epoch,
    read: u64,
    /// The checksum of the last line that has been read.
    chain: String,
    /// Whether what has been read is no longer there, until it is read from the beginning.
    lost: bool,
    /// The length from which it is written anew.
    bound: u64,
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
            writing: String::new(),
            ledger: Ledger::new(TAGS),
            last: Epoch(0),
            read: 0,
            chain: String::new(),
            lost: false,
            bound: GROWTH,
        }
    }

    /// Reads what is new, and repairs the file if it is not the one that was read before.
    pub(super) fn current(&mut self, place: &Place) -> io::Result<()> {
        if self.follow(place)? == State::Whole {
            return Ok(());
        }
        let _lock = place.lock("record")?;
        self.repair(place)
    }

    /// The same for who holds the lock.
    pub(super) fn repair(&mut self, place: &Place) -> io::Result<()> {
        let seen = self.last;
        let next = Epoch(seen.0 + 1);
        match self.follow(place)? {
            State::Whole => Ok(()),
            State::Gone => {
                let mut fresh = Self::nothing();
                fresh.name = random();
                // Where none was read, its name in the entries tells that it is gone.
                if seen > Epoch(0) || !self.name.is_empty() {
                    fresh.last = next;
                    fresh.ledger.raise_floor(both(next));
                }
                fresh.rewrite(place)?;
                *self = fresh;
                Ok(())
            }
            // What was lost may have reached anything this instance has seen.
            State::Other => {
                *self = Self::nothing();
                match self.follow(place)? {
                    State::Gone => {
                        self.last = seen;
                        self.repair(place)
                    }
                    _ => {
                        let raised = self.append_floor(place, next);
                        if raised.is_err() {
                            // It is still to be done.
                            self.lost = true;
                            self.last = self.last.max(seen);
                        }
                        raised
                    }
                }
            }
        }
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
        if self.writing == writing {
            if file.metadata()?.len() < self.read {
                return Ok(State::Other);
            }
            file.seek(SeekFrom::Start(self.read))?;
            return Ok(match self.read_on(file)? {
                State::Whole => State::Whole,
                _ => {
                    self.lost = true;
                    State::Other
                }
            });
        }
        let mut anew = Self::nothing();
        (anew.name, anew.writing) = (name.to_owned(), writing.to_owned());
        anew.read = FIRST as u64;
        anew.chain = writing.to_owned();
        match anew.read_on(file)? {
            State::Whole if anew.last < self.last => Ok(State::Other),
            State::Whole => {
                anew.bound = 2 * anew.read + GROWTH;
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
            match checked(content, &self.chain) {
                Some(line) => self.apply(line),
                None => state = State::Gone,
            }
            // What follows damage still tells how far the numbers went.
            self.chain = chain(content);
            self.read += line.len() as u64;
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

    /// Records that everything below `epoch` counts as invalidated, unless it turns out known.
    pub(super) fn raise(&mut self, place: &Place, epoch: Epoch) -> io::Result<()> {
        let _lock = place.lock("record")?;
        self.repair(place)?;
        if self.last < epoch {
            self.append_floor(place, epoch)?;
        }
        Ok(())
    }

    fn append_floor(&mut self, place: &Place, epoch: Epoch) -> io::Result<()> {
        let until = self.last.max(epoch).0;
        let (absent, stale) = (epoch.0, epoch.0);
        self.append(
            place,
            Line::Floor {
                until,
                absent,
                stale,
            },
        )
    }

    /// Adds a line, on the disk when this returns. The caller holds the lock and has read all.
    pub(super) fn append(&mut self, place: &Place, line: Line) -> io::Result<()> {
        let text = written(&line, &self.chain);
        let mut file = File::options().write(true).open(place.record())?;
        // What somebody began and could not end.
        file.set_len(self.read)?;
        file.seek(SeekFrom::Start(self.read))?;
        if let Err(error) = file.write_all(&text) {
            // Failing that, it has no end, and is not read.
            file.set_len(self.read).ok();
            return Err(error);
        }
        // If it fails, the line stays: others may have read it already.
        file.sync_data()?;
        self.read += text.len() as u64;
        self.chain = chain(&text);
        self.apply(line);
        Ok(())
    }

    /// Writes the file anew when it has grown far beyond what it says.
    pub(super) fn shorten(&mut self, place: &Place) {
        if self.read > self.bound && self.rewrite(place).is_err() {
            // The long one is as good. Not at each line, though.
            self.bound = 2 * self.read;
        }
    }

    fn rewrite(&mut self, place: &Place) -> io::Result<()> {
        let writing = random();
        let all = self.ledger.since(Epoch(0), self.last);
        let mut text = first(&self.name, &writing).into_bytes();
        let floor = Line::Floor {
            until: self.last.0,
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
        self.writing = writing;
        self.chain = last;
        self.read = text.len() as u64;
        self.bound = 2 * self.read + GROWTH;
        Ok(())
    }
}
