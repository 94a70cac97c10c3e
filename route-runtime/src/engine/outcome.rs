//! What a render made, and with whom it may be shared.

use std::time::Duration;

use super::entry::Value;
use super::freshness::Lifetime;
use crate::store::Tag;

/// What may be done with what a render made.
///
/// [`Individual`](Outcome::Individual) holds another type than the two that are shared, and only
/// [`Value`]s have a place in entries and in what waiting requests receive. That content meant for
/// one request reaches another is therefore not a mistake that can be made here: it does not
/// compile.
pub(crate) enum Outcome<V: Value> {
    /// Kept, and given to every request for as long as it lives.
    Store {
        value: V,
        lifetime: Lifetime,
        /// Kept in memory only. A store behind it is not to be filled with what is not worth it.
        is_passing: bool,
    },
    /// Given to the requests that waited and to those of the next second, and never stored. In a
    /// refresh the old entry stays.
    ShareOnce(V),
    /// For the one request that started the render; every other runs its own, and for `pass` from
    /// now on none waits for another. In a refresh the old entry is dropped.
    Individual {
        value: V::Individual,
        pass: Duration,
    },
}

/// How long a key is passed if nothing else is known: long enough that a crowd does not queue,
/// short enough that an answer which was individual by accident is soon shared again.
pub(crate) const PASS: Duration = Duration::from_secs(10);

impl<V: Value> Outcome<V> {
    pub(crate) fn store(value: V, lifetime: Lifetime) -> Self {
        Self::Store {
            value,
            lifetime,
            is_passing: false,
        }
    }

    /// Stored in memory only, and in no store behind it.
    pub(crate) fn passing(value: V, lifetime: Lifetime) -> Self {
        Self::Store {
            value,
            lifetime,
            is_passing: true,
        }
    }

    #[cfg(test)]
    /// Individual, passing the key for the usual ten seconds.
    pub(crate) fn individual(value: V::Individual) -> Self {
        Self::Individual { value, pass: PASS }
    }

    /// Adds the tags of what the render used, beyond those its [`Call`](super::Call) declares.
    pub(crate) fn tagged(self, tags: Vec<Tag>) -> Rendered<V> {
        Rendered {
            outcome: self,
            tags,
        }
    }
}

/// What a render hands to the engine.
pub(crate) struct Rendered<V: Value> {
    pub(crate) outcome: Outcome<V>,
    /// What it turned out to depend on; also for outcomes that are not stored, so that what was
    /// made before an invalidation is not shared after it.
    pub(crate) tags: Vec<Tag>,
}

impl<V: Value> From<Outcome<V>> for Rendered<V> {
    fn from(outcome: Outcome<V>) -> Self {
        outcome.tagged(Vec::new())
    }
}
