//! Why there is no export.

use std::path::PathBuf;
use std::{fmt, io};

use crate::table::{Place, RoutesError};

/// Why there is no export. Nothing has been written then.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExportError {
    /// The routes could not be served either.
    Routes(RoutesError),
    /// Routes and paths that a directory cannot answer for.
    Refused(Vec<Refusal>),
    /// The directory is not one to be replaced.
    Directory {
        /// As it was asked for.
        path: PathBuf,
        /// Why it is left alone.
        why: &'static str,
    },
    /// Something cannot be read or written.
    Io {
        /// What it was.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A route, or one path of it, that cannot be exported.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// Why, and what is wrong with it.
    pub why: String,
    /// The path, if the route has others that are not refused, or are for other reasons.
    pub path: Option<String>,
    /// The route.
    pub route: Option<Place>,
    /// What to do about it.
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
