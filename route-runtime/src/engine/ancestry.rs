//! The chain of renders that a request comes from.

use std::sync::Arc;
use std::{fmt, iter};

use super::flight::FlightId;

/// The way in which a request treats stale content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stale {
    /// Accepts it, and has it refreshed.
    Serve,
    /// Treats it as absent, and waits for new content. This is for renders whose own result will
    /// be stored: otherwise each layer would add its staleness to that of the layer below.
    Refetch,
}

/// The renders under way on whose behalf a request is made, innermost first. Every render receives
/// its ancestry, and passes it on with each request of its own. A clone shares the chain.
pub(crate) struct Ancestry<K>(Arc<AncestryLink<K>>);

struct AncestryLink<K> {
    key: K,
    /// The nearest flight in the chain. It waits whenever this render waits.
    flight: Option<FlightId>,
    parent: Option<Ancestry<K>>,
    depth: usize,
}

/// The length at which a chain of renders is taken to be endless.
const DEEPEST: usize = 64;

impl<K> Ancestry<K> {
    /// Makes the link of a flight's render.
    pub(super) fn flight(key: K, flight: FlightId, parent: Option<&Self>) -> Self {
        Self::link(key, Some(flight), parent)
    }

    /// Makes the link of a render whose result goes to one request only.
    pub(super) fn alone(key: K, parent: Option<&Self>) -> Self {
        Self::link(key, parent.and_then(Self::nearest_flight), parent)
    }

    fn link(key: K, flight: Option<FlightId>, parent: Option<&Self>) -> Self {
        Self(Arc::new(AncestryLink {
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

    /// Returns how the requests of this render treat stale content. That depends on whether the
    /// result may be stored, here or further out in the chain.
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
    /// Returns whether another render of `key` would go round in a circle. It would if the key is
    /// already being rendered on its own behalf, or if the chain is taken to be endless.
    pub(super) fn would_cycle(&self, key: &K) -> bool {
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
    fn a_key_may_be_rendered_once_more_on_its_own_behalf() {
        let first = Ancestry::alone("a", None);
        assert!(!first.would_cycle(&"a"));
        let inner = Ancestry::alone("b", Some(&first));
        assert!(!inner.would_cycle(&"a"));
        let again = Ancestry::alone("a", Some(&inner));
        assert!(again.would_cycle(&"a"));
        assert!(!again.would_cycle(&"b"));
        assert_eq!(format!("{again:?}"), r#"["a", "b", "a"]"#);
    }

    #[test]
    fn an_endless_chain_of_new_keys_is_cut_off() {
        let mut chain = Ancestry::alone(0, None);
        let mut depth = 1;
        while !chain.would_cycle(&depth) {
            chain = Ancestry::alone(depth, Some(&chain));
            depth += 1;
        }
        assert_eq!(depth, DEEPEST);
    }
}
