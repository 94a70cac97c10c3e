//! The file `mark`, which remembers the last mark of the record.
//!
//! A record that was cut off, or replaced by an older copy while no process ran, looks whole. It does
//! not know this mark, though. The file is made before the record and written after it, so a record
//! is never behind its mark, wherever a crash stops a writer.
//!
//! There are two slots, written in turn, each with a checksum. A slot that was written in part leaves
//! the other one. An older mark is as good, so nothing waits for the disk once there is a mark.

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};

use super::line::check;
use super::place::{StoreDirectory, made};
use crate::store::{Epoch, Mark};

/// The length of a slot in bytes.
const SLOT: usize = 64;

/// The slots of the file, as far as they can be read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MarkFile([Option<Mark>; 2]);

impl MarkFile {
    pub(super) fn read(place: &StoreDirectory) -> io::Result<Self> {
        match fs::read(place.mark()) {
            Ok(slots) => Ok(Self([0, 1].map(|number| {
                let slot = slots.get(number * SLOT..(number + 1) * SLOT)?;
                decode(slot)
            }))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Returns the last mark, or `None` if the file is missing or damaged.
    pub(super) fn last(self) -> Option<Mark> {
        let [first, second] = self.0;
        [first, second]
            .into_iter()
            .flatten()
            .max_by_key(|mark| mark.epoch)
    }

    /// Replaces the older mark, or the one that cannot be read.
    pub(super) fn write(self, place: &StoreDirectory, mark: Mark) -> io::Result<()> {
        let [first, second] = self.0.map(|slot| slot.map(|mark| mark.epoch));
        let number = usize::from(second < first);
        place.step()?;
        let mut file = open(place)?;
        file.seek(SeekFrom::Start((number * SLOT) as u64))?;
        file.write_all(&encode(mark))?;
        match self.last() {
            Some(_) => Ok(()),
            None => file.sync_all(),
        }
    }
}

/// Replaces the content of the file by one that has its length and no mark.
pub(super) fn clear(place: &StoreDirectory) -> io::Result<()> {
    let mut file = open(place)?;
    file.write_all(&[0; 2 * SLOT])?;
    file.sync_all()
}

fn open(place: &StoreDirectory) -> io::Result<File> {
    let path = place.mark();
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    made(&path, || options.open(&path))
}

fn encode(mark: Mark) -> Vec<u8> {
    let content = format!("{} {:016x}", mark.epoch.0, mark.word);
    let slot = format!("{} {content}", check("", content.as_bytes()));
    format!("{slot:<width$}\n", width = SLOT - 1).into_bytes()
}

fn decode(slot: &[u8]) -> Option<Mark> {
    let slot = std::str::from_utf8(slot).ok()?.strip_suffix('\n')?;
    let (sum, content) = slot.trim_end_matches(' ').split_once(' ')?;
    if sum != check("", content.as_bytes()) {
        return None;
    }
    let (epoch, word) = content.split_once(' ')?;
    Some(Mark {
        epoch: Epoch(epoch.parse().ok()?),
        word: u64::from_str_radix(word, 16).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_read_as_it_was_written_or_not_at_all() {
        for (epoch, word) in [(0, 0), (7, 0x3f1c), (u64::MAX, u64::MAX)] {
            let mark = Mark {
                epoch: Epoch(epoch),
                word,
            };
            let slot = encode(mark);
            assert_eq!(slot.len(), SLOT);
            assert_eq!(decode(&slot), Some(mark));
            for cut in 0..SLOT {
                assert_eq!(decode(&slot[..cut]), None);
            }
        }
        assert_eq!(decode(&[0; SLOT]), None);
    }
}
