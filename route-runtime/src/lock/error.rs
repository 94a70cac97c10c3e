//! What a lock and the routes disagree about, and why a lock cannot be used.

use std::path::PathBuf;
use std::{fmt, io};

use super::VERSION;
use crate::declaration::Rendering;
use crate::table::Place;

/// A route that is rendered otherwise than a [`Lock`](super::Lock) says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The lock has a route that there is not.
    Gone {
        /// Its line.
        old: String,
    },
    /// There is a route that the lock does not have.
    New {
        /// The line it would have.
        new: String,
        /// Whether it is rendered for each request, and why.
        rendering: Rendering,
        /// Where it is declared.
        place: Place,
    },
    /// A route is decided otherwise, is fresh for another time or has other tags.
    Changed {
        /// The lock's line.
        old: String,
        /// The line it would have.
        new: String,
        /// Whether it is rendered for each request, and what decided so.
        rendering: Rendering,
        /// Where it is declared.
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

/// Why a [`Lock`](super::Lock) cannot be used, or what it says is not so.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockError {
    /// The text is of another version, or no lock at all.
    Version(String),
    /// A line cannot be read.
    Line {
        /// Its number, from 1.
        number: usize,
        /// The line.
        text: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The file cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file cannot be written.
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Routes are rendered otherwise than it says.
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
