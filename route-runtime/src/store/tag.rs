//! Tags, and how an invalidation of one is ordered against renders.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// What content depends on, by name: `posts`, `post:7`, a path, a pattern.
///
/// Invalidating a tag reaches every entry that carries it. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Arc<str>);

impl Tag {
    /// Makes the tag of that name. Names are compared byte by byte.
    ///
    /// Any name, also one that is empty or very long. A store remembers so many bytes of all names
    /// together, though (16 MiB of those of [`MemoryStore`](super::MemoryStore)): invalidating one
    /// that is longer than this invalidates everything.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Makes a tag of a name that a user gives. `None` for one that is empty or has control
    /// characters.
    pub(crate) fn of_user(name: &str) -> Option<Self> {
        let is_valid = !name.is_empty() && !name.contains(char::is_control);
        is_valid.then(|| Self::from(name))
    }

    /// Makes a tag that no user can name: of a path, a pattern, a piece of data.
    pub(crate) fn of_ours(kind: &str, name: &str) -> Self {
        Self::new(format!("\0{kind} {name}"))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Tag {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl Borrow<str> for Tag {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A point in the sequence of invalidations: the number of the last one that is reflected.
///
/// Content rendered from epoch 7 on has seen every invalidation up to the seventh. It is a
/// counter, not a time: clocks of machines differ, the order of invalidations does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// What an invalidation does to the entries it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Invalidation {
    /// They count as absent: the next request waits for new content.
    Absent,
    /// They count as stale: the next request gets the old content and starts a refresh.
    Stale,
}

/// When the content under a tag was last made absent, and when it was last made stale.
///
/// ```
/// # use route_runtime::store::{Epoch, Risen};
/// let risen = Risen { absent: Epoch(3), stale: Epoch(5) };
/// assert_eq!(risen.latest(), Epoch(5));
/// assert_eq!(Risen::default().latest(), Epoch(0), "never");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Risen {
    /// Content that began below this epoch is absent.
    pub absent: Epoch,
    /// Content that began below this epoch is at best stale.
    pub stale: Epoch,
}

impl Risen {
    /// Returns the epoch of the latest invalidation of either kind.
    pub fn latest(self) -> Epoch {
        self.absent.max(self.stale)
    }

    pub(crate) fn raise(&mut self, how: Invalidation, epoch: Epoch) {
        match how {
            Invalidation::Absent => self.absent = self.absent.max(epoch),
            Invalidation::Stale => self.stale = self.stale.max(epoch),
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.absent = self.absent.max(other.absent);
        self.stale = self.stale.max(other.stale);
    }
}
