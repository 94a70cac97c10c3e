//! The outcome of a render, and with whom it may be shared.

use std::time::Duration;

use super::entry::Value;
use super::freshness::Lifetime;
use crate::store::Tag;

/// The value that a render made, with what may be done with it.
///
/// [`Individual`](RenderOutcome::Individual) holds another type than the two outcomes that are
/// shared. Only [`Value`]s have a place in entries and in what waiting requests receive. So content
/// that is meant for one request cannot reach another: code that mixed the two would not compile.
pub(crate) enum RenderOutcome<V: Value> {
    /// The value is kept, and given to every request for as long as it lives.
    Store {
        value: V,
        lifetime: Lifetime,
        /// The value is kept in memory only. It is not worth filling a store behind memory with.
        is_passing: bool,
    },
    /// The value is given to the requests that waited and to those of the next second, and is
    /// never stored. In a refresh, the old entry stays.
    ShareOnce(V),
    /// The value is for the one request that started the render. Every other request runs its own
    /// render, and for the time `pass` from now on no request waits for another. In a refresh, the
    /// old entry is dropped.
    Individual {
        value: V::Individual,
        pass: Duration,
    },
}

/// The time for which a key is passed if nothing else is known. It is long enough that a crowd
/// does not queue, and short enough that an answer which was individual by accident is soon shared
/// again.
pub(crate) const PASS: Duration = Duration::from_secs(10);

impl<V: Value> RenderOutcome<V> {
    pub(crate) fn store(value: V, lifetime: Lifetime) -> Self {
        Self::Store {
            value,
            lifetime,
            is_passing: false,
        }
    }

    /// Makes an outcome that is kept in memory only, and in no store behind it.
    pub(crate) fn passing(value: V, lifetime: Lifetime) -> Self {
        Self::Store {
            value,
            lifetime,
            is_passing: true,
        }
    }

    #[cfg(test)]
    /// Makes an individual outcome that passes the key for the usual ten seconds.
    pub(crate) fn individual(value: V::Individual) -> Self {
        Self::Individual { value, pass: PASS }
    }

    /// Adds the tags of what the render used, beyond those that its [`Call`](super::Call) declares.
    pub(crate) fn tagged(self, tags: Vec<Tag>) -> TaggedOutcome<V> {
        TaggedOutcome {
            outcome: self,
            tags,
        }
    }
}

/// The result that a render hands to the engine.
pub(crate) struct TaggedOutcome<V: Value> {
    pub(crate) outcome: RenderOutcome<V>,
    /// The tags that the render turned out to depend on. Outcomes that are not stored have tags
    /// too, so that a result made before an invalidation is not shared after it.
    pub(crate) tags: Vec<Tag>,
}

impl<V: Value> From<RenderOutcome<V>> for TaggedOutcome<V> {
    fn from(outcome: RenderOutcome<V>) -> Self {
        outcome.tagged(Vec::new())
    }
}
