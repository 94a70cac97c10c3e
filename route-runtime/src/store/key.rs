//! An owned form of an entry's key, which can be kept or taken to another thread.

use super::{EntryKey, Weighted};

/// An [`EntryKey`] that owns its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OwnedKey {
    build: Option<Box<str>>,
    name: Box<str>,
}

impl OwnedKey {
    pub(crate) fn borrowed(&self) -> EntryKey<'_> {
        EntryKey {
            build: self.build.as_deref(),
            name: &self.name,
        }
    }
}

impl From<EntryKey<'_>> for OwnedKey {
    fn from(key: EntryKey<'_>) -> Self {
        Self {
            build: key.build.map(Box::from),
            name: key.name.into(),
        }
    }
}

impl Weighted for OwnedKey {
    fn weight(&self) -> usize {
        size_of::<Self>() + self.build.as_ref().map_or(0, |build| build.len()) + self.name.len()
    }
}
