//! What an instance has seen of the record, and what an answer is worth because of it.

use std::time::{Duration, SystemTime};

use super::entry::{Fields, Metadata, Read};
use crate::store::{EntryKey, Epoch, StoredEntry, Tag};

/// The record, and the highest of its epochs that this instance may have handed out.
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

/// When something was asked, and what the server has to know since it has said so before.
pub(super) struct Asked {
    /// As much before the server's look at its clock as a write's: the ways cancel out.
    pub(super) at: SystemTime,
    pub(super) seen: Seen,
}

impl Asked {
    /// Returns whether the server does not know what this instance knows.
    pub(super) fn shows_loss(&self, answer: &Read) -> bool {
        let Seen { record, epoch } = &self.seen;
        match &answer.record {
            None => !record.is_empty(),
            Some((_, last)) if last < epoch => true,
            Some((name, _)) => !record.is_empty() && record != name,
        }
    }

    /// Returns what was read, if it is of this key and of the record that counts, which it names.
    pub(super) fn judge(&self, key: EntryKey<'_>, answer: Read) -> Option<(String, StoredEntry)> {
        let (name, last) = answer.record?;
        let Fields {
            record,
            started,
            created,
            metadata,
            body,
        } = answer.entry?;
        let metadata: Metadata<'_> = serde_json::from_slice(&metadata).ok()?;
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
