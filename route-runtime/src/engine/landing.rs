//! What a flight gives to those who waited for it.

use std::sync::Arc;

use super::entry::{Entry, Kept, Value};
use super::failure::Failure;

/// The share of those who waited for a flight. All of it may be shared: there is no place here
/// for content that is for one request only.
#[derive(Debug)]
pub(super) enum Landing<V: Value> {
    Entry(Arc<Entry<V>>, Origin),
    Kept(Arc<Kept<V>>),
    /// Everyone renders for themselves.
    Individual,
    /// Something was put into memory: look there.
    Look,
    /// No render was run.
    Refused(Failure),
}

impl<V: Value> Clone for Landing<V> {
    fn clone(&self) -> Self {
        match self {
            Self::Entry(entry, origin) => Self::Entry(Arc::clone(entry), *origin),
            Self::Kept(kept) => Self::Kept(Arc::clone(kept)),
            Self::Individual => Self::Individual,
            Self::Look => Self::Look,
            Self::Refused(failure) => Self::Refused(failure.clone()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Rendered, and now in memory.
    Stored,
    /// Rendered, and invalidated meanwhile or too large.
    Unstored,
    /// Found in the store behind memory.
    Adopted,
}
