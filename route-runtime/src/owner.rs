//! The owner of code that users write: the handler or the cached function that it belongs to.

use std::fmt;

/// A handler, named by its pattern, or a cached function, named by its path. Renders and threads
/// are shared out among owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Owner(pub(crate) &'static str);

impl Owner {
    /// The owner of what belongs to no handler.
    pub(crate) const NOBODY: Self = Self("code outside any handler");
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
