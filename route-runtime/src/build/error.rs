//! The error of a build.

use std::fmt;
use std::path::PathBuf;

use crate::routes::NotAhead;
use crate::table::RoutesError;

/// The reason why a build failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The table of routes has problems, with which the routes could not be served either.
    Routes(RoutesError),
    /// Some paths could not be rendered.
    Failed(Vec<NotBuilt>),
    /// Files could not be read or written in this directory; the log says why.
    Directory(PathBuf),
}

/// A path that could not be rendered, or a pattern whose paths could not be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotBuilt {
    /// The path, or the pattern.
    pub path: String,
    /// The reason why it was not rendered.
    pub reason: String,
}

impl From<NotAhead> for NotBuilt {
    fn from(NotAhead { path, reason }: NotAhead) -> Self {
        Self { path, reason }
    }
}

impl From<RoutesError> for BuildError {
    fn from(error: RoutesError) -> Self {
        Self::Routes(error)
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Routes(error) => error.fmt(f),
            Self::Failed(failed) => {
                match failed.len() {
                    1 => f.write_str("1 path could not be rendered")?,
                    count => write!(f, "{count} paths could not be rendered")?,
                }
                for NotBuilt { path, reason } in failed {
                    write!(f, "\n  {path}: {reason}")?;
                }
                Ok(())
            }
            Self::Directory(path) => write!(
                f,
                "`{}` cannot be used for files; the log says why\n  help: name a directory that \
                 can be written with `--out`",
                path.display()
            ),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Routes(error) => Some(error),
            Self::Failed(_) | Self::Directory(_) => None,
        }
    }
}
