//! The differences between a lock and the routes, and the other errors of a lock.

use std::path::PathBuf;
use std::{fmt, io};

use super::VERSION;
use crate::declaration::Rendering;
use crate::table::Place;

/// A difference between a [`Lock`](super::Lock) and the routes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The lock has a route that does not exist any more.
    Gone {
        /// The route's line in the lock.
        old: String,
    },
    /// A route is not in the lock.
    New {
        /// The line that the route would have in the lock.
        new: String,
        /// The decision how the route is rendered, and its reason.
        rendering: Rendering,
        /// The place where the route is declared.
        place: Place,
    },
    /// A route has changed: the decision how it is rendered, its lifetimes or its tags.
    Changed {
        /// The route's line in the lock.
        old: String,
        /// The line that the route would have now.
        new: String,
        /// The decision how the route is rendered now, and its reason.
        rendering: Rendering,
        /// The place where the route is declared.
        place: Place,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let because = |f: &mut fmt::Formatter<'_>, rendering: &Rendering, place: &Place| {
            let now = if rendering.is_cached() {
                "cached"
            } else {
                "dynamic"
            };
            write!(f, "\n  {now}, because: {rendering}\n  {place}")
        };
        match self {
            Self::Gone { old } => write!(f, "a route is gone\n  - {old}"),
            Self::New {
                new,
                rendering,
                place,
            } => {
                write!(f, "a route is new\n  + {new}")?;
                because(f, rendering, place)
            }
            Self::Changed {
                old,
                new,
                rendering,
                place,
            } => {
                write!(f, "a route has changed\n  - {old}\n  + {new}")?;
                because(f, rendering, place)
            }
        }
    }
}

/// The reason why a [`Lock`](super::Lock) cannot be used, or in what it differs from the routes.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockError {
    /// The text is a lock of another version, or no lock at all. The value is its first line that
    /// is neither empty nor a comment.
    Version(String),
    /// A line cannot be read.
    Line {
        /// The number of the line, counted from 1.
        number: usize,
        /// The text of the line.
        text: String,
        /// The reason why it cannot be read.
        what: &'static str,
    },
    /// The file cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file cannot be written.
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Routes are not rendered as the lock says. The value is every difference.
    Differs(Vec<Difference>),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(found) => write!(
                f,
                "the lock of the routes starts with `{found}`\n  help: expected `{VERSION}`; run \
                 `lock` to write it anew"
            ),
            Self::Line { number, text, what } => write!(
                f,
                "line {number} of the lock of the routes {what}: `{text}`\n  help: run `lock` to \
                 write it anew"
            ),
            Self::Write { path, source } => {
                write!(f, "cannot write `{}`: {source}", path.display())
            }
            Self::Read { path, source } => {
                write!(f, "cannot read `{}`: {source}", path.display())?;
                match source.kind() {
                    io::ErrorKind::NotFound => f.write_str("\n  help: run `lock` to write it"),
                    _ => Ok(()),
                }
            }
            Self::Differs(differences) => {
                match differences.len() {
                    1 => f.write_str("1 route is not as it was locked")?,
                    count => write!(f, "{count} routes are not as they were locked")?,
                }
                for difference in differences {
                    write!(f, "\n\n{difference}")?;
                }
                f.write_str("\n\nhelp: if that is meant, run `lock` and commit what it writes")
            }
        }
    }
}

impl std::error::Error for LockError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } => Some(source),
            Self::Version(_) | Self::Line { .. } | Self::Differs(_) => None,
        }
    }
}
