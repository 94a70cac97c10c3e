//! The landing: what a flight gives to the requests that waited for it.

use std::sync::Arc;

use super::entry::{Entry, Kept, Value};
use super::failure::Failure;

/// The landing of a flight, which every request that waited for it receives. All of it may be
/// shared: content that is for one request only has no place here.
#[derive(Debug)]
pub(super) enum Landing<V: Value> {
    Entry(Arc<Entry<V>>, Origin),
    Kept(Arc<Kept<V>>),
    /// The content is for one request only. Every other request renders for itself.
    Individual,
    /// The requests look in memory again, where there may be something new.
    Look,
    /// No render was run, for this reason.
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

/// The origin of an entry that landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Rendered, and now in memory.
    Stored,
    /// Rendered, but invalidated meanwhile or too large for memory.
    Unstored,
    /// Found in the store behind memory.
    Adopted,
}
