//! The input of the engine for a request, and its output.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::KeyPlace;
use super::ancestry::{Ancestry, Stale};
use super::entry::{CacheSlot, Entry, Value};
use super::key::CacheKey;
use super::outcome::{RenderOutcome, TaggedOutcome};
use super::status::{Status, Ttl};
use crate::owner::Owner;
use crate::store::Tag;

/// A request to the engine: what it asks for, and how.
#[derive(Debug)]
pub(crate) struct Call<'a, K: CacheKey, V: Value> {
    pub(crate) key: &'a K,
    /// The slot of a route without parameters. Other content is kept under the key.
    pub(crate) slot: Option<&'a Arc<CacheSlot<V>>>,
    /// The tags that are known before the content is rendered: the path, the pattern, the declared
    /// tags. They also apply to results that are not stored.
    pub(crate) tags: &'a Arc<[Tag]>,
    /// The tags on which the content depends for this request only. Content that is older than the
    /// last invalidation of one of them is not given to it. So an invalidation of a route reaches
    /// the data that the route reads.
    pub(crate) also: &'a [Tag],
    pub(crate) stale: Stale,
    /// The longest time that the render may take.
    pub(crate) limit: Duration,
    pub(crate) turn: Turn,
    /// The handler that asks. Its renders, its refreshes and its reads of the store have a share of
    /// their own.
    pub(crate) owner: Owner,
    /// The part that the store behind memory has in keeping the content.
    pub(crate) keep: Keep,
    /// The render on whose behalf this call is made, if any.
    pub(crate) parent: Option<&'a Ancestry<K>>,
}

/// The part that the store behind memory has in keeping some content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// None: the content stays in this process's memory. It is never read from the store, never
    /// written to it, and rendered without a lease. Invalidations reach it like all other content.
    InMemory,
    /// The store keeps the content in the room that it has for whatever requests ask for.
    Unlisted,
    /// The store keeps the content as [listed](crate::store::StoredEntry::listed) by the program.
    Listed,
}

/// The rule by which a render that a request waits for gets its turn. A render that is part of
/// another never waits for a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Waits for one of the places for [renders](super::RenderPlaces).
    Queue,
    /// Starts at once. Its caller is bounded already, like a handler that fetches data.
    AtOnce,
}

/// The answer to a request.
pub(crate) struct Answer<V: Value> {
    pub(crate) content: Content<V>,
    pub(crate) status: Status,
    /// The time since the render finished.
    pub(crate) age: Duration,
    /// The answer is as good for the next request, as far as is known: it was rendered or
    /// is fresh, and nothing it depends on has been invalidated since its render began. A request that began
    /// before an invalidation may be given an answer that is not current. A client that keeps such
    /// an answer keeps invalidated content.
    pub(crate) is_current: bool,
}

impl<V: Value> fmt::Debug for Answer<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("age", &self.age)
            .field("is_current", &self.is_current)
            .finish_non_exhaustive()
    }
}

/// The content of an answer.
pub(crate) enum Content<V: Value> {
    /// A stored value, or a value that is shared like a stored one.
    Entry(Arc<Entry<V>>),
    /// A value that is not stored.
    Once(Arc<V>),
    /// A value for this request only.
    Individual(V::Individual),
}

/// An entry that a request can be answered with.
#[derive(Debug)]
pub(crate) struct Hit<V: Value> {
    pub(crate) entry: Arc<Entry<V>>,
    pub(crate) age: Duration,
    pub(crate) ttl: Ttl,
    pub(crate) is_stale: bool,
    /// The store behind memory could be asked lately what other instances have invalidated, or
    /// there is no store.
    pub(crate) is_verified: bool,
}

impl<V: Value> Hit<V> {
    /// Returns the status of a request that is answered with this hit.
    pub(crate) fn status(&self) -> Status {
        match (self.is_verified, self.is_stale) {
            (true, false) => Status::Hit(self.ttl),
            (true, true) => Status::Stale(self.ttl),
            (false, false) => Status::Unverified(self.ttl),
            // Negative because it is stale, however much freshness its age would have left.
            (false, true) => Status::Unverified(Some(self.ttl.map_or(-1, |ttl| ttl.min(-1)))),
        }
    }

    /// Returns the value of [`Answer::is_current`] for this hit.
    pub(crate) fn is_current(&self) -> bool {
        self.is_verified && !self.is_stale
    }

    pub(super) fn answer(self) -> Answer<V> {
        Answer {
            status: self.status(),
            is_current: self.is_current(),
            age: self.age,
            content: Content::Entry(self.entry),
        }
    }
}

impl<K: CacheKey, V: Value> Call<'_, K, V> {
    pub(super) fn place(&self) -> KeyPlace<'_, K, V> {
        KeyPlace {
            key: self.key,
            slot: self.slot.map(|slot| &**slot),
            also: self.also,
            owner: self.owner,
            keep: self.keep,
        }
    }
}

impl<V: Value> TaggedOutcome<V> {
    /// Returns the content for the one request that it was rendered for, whatever else the outcome
    /// permits.
    pub(super) fn into_content(self) -> Content<V> {
        match self.outcome {
            RenderOutcome::Store { value, .. } | RenderOutcome::ShareOnce(value) => {
                Content::Once(Arc::new(value))
            }
            RenderOutcome::Individual { value, .. } => Content::Individual(value),
        }
    }
}
