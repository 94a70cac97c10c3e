//! The data in the server, and the keys under which it lies.

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
        // The braces are a hash tag, which puts all keys on one node where that matters.
        let prefix = format!("{{{prefix}}}:1");
        Self {
            record: format!("{prefix}:record"),
            absent: format!("{prefix}:absent"),
            stale: format!("{prefix}:stale"),
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
}

pub(super) const FIELDS: &[&str] = &["record", "started", "created", "metadata", "body"];

type Field = Option<Vec<u8>>;

/// The server's answer to a read, as bytes. A field that is not the number it should be makes a
/// damaged entry, and not an answer that makes no sense.
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

/// The parts of the server's answer to a read that are complete.
pub(super) struct Read {
    /// The time by the server's clock, in microseconds.
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

/// Returns a time in microseconds, but at most a century and a half, so that the server's numbers
/// stay exact.
pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).map_or(1 << 52, |it| it.min(1 << 52))
}
