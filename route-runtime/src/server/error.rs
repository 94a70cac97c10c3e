//! Why a server did not start, or a command of its command line failed.

use std::{fmt, io};

use crate::build::BuildError;
use crate::export::ExportError;
use crate::lock::LockError;
use crate::store::StoreError;
use crate::table::RoutesError;

/// Why a server did not start, or ended otherwise than it was told to.
#[non_exhaustive]
pub enum ServeError {
    /// The table of routes has problems.
    Routes(RoutesError),
    /// A variable of the environment has a value that means nothing.
    Environment {
        /// The variable.
        name: &'static str,
        /// What it is set to.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The address cannot be listened on.
    Bind {
        /// As it was asked for.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// The store behind memory cannot be used as it was named.
    Store(StoreError),
    /// The command `build` failed.
    Build(BuildError),
    /// The command `export` refused or failed.
    Export(ExportError),
    /// The file of `lock` and `check --locked` cannot be used, or says otherwise than the table.
    Lock(LockError),
    /// The server itself failed.
    Io(io::Error),
}

impl From<RoutesError> for ServeError {
    fn from(error: RoutesError) -> Self {
        Self::Routes(error)
    }
}

impl From<BuildError> for ServeError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl From<ExportError> for ServeError {
    fn from(error: ExportError) -> Self {
        Self::Export(error)
    }
}

impl From<LockError> for ServeError {
    fn from(error: LockError) -> Self {
        Self::Lock(error)
    }
}

/// How a port is chosen, in the words of an error.
const PORT: &str = if cfg!(feature = "cli") {
    "`--port` or PORT"
} else {
    "PORT"
};

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Routes(error) => error.fmt(f),
            Self::Environment {
                name,
                value,
                expected,
            } => write!(f, "{name} is `{value}`\n  help: expected {expected}"),
            Self::Bind { address, source } => {
                write!(f, "cannot listen on {address}: {source}")?;
                match source.kind() {
                    io::ErrorKind::AddrInUse => write!(
                        f,
                        "\n  help: end the program that does, or choose another port with {PORT}"
                    ),
                    io::ErrorKind::PermissionDenied => write!(
                        f,
                        "\n  help: ports below 1024 need privileges; choose another with {PORT}"
                    ),
                    _ => Ok(()),
                }
            }
            Self::Store(error) => {
                write!(f, "the cache's store cannot be used: {error}")?;
                let mut cause = std::error::Error::source(error);
                while let Some(error) = cause {
                    write!(f, ": {error}")?;
                    cause = error.source();
                }
                Ok(())
            }
            Self::Build(error) => error.fmt(f),
            Self::Export(error) => error.fmt(f),
            Self::Lock(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

/// What `main` prints when it returns the error: the same words as [`Display`](fmt::Display), so
/// that a developer reads sentences and not a struct.
impl fmt::Debug for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Routes(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::Build(error) => Some(error),
            Self::Export(error) => Some(error),
            Self::Lock(error) => Some(error),
            Self::Bind { source, .. } | Self::Io(source) => Some(source),
            Self::Environment { .. } => None,
        }
    }
}
