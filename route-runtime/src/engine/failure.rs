//! The reasons why a request gets no value.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::owner::Owner;

/// The reason why a request gets no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Too many renders of this handler are waiting already, or they have waited for too long.
    Overloaded { owner: Owner, retry_after: Duration },
    /// The render took longer than its limit, and was dropped.
    TimedOut,
    /// The render panicked with this message.
    Panicked(Arc<str>),
    /// Renders were begun and dropped several times, because the program is shutting down.
    Abandoned,
    /// The render needs its own result.
    Cycle,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overloaded { owner, .. } => {
                write!(f, "too many renders of `{owner}` are under way or wait")
            }
            Self::TimedOut => f.write_str("the render took too long"),
            Self::Panicked(message) => write!(f, "the render panicked: {message}"),
            Self::Abandoned => f.write_str("the render was abandoned"),
            Self::Cycle => f.write_str("the render needs its own result"),
        }
    }
}

impl std::error::Error for Failure {}
