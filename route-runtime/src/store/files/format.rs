//! The format of an entry's file: a line with a checksum of the rest, a line of JSON, the body.
//!
//! ```text
//! route-cache 2 7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730
//! {"name":"/api/posts","build":"f00d","created":"1763681534.25","started":7,"word":417,…}
//! the body, to the end of the file
//! ```
//!
//! Because both are in one file, the metadata of one entry can never meet the body of another, and
//! `head -2` shows what the file holds.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::place::Part;
use crate::store::{EntryKey, Epoch, Mark, StoredEntry, Tag};

pub(super) const MAGIC: &str = "route-cache 2 ";
/// The length of the first line: the magic, the checksum in hexadecimal and a line end.
const FIRST: usize = MAGIC.len() + 64 + 1;

/// The metadata of an entry's body. Times are in seconds.
#[derive(Debug, Serialize, Deserialize)]
struct EntryMetadata<'a> {
    name: Cow<'a, str>,
    build: Option<Cow<'a, str>>,
    created: String,
    started: u64,
    word: u64,
    revalidate: Option<String>,
    expire: Option<String>,
    tags: Vec<Cow<'a, str>>,
    /// The name of the record of invalidations that `started` and `word` belong to.
    record: Cow<'a, str>,
}

/// The content of a file: an entry, and the name of the record that its mark belongs to.
#[derive(Debug, PartialEq)]
pub(super) struct Filed {
    pub(super) entry: StoredEntry,
    pub(super) record: String,
}

/// The reason why a file holds nothing of use.
#[derive(Debug, PartialEq)]
pub(super) enum Unusable {
    /// The file is damaged, cut off, or of another version.
    Damaged,
    /// The file holds the entry of another key.
    Foreign,
}

pub(super) fn encode(key: EntryKey<'_>, entry: &StoredEntry, record: &str) -> Vec<u8> {
    let metadata = EntryMetadata {
        name: key.name.into(),
        build: key.build.map(Into::into),
        created: match entry.created.duration_since(UNIX_EPOCH) {
            Ok(after) => seconds(after),
            Err(before) => format!("-{}", seconds(before.duration())),
        },
        started: entry.started.epoch.0,
        word: entry.started.word,
        revalidate: entry.revalidate.map(seconds),
        expire: entry.expire.map(seconds),
        tags: entry.tags.iter().map(|tag| tag.as_str().into()).collect(),
        record: record.into(),
    };
    let mut file = vec![b'0'; FIRST];
    serde_json::to_writer(&mut file, &metadata).expect("texts and numbers");
    file.push(b'\n');
    file.extend_from_slice(&entry.body);
    let checksum = blake3::hash(&file[FIRST..]).to_hex();
    file[..MAGIC.len()].copy_from_slice(MAGIC.as_bytes());
    file[MAGIC.len()..FIRST - 1].copy_from_slice(checksum.as_bytes());
    file[FIRST - 1] = b'\n';
    file
}

/// Decodes a file in a part. The part is not in the file, because the file's place tells it.
pub(super) fn decode(file: &[u8], key: EntryKey<'_>, part: Part) -> Result<Filed, Unusable> {
    let (metadata, body) = verified(file).ok_or(Unusable::Damaged)?;
    if metadata.name != key.name || metadata.build.as_deref() != key.build {
        return Err(Unusable::Foreign);
    }
    let filed = || {
        Some(Filed {
            entry: StoredEntry {
                body: Arc::from(body),
                created: moment(&metadata.created)?,
                started: Mark {
                    epoch: Epoch(metadata.started),
                    word: metadata.word,
                },
                revalidate: duration(metadata.revalidate.as_deref())?,
                expire: duration(metadata.expire.as_deref())?,
                tags: metadata.tags.iter().map(|tag| Tag::from(&**tag)).collect(),
                listed: part == Part::Listed,
            },
            record: metadata.record.clone().into_owned(),
        })
    };
    filed().ok_or(Unusable::Damaged)
}

fn verified(file: &[u8]) -> Option<(EntryMetadata<'_>, &[u8])> {
    let (first, rest) = file.split_at_checked(FIRST)?;
    let checksum = first.strip_prefix(MAGIC.as_bytes())?.strip_suffix(b"\n")?;
    if checksum != blake3::hash(rest).to_hex().as_bytes() {
        return None;
    }
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    let metadata = serde_json::from_slice(&rest[..end]).ok()?;
    Some((metadata, &rest[end + 1..]))
}

/// Formats a time in seconds, such as `90` or `0.000000001`: exactly, and without trailing zeros.
fn seconds(time: Duration) -> String {
    let text = format!("{}.{:09}", time.as_secs(), time.subsec_nanos());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn parsed(text: &str) -> Option<Duration> {
    let (seconds, part) = text.split_once('.').unwrap_or((text, ""));
    let nanos = format!("{part:0<9}");
    let nanos = (nanos.len() == 9).then(|| nanos.parse().ok())??;
    Some(Duration::new(seconds.parse().ok()?, nanos))
}

/// Parses an optional time. The outer `None` means that the text cannot be parsed.
fn duration(text: Option<&str>) -> Option<Option<Duration>> {
    text.map_or(Some(None), |text| parsed(text).map(Some))
}

fn moment(text: &str) -> Option<SystemTime> {
    match text.strip_prefix('-') {
        Some(before) => UNIX_EPOCH.checked_sub(parsed(before)?),
        None => UNIX_EPOCH.checked_add(parsed(text)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: EntryKey<'static> = EntryKey {
        build: Some("b"),
        name: "/a",
    };

    fn entry() -> StoredEntry {
        StoredEntry {
            body: Arc::from(*b"body\n\xff\0"),
            created: UNIX_EPOCH + Duration::new(1_763_681_534, 250_000_000),
            started: Mark {
                epoch: Epoch(7),
                word: 417,
            },
            revalidate: Some(Duration::from_secs(90)),
            expire: None,
            tags: Arc::from([Tag::from("t\"\n")]),
            listed: true,
        }
    }

    #[test]
    fn the_second_line_of_a_file_is_its_metadata_as_json() {
        let file = encode(KEY, &entry(), "r");
        let mut lines = file.split(|&byte| byte == b'\n').skip(1);
        assert_eq!(
            std::str::from_utf8(lines.next().unwrap()).unwrap(),
            r#"{"name":"/a","build":"b","created":"1763681534.25","started":7,"word":417,"revalidate":"90","expire":null,"tags":["t\"\n"],"record":"r"}"#
        );
        assert_eq!(lines.next().unwrap(), b"body");
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_reported_as_damage() {
        let file = encode(KEY, &entry(), "r");
        let whole = Filed {
            entry: entry(),
            record: "r".into(),
        };
        assert_eq!(decode(&file, KEY, Part::Listed), Ok(whole));
        for at in 0..file.len() {
            assert_eq!(
                decode(&file[..at], KEY, Part::Listed),
                Err(Unusable::Damaged),
                "{at}"
            );
            for flip in 1..=255 {
                let mut damaged = file.clone();
                damaged[at] ^= flip;
                assert_eq!(
                    decode(&damaged, KEY, Part::Listed),
                    Err(Unusable::Damaged),
                    "{at} {flip}"
                );
            }
        }
        let longer = [&file[..], b"x"].concat();
        assert_eq!(decode(&longer, KEY, Part::Listed), Err(Unusable::Damaged));
        let other = EntryKey { build: None, ..KEY };
        assert_eq!(decode(&file, other, Part::Listed), Err(Unusable::Foreign));
    }

    #[test]
    fn times_are_written_and_read_exactly() {
        for (time, text) in [
            (Duration::ZERO, "0"),
            (Duration::new(0, 1), "0.000000001"),
            (Duration::new(100, 0), "100"),
            (Duration::new(1, 120_000_000), "1.12"),
            (Duration::MAX, "18446744073709551615.999999999"),
        ] {
            assert_eq!(seconds(time), text);
            assert_eq!(parsed(text), Some(time));
        }
        let before = StoredEntry {
            created: UNIX_EPOCH - Duration::new(1, 5),
            ..entry()
        };
        let file = encode(KEY, &before, "r");
        assert_eq!(decode(&file, KEY, Part::Listed).unwrap().entry, before);
        for odd in ["", ".", "x", "1.x", "1.0000000001", "-1", "1.-1"] {
            assert_eq!(parsed(odd), None, "{odd}");
        }
    }
}
