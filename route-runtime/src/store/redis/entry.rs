//! What lies in the server, and under which keys.

use std::{borrow::Cow, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::store::EntryKey;

#[derive(Debug)]
pub(super) struct Keys {
    pub(super) prefix: String,
    pub(super) record: String,
    pub(super) absent: String,
    pub(super) stale: String,
    pub(super) channel: String,
}

impl Keys {
    pub(super) fn new(prefix: &str, database: i64) -> Self {
        // The braces put all keys on one node where that matters.
        let prefix = format!("{{{prefix}}}:1");
        Self {
            record: format!("{prefix}:record"),
            absent: format!("{prefix}:absent"),
            stale: format!("{prefix}:stale"),
            // Channels know no databases.
            channel: format!("{prefix}:changed:{database}"),
            prefix,
        }
    }

    pub(super) fn entry(&self, key: EntryKey<'_>) -> String {
        self.of("e", key)
    }

    pub(super) fn lease(&self, key: EntryKey<'_>) -> String {
        self.of("l", key)
    }

    /// Only hashes, so keys are short and a name cannot be taken for another.
    fn of(&self, kind: &str, key: EntryKey<'_>) -> String {
        let hash = |text: &str| blake3::hash(text.as_bytes()).to_hex();
        let prefix = &self.prefix;
        let name = hash(key.name);
        match key.build {
            None => format!("{prefix}:{kind}:app:{name}"),
            Some(build) => format!("{prefix}:{kind}:{}:{name}", &hash(build)[..32]),
        }
    }
}

/// What is said about a body, beside its times.
#[derive(Serialize, Deserialize)]
pub(super) struct Metadata<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) build: Option<Cow<'a, str>>,
    pub(super) revalidate: Option<Duration>,
    pub(super) expire: Option<Duration>,
    pub(super) tags: Vec<Cow<'a, str>>,
}

pub(super) const FIELDS: &[&str] = &["record", "started", "created", "metadata", "body"];

type Field = Option<Vec<u8>>;

/// As bytes: what is no number is a damaged entry, and not an answer that makes no sense.
pub(super) type RawRead = (
    (i64, i64),
    (Field, Field),
    (Field, Field, Field, Field, Field),
);

pub(super) type RawSince = (
    String,
    u64,
    u64,
    u64,
    Vec<(String, f64)>,
    Vec<(String, f64)>,
);

/// What the server said, where it said all of it.
pub(super) struct Read {
    /// By its clock, in microseconds.
    pub(super) now: i64,
    pub(super) record: Option<(String, u64)>,
    pub(super) entry: Option<Fields>,
}

pub(super) struct Fields {
    pub(super) record: String,
    pub(super) started: u64,
    pub(super) created: i64,
    pub(super) metadata: Vec<u8>,
    pub(super) body: Vec<u8>,
}

impl From<RawRead> for Read {
    fn from(((seconds, micros), (name, last), entry): RawRead) -> Self {
        let (record, started, created, metadata, body) = entry;
        let whole = || {
            Some(Fields {
                record: text(record)?,
                started: number(started)?,
                created: number(created)?,
                metadata: metadata?,
                body: body?,
            })
        };
        Self {
            now: seconds * 1_000_000 + micros,
            record: text(name).zip(number(last)),
            entry: whole(),
        }
    }
}

fn text(field: Field) -> Option<String> {
    String::from_utf8(field?).ok()
}

fn number<T: FromStr>(field: Field) -> Option<T> {
    text(field)?.parse().ok()
}

/// A century and a half at most, so that the server's numbers stay exact.
pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).map_or(1 << 52, |it| it.min(1 << 52))
}
