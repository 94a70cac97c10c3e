//! The lines of the record of invalidations.

use serde::{Deserialize, Serialize};

const MAGIC: &str = "route-record 2 ";
/// The length of the first line: the magic, two names of 32 digits, a space and a line end.
pub(super) const FIRST: usize = MAGIC.len() + 32 + 1 + 32 + 1;
/// The length of the checksum at the beginning of each further line.
const CHECK: usize = 16;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RecordLine {
    /// The words of consecutive epochs from `first` on, for a file that is written anew.
    Words { first: u64, words: Vec<u64> },
    /// A floor: all content that began below these epochs counts as invalidated. In a file that is
    /// written anew it gives no mark, and has the epoch 0.
    Floor {
        epoch: u64,
        word: u64,
        absent: u64,
        stale: u64,
        /// The unknown marks for which floors rose.
        answered: Vec<(u64, u64)>,
    },
    /// A tag and its latest epochs, for a file that is written anew.
    Tag {
        tag: String,
        absent: u64,
        stale: u64,
    },
    Absent {
        epoch: u64,
        word: u64,
        tags: Vec<String>,
    },
    Stale {
        epoch: u64,
        word: u64,
        tags: Vec<String>,
    },
}

pub(super) fn names(first: &[u8; FIRST]) -> Option<(&str, &str)> {
    let first = std::str::from_utf8(first).ok()?;
    let (name, writing) = first
        .strip_prefix(MAGIC)?
        .strip_suffix('\n')?
        .split_once(' ')?;
    (name.len() == 32).then_some((name, writing))
}

pub(super) fn first(name: &str, writing: &str) -> String {
    format!("{MAGIC}{name} {writing}\n")
}

pub(super) fn written(line: &RecordLine, before: &str) -> Vec<u8> {
    let content = serde_json::to_string(line).expect("texts and numbers");
    format!("{} {content}\n", check(before, content.as_bytes())).into_bytes()
}

pub(super) fn checked(line: &[u8], before: &str) -> Option<RecordLine> {
    let (first, content) = line.split_at_checked(CHECK + 1)?;
    if first.strip_suffix(b" ")? != check(before, content).as_bytes() {
        return None;
    }
    serde_json::from_slice(content).ok()
}

pub(super) fn check(before: &str, content: &[u8]) -> String {
    let hash = blake3::Hasher::new()
        .update(before.as_bytes())
        .update(content)
        .finalize();
    hash.to_hex()[..CHECK].to_owned()
}

/// Returns the checksum that a line says it has.
pub(super) fn chain(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..CHECK.min(line.len())]).into_owned()
}
