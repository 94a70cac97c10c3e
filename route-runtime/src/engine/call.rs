//! What goes into the engine with a request, and what comes out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Place;
use super::ancestry::{Ancestry, Stale};
use super::entry::{CacheSlot, Entry, Value};
use super::key::CacheKey;
use super::outcome::{Outcome, Rendered};
use super::status::{Status, Ttl};
use crate::store::Tag;

/// What a request asks for, and how.
#[derive(Debug)]
pub(crate) struct Call<'a, K: CacheKey, V: Value> {
    pub(crate) key: &'a K,
    /// The place of a route without parameters; otherwise the content is kept under the key.
    pub(crate) slot: Option<&'a Arc<CacheSlot<V>>>,
    /// What the content is known to depend on before it is rendered: the path, the pattern, the
    /// declared tags. It holds for results that are not stored, too.
    pub(crate) tags: &'a Arc<[Tag]>,
    /// On what the content depends for this request only: what is older than the last time one of
    /// these rose is not for it. So data that a route reads is as new as the route is told to be.
    pub(crate) also: &'a [Tag],
    pub(crate) stale: Stale,
    /// How long the render may take.
    pub(crate) limit: Duration,
    pub(crate) turn: Turn,
    /// The render on whose behalf this is asked, if any.
    pub(crate) parent: Option<&'a Ancestry<K>>,
}

/// Whether a render that a request waits for has to wait for its turn. One that is part of another
/// never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It does, when [`Limits::renders`](super::Limits) others are running.
    Queue,
    /// It does not: what asks for it is bounded already, like a handler that fetches data.
    AtOnce,
}

/// How a request was answered.
pub(crate) struct Answer<V: Value> {
    pub(crate) content: Content<V>,
    pub(crate) status: Status,
    /// Since its render finished.
    pub(crate) age: Duration,
    /// Whether it is as good for whoever asks next, as far as is known: it is an entry that is
    /// fresh, and nothing it depends on has been invalidated since its render began. A request that
    /// began earlier may be given others, but who keeps them keeps what was thrown away.
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

/// What a request is answered with.
pub(crate) enum Content<V: Value> {
    /// A stored value, or one that was shared like one.
    Entry(Arc<Entry<V>>),
    /// A value that is not stored.
    Once(Arc<V>),
    /// A value for this request only.
    Individual(V::Individual),
}

/// A usable entry.
#[derive(Debug)]
pub(crate) struct Hit<V: Value> {
    pub(crate) entry: Arc<Entry<V>>,
    pub(crate) age: Duration,
    pub(crate) ttl: Ttl,
    pub(crate) is_stale: bool,
    /// Whether the store behind memory could be asked lately what others have invalidated.
    pub(crate) is_verified: bool,
}

impl<V: Value> Hit<V> {
    /// How a request is answered with it.
    pub(crate) fn status(&self) -> Status {
        match (self.is_verified, self.is_stale) {
            (true, false) => Status::Hit(self.ttl),
            (true, true) => Status::Stale(self.ttl),
            (false, false) => Status::Unverified(self.ttl),
            // Whatever its age had left.
            (false, true) => Status::Unverified(Some(self.ttl.map_or(-1, |ttl| ttl.min(-1)))),
        }
    }

    /// See [`Answer::is_current`].
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
    pub(super) fn place(&self) -> Place<'_, K, V> {
        Place {
            key: self.key,
            slot: self.slot.map(|slot| &**slot),
            also: self.also,
        }
    }
}

impl<V: Value> Rendered<V> {
    /// For the one request it was rendered for, whatever may be done with it otherwise.
    pub(super) fn into_content(self) -> Content<V> {
        match self.outcome {
            Outcome::Store { value, .. } | Outcome::ShareOnce(value) => {
                Content::Once(Arc::new(value))
            }
            Outcome::Individual { value, .. } => Content::Individual(value),
        }
    }
}
