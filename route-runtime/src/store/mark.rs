//! Points in the history of a record of invalidations.

use std::fmt;

/// The number of an invalidation.
///
/// Content whose render began at epoch 7 has seen every invalidation up to the seventh. An epoch is
/// a counter and not a time, because the clocks of machines differ and the order of invalidations
/// does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// A point in the history of a store's record: the last invalidation that is reflected.
///
/// A number alone does not say which invalidation it was: a store that lost some gives the same
/// numbers again. So each number has a random word, which a store makes when it gives the number
/// and remembers. A store that does not know a mark has lost what led to it.
///
/// ```
/// # use route_runtime::store::{Epoch, Mark};
/// let before_the_loss = Mark { epoch: Epoch(7), word: 0x3f1c };
/// let given_again = Mark { epoch: Epoch(7), word: 0xa208 };
/// assert_ne!(before_the_loss, given_again);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The number of the invalidation.
    pub epoch: Epoch,
    /// The word that the store made for it.
    pub word: u64,
}

impl Mark {
    /// The mark before any invalidation, which every store knows.
    pub const START: Self = Self {
        epoch: Epoch(0),
        word: 0,
    };
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mark({}, {:016x})", self.epoch.0, self.word)
    }
}
