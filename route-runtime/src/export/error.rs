//! The error of an export.

use std::path::PathBuf;
use std::{fmt, io};

use crate::table::{Place, RoutesError};

/// The reason why an export failed.
///
/// The directory is then as it was before, with one exception: where directories cannot be renamed,
/// as on a mount point or between two file systems, the files are copied one by one, and an
/// [`Io`](Self::Io) error may interrupt that.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExportError {
    /// The table of routes has problems, with which the routes could not be served either.
    Routes(RoutesError),
    /// Some routes or paths cannot be served from files.
    Refused(Vec<Refusal>),
    /// The directory must not be replaced.
    Directory {
        /// The directory, as it was given.
        path: PathBuf,
        /// The reason why it is not replaced.
        why: &'static str,
    },
    /// A file or directory cannot be read or written.
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// A route, or one path of it, that cannot be exported.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The reason why it cannot be exported.
    pub why: String,
    /// The path, or the pattern whose parameters could not be listed. `None` if the whole route is
    /// refused.
    pub path: Option<String>,
    /// The route, if it is known.
    pub route: Option<Place>,
    /// A suggestion how to solve the problem.
    pub help: &'static str,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            why,
            path,
            route,
            help,
        } = self;
        f.write_str(why)?;
        if let Some(path) = path {
            write!(f, "\n  {path}")?;
        }
        if let Some(route) = route {
            write!(f, "\n  {route}")?;
        }
        write!(f, "\n  help: {help}")
    }
}

impl From<RoutesError> for ExportError {
    fn from(error: RoutesError) -> Self {
        Self::Routes(error)
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Routes(error) => error.fmt(f),
            Self::Refused(refusals) => {
                match refusals.len() {
                    1 => f.write_str("1 problem keeps the routes from being exported")?,
                    count => write!(f, "{count} problems keep the routes from being exported")?,
                }
                for refusal in refusals {
                    write!(f, "\n\n{refusal}")?;
                }
                f.write_str("\n\nhelp: `--partial` leaves these out and exports the others")
            }
            Self::Directory { path, why } => write!(
                f,
                "`{}` is not replaced by an export: {why}\n  help: name a directory that is empty \
                 or that there is not yet; `--force` replaces what no export has written",
                path.display()
            ),
            Self::Io { path, source } => write!(f, "`{}`: {source}", path.display()),
        }
    }
}

impl std::error::Error for ExportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Routes(error) => Some(error),
            Self::Io { source, .. } => Some(source),
            Self::Refused(_) | Self::Directory { .. } => None,
        }
    }
}
