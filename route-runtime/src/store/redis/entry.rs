//! The data in the server, and the keys under which it lies.

use std::{borrow::Cow, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::store::history::REMEMBERED;
use crate::store::{EntryKey, Epoch, Mark};

#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) prefix: String,
    pub(super) record: String,
    pub(super) absent: String,
    pub(super) stale: String,
    pub(super) words: String,
    pub(super) reserve: String,
    pub(super) channel: String,
}

impl Keys {
    pub(super) fn new(prefix: &str, database: i64) -> Self {
        // The braces are a hash tag, which puts all keys on one node where that matters.
        let prefix = format!("{{{prefix}}}:2");
        Self {
            record: format!("{prefix}:record"),
            absent: format!("{prefix}:absent"),
            stale: format!("{prefix}:stale"),
            words: format!("{prefix}:words"),
            reserve: format!("{prefix}:reserve"),
            // All databases share one set of channels.
            channel: format!("{prefix}:changed:{database}"),
            prefix,
        }
    }

    pub(super) fn entry(&self, key: EntryKey<'_>) -> String {
        self.hashed_key("e", key)
    }

    pub(super) fn lease(&self, key: EntryKey<'_>) -> String {
        self.hashed_key("l", key)
    }

    /// Returns a pattern that all entries match. A prefix may have characters that mean something in
    /// a pattern.
    pub(super) fn all_entries(&self) -> String {
        let mut pattern = String::new();
        for character in self.prefix.chars() {
            if matches!(character, '*' | '?' | '[' | ']' | '\\' | '^' | '-') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern + ":e:*"
    }

    /// Returns the server's key for an entry or its lease. Only hashes make it, so it is short, and
    /// a name cannot be taken for another.
    fn hashed_key(&self, kind: &str, key: EntryKey<'_>) -> String {
        let hash = |text: &str| blake3::hash(text.as_bytes()).to_hex();
        let prefix = &self.prefix;
        let name = hash(key.name);
        match key.build {
            None => format!("{prefix}:{kind}:app:{name}"),
            Some(build) => format!("{prefix}:{kind}:{}:{name}", &hash(build)[..32]),
        }
    }
}

/// The metadata of an entry's body, except the fields that the server's scripts compare.
#[derive(Serialize, Deserialize)]
pub(super) struct RedisMetadata<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) build: Option<Cow<'a, str>>,
    pub(super) revalidate: Option<Duration>,
    pub(super) expire: Option<Duration>,
    pub(super) tags: Vec<Cow<'a, str>>,
    pub(super) listed: bool,
}

pub(super) const FIELDS: &[&str] = &[
    "record", "started", "word", "created", "metadata", "body", "ends",
];

/// The fields of the record that a read needs.
pub(super) const RECORD_FIELDS: &[&str] = &["name", "last", "from"];

type Field = Option<Vec<u8>>;

/// The server's answer to a read, as bytes. A field that is not the number it should be makes a
/// damaged entry, and not an answer that makes no sense.
pub(super) type RawRead = (
    (i64, i64),
    (Field, Field, Field),
    Field,
    (Field, Field, Field, Field, Field, Field, Field),
);

/// The server's answer to an invalidation: the record's name, the mark before, the new one, and
/// whether the reserve was given up.
pub(super) type RawRecorded = (String, u64, Vec<u8>, u64, Vec<u8>, bool);

pub(super) type RawSince = (
    String,
    u64,
    Vec<u8>,
    u64,
    u64,
    Vec<(String, f64)>,
    Vec<(String, f64)>,
    bool,
);

/// The parts of the server's answer to a read that are complete.
pub(super) struct Read {
    /// The time by the server's clock, in microseconds.
    pub(super) now: i64,
    pub(super) record: Option<ReadRecord>,
    pub(super) entry: Option<Fields>,
}

/// The record, as far as a read needs it.
pub(super) struct ReadRecord {
    pub(super) name: String,
    pub(super) last: u64,
    /// The first number whose word is remembered.
    pub(super) from: u64,
    /// The word in the place of the number that the reader has named.
    pub(super) word: Option<u64>,
}

pub(super) struct Fields {
    pub(super) record: String,
    pub(super) started: Mark,
    pub(super) created: i64,
    pub(super) metadata: Vec<u8>,
    pub(super) body: Vec<u8>,
    /// The time, in milliseconds by the server's clock, until which the entry is to be kept now that
    /// it has been read. `None` if it is kept so long already.
    pub(super) ends: Option<u64>,
}

impl From<RawRead> for Read {
    fn from(((seconds, micros), (name, last, from), seen, entry): RawRead) -> Self {
        let (record, started, started_word, created, metadata, body, ends) = entry;
        let whole = || {
            Some(Fields {
                record: text(record)?,
                started: mark(number(started)?, &started_word?)?,
                created: number(created)?,
                metadata: metadata?,
                body: body?,
                ends: number(ends),
            })
        };
        Self {
            now: seconds * 1_000_000 + micros,
            record: text(name).zip(number(last)).map(|(name, last)| ReadRecord {
                name,
                last,
                from: number(from).unwrap_or(0),
                word: seen.and_then(|word| word_of(&word)),
            }),
            entry: whole(),
        }
    }
}

/// Returns the bytes of a mark's word, as the server keeps them. A script cannot count as far as a
/// word goes, but only compares it.
pub(super) fn word_bytes(mark: Mark) -> [u8; 8] {
    mark.word.to_be_bytes()
}

fn word_of(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

/// Returns the mark of a number and its word. There is no word before the first number.
pub(super) fn mark(epoch: u64, word: &[u8]) -> Option<Mark> {
    match epoch {
        0 => Some(Mark::START),
        epoch => Some(Mark {
            epoch: Epoch(epoch),
            word: word_of(word)?,
        }),
    }
}

fn text(field: Field) -> Option<String> {
    String::from_utf8(field?).ok()
}

fn number<T: FromStr>(field: Field) -> Option<T> {
    text(field)?.parse().ok()
}

/// Returns the first and the last byte of a number's word among all words.
pub(super) fn word_range(epoch: Epoch) -> (u64, u64) {
    let first = epoch.0 % REMEMBERED * 8;
    (first, first + 7)
}

/// Returns a time in microseconds, but at most a century and a half, so that the server's numbers
/// stay exact.
pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).map_or(1 << 52, |it| it.min(1 << 52))
}
