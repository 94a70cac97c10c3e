//! Which renders a request comes from.

use std::sync::Arc;
use std::{fmt, iter};

use super::flight::FlightId;

/// What a request makes of stale content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stale {
    /// Takes it, and has it refreshed.
    Serve,
    /// Reads it as absent and waits for new content. For renders whose own result will be stored:
    /// otherwise each layer would add its staleness to that of the layer below.
    Refetch,
}

/// The renders under way on whose behalf something is asked for, innermost first. Handed to every
/// render, which hands it on with each request of its own. A clone shares the chain.
pub(crate) struct Ancestry<K>(Arc<Link<K>>);

struct Link<K> {
    key: K,
    /// The nearest flight: the one that waits if this render does.
    flight: Option<FlightId>,
    parent: Option<Ancestry<K>>,
    depth: usize,
}

/// A chain longer than this is taken for an endless one.
const DEEPEST: usize = 64;

impl<K> Ancestry<K> {
    /// The render of a flight.
    pub(super) fn flight(key: K, flight: FlightId, parent: Option<&Self>) -> Self {
        Self::link(key, Some(flight), parent)
    }

    /// A render whose result goes to one request only.
    pub(super) fn alone(key: K, parent: Option<&Self>) -> Self {
        Self::link(key, parent.and_then(Self::nearest_flight), parent)
    }

    fn link(key: K, flight: Option<FlightId>, parent: Option<&Self>) -> Self {
        Self(Arc::new(Link {
            key,
            flight,
            parent: parent.cloned(),
            depth: parent.map_or(0, |parent| parent.0.depth) + 1,
        }))
    }

    pub(super) fn nearest_flight(&self) -> Option<FlightId> {
        self.0.flight
    }

    /// Returns the key being rendered.
    pub(crate) fn key(&self) -> &K {
        &self.0.key
    }

    /// Returns how the requests of this render are to read stale content: by whether what is made
    /// of it may be stored, here or further out.
    pub(crate) fn stale(&self) -> Stale {
        match self.0.flight {
            Some(_) => Stale::Refetch,
            None => Stale::Serve,
        }
    }

    /// Returns the renders of the chain, innermost first.
    fn iter(&self) -> impl Iterator<Item = &Self> {
        iter::successors(Some(self), |link| link.0.parent.as_ref())
    }

    pub(super) fn is_deep(&self) -> bool {
        self.0.depth >= DEEPEST
    }
}

impl<K: PartialEq> Ancestry<K> {
    /// Whether a further render of `key` would go round in a circle: it is already being rendered
    /// for its own sake.
    pub(super) fn circles(&self, key: &K) -> bool {
        self.is_deep() || self.iter().filter(|link| link.0.key == *key).count() >= 2
    }
}

impl<K> Clone for Ancestry<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: fmt::Debug> fmt::Debug for Ancestry<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(Self::key)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_be_rendered_again_for_its_own_sake_once() {
        let first = Ancestry::alone("a", None);
        assert!(!first.circles(&"a"));
        let inner = Ancestry::alone("b", Some(&first));
        assert!(!inner.circles(&"a"));
        let again = Ancestry::alone("a", Some(&inner));
        assert!(again.circles(&"a"));
        assert!(!again.circles(&"b"));
        assert_eq!(format!("{again:?}"), r#"["a", "b", "a"]"#);
    }

    #[test]
    fn an_endless_chain_of_new_keys_is_cut() {
        let mut chain = Ancestry::alone(0, None);
        let mut depth = 1;
        while !chain.circles(&depth) {
            chain = Ancestry::alone(depth, Some(&chain));
            depth += 1;
        }
        assert_eq!(depth, DEEPEST);
    }
}
