//! Tags, and what is known of their invalidations.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use super::Epoch;

/// The name of something that content depends on: `posts`, `post:7`, a path, a pattern.
///
/// Invalidating a tag reaches every entry that carries it. Cloning a tag is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Arc<str>);

impl Tag {
    /// Makes the tag with this name. Names are compared byte by byte.
    ///
    /// Any name is allowed, even one that is empty or very long. However, a store remembers a
    /// limited number of bytes of all names together, which is 16 MiB in a
    /// [`MemoryStore`](super::MemoryStore). Invalidating a tag whose name alone is longer than this
    /// invalidates everything.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Makes a tag from a name that a user gives. Returns `None` if the name is empty or contains
    /// control characters.
    pub(crate) fn of_user(name: &str) -> Option<Self> {
        let is_valid = !name.is_empty() && !name.contains(char::is_control);
        is_valid.then(|| Self::from(name))
    }

    /// Makes a tag that no user can name, for a path, a pattern or a piece of data.
    pub(crate) fn of_ours(kind: &str, name: &str) -> Self {
        Self::new(format!("\0{kind} {name}"))
    }

    /// Returns the kind and the name of a tag that [`of_ours`](Self::of_ours) made.
    pub(crate) fn ours(&self) -> Option<(&str, &str)> {
        self.0.strip_prefix('\0')?.split_once(' ')
    }

    /// Returns the tag's name.
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

/// The effect of an invalidation on the entries that it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Invalidation {
    /// The entries count as absent: the next request waits for new content.
    Absent,
    /// The entries count as stale: the next request gets the old content and starts a refresh.
    Stale,
}

/// The epochs at which the content under a tag was last made absent and last made stale.
///
/// ```
/// # use route_runtime::store::{Epoch, Risen};
/// let risen = Risen { absent: Epoch(3), stale: Epoch(5) };
/// assert_eq!(risen.latest(), Epoch(5));
/// assert_eq!(Risen::default().latest(), Epoch(0), "never");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Risen {
    /// The epoch below which content is absent, by when its render began.
    pub absent: Epoch,
    /// The epoch below which content is at best stale, by when its render began.
    pub stale: Epoch,
}

impl Risen {
    /// Returns the epoch of the latest invalidation of either kind.
    pub fn latest(self) -> Epoch {
        self.absent.max(self.stale)
    }

    pub(super) fn both(epoch: Epoch) -> Self {
        Self {
            absent: epoch,
            stale: epoch,
        }
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
