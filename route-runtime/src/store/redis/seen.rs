//! The part of the record that an instance has seen, and the judgement of answers by it.

use std::time::{Duration, SystemTime};

use super::entry::{Fields, Read, RedisMetadata};
use crate::store::{EntryKey, Epoch, StoredEntry, Tag};

/// The name of the record, and the highest of its epochs that this instance may have handed out.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) record: String,
    pub(super) epoch: u64,
}

impl Seen {
    pub(super) fn saw(&mut self, record: &str, epoch: u64) {
        if self.record != record {
            record.clone_into(&mut self.record);
        }
        self.epoch = self.epoch.max(epoch);
    }
}

/// A question to the server: when it was asked, and what the server has to know because it has said
/// so before.
pub(super) struct Question {
    /// The time just before the question was sent. A write takes the time at the same point, so the
    /// ways to the server's clock cancel out.
    pub(super) at: SystemTime,
    pub(super) seen: Seen,
}

impl Question {
    /// Returns whether an answer shows that the server does not know what this instance has seen.
    pub(super) fn shows_loss(&self, answer: &Read) -> bool {
        let Seen { record, epoch } = &self.seen;
        match &answer.record {
            None => !record.is_empty(),
            Some((_, last)) if last < epoch => true,
            Some((name, _)) => !record.is_empty() && record != name,
        }
    }

    /// Returns the name of the current record and the entry that was read, if the entry is of this
    /// key and of that record.
    pub(super) fn judge(&self, key: EntryKey<'_>, answer: Read) -> Option<(String, StoredEntry)> {
        let (name, last) = answer.record?;
        let Fields {
            record,
            started,
            created,
            metadata,
            body,
        } = answer.entry?;
        let metadata: RedisMetadata<'_> = serde_json::from_slice(&metadata).ok()?;
        if record != name
            || started > last
            || metadata.name != key.name
            || metadata.build.as_deref() != key.build
        {
            return None;
        }
        let age = answer.now.checked_sub(created)?;
        let length = Duration::from_micros(age.unsigned_abs());
        let entry = StoredEntry {
            body: body.into(),
            created: if age < 0 {
                self.at.checked_add(length)?
            } else {
                self.at.checked_sub(length)?
            },
            started: Epoch(started),
            revalidate: metadata.revalidate,
            expire: metadata.expire,
            tags: metadata.tags.iter().map(|tag| Tag::from(&**tag)).collect(),
        };
        Some((name, entry))
    }
}
