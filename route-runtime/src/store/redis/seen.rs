//! The judgement of what a server has answered, by what an instance has seen.

use std::time::{Duration, SystemTime};

use super::entry::{Fields, Read, ReadRecord, RedisMetadata};
use crate::store::history::REMEMBERED;
use crate::store::{EntryKey, Mark, StoredEntry, Tag};

/// A question to the server: when it was asked, and what the server has to know because it has said
/// so before.
pub(super) struct Question {
    /// The time just before the question was sent. A write takes the time at the same point, so the
    /// ways to the server's clock cancel out.
    pub(super) at: SystemTime,
    /// The name of the record when the caller was last told of it; empty if it never was.
    pub(super) told: String,
    /// The mark up to which the caller has the record in force.
    pub(super) seen: Mark,
}

impl Question {
    /// Returns whether an answer shows that the server does not know what this instance has seen.
    pub(super) fn shows_loss(&self, answer: &Read) -> bool {
        match &answer.record {
            None => !self.told.is_empty(),
            Some(record) => !self.knows(record),
        }
    }

    fn knows(&self, record: &ReadRecord) -> bool {
        let seen = self.seen.epoch.0;
        let is_named = self.told.is_empty() || self.told == record.name;
        let is_known = seen == 0
            || seen <= record.last
                && seen + REMEMBERED > record.last
                && seen >= record.from
                && record.word == Some(self.seen.word);
        is_named && is_known
    }

    /// Returns the entry that was read, if it is of this key and of the record.
    pub(super) fn judge(&self, key: EntryKey<'_>, answer: Read) -> Option<StoredEntry> {
        let kept = answer.record?;
        let Fields {
            record,
            started,
            created,
            metadata,
            body,
            ends: _,
        } = answer.entry?;
        let metadata: RedisMetadata<'_> = serde_json::from_slice(&metadata).ok()?;
        if record != kept.name
            || started.epoch.0 > kept.last
            || metadata.name != key.name
            || metadata.build.as_deref() != key.build
        {
            return None;
        }
        let age = answer.now.checked_sub(created)?;
        let length = Duration::from_micros(age.unsigned_abs());
        Some(StoredEntry {
            body: body.into(),
            created: if age < 0 {
                self.at.checked_add(length)?
            } else {
                self.at.checked_sub(length)?
            },
            started,
            revalidate: metadata.revalidate,
            expire: metadata.expire,
            tags: metadata.tags.iter().map(|tag| Tag::from(&**tag)).collect(),
            listed: metadata.listed,
        })
    }
}
