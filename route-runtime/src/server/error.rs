//! The error of a server or of a command.

use std::{fmt, io, iter};

use crate::build::BuildError;
use crate::export::ExportError;
use crate::lock::LockError;
use crate::revalidate::RevalidateError;
use crate::store::StoreError;
use crate::table::RoutesError;

/// The reason why a server did not start, why it failed later, or why a command failed.
#[non_exhaustive]
pub enum ServeError {
    /// The table of routes has problems.
    Routes(RoutesError),
    /// An environment variable has a value that cannot be used.
    Environment {
        /// The name of the variable.
        name: &'static str,
        /// The value of the variable.
        value: String,
        /// A description of the values that it may have.
        expected: &'static str,
    },
    /// The server cannot listen on the address.
    Bind {
        /// The address, as it was configured.
        address: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The admin listener cannot listen on its address.
    BindAdmin {
        /// The address, as it was configured.
        address: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The secret for the admin listener, in `ROUTE_ADMIN_SECRET`, cannot be used. The error does not
    /// hold the secret.
    AdminSecret {
        /// The reason, as the rest of a sentence about the secret.
        why: &'static str,
    },
    /// The store behind memory cannot be used.
    Store(StoreError),
    /// The command `build` failed.
    Build(BuildError),
    /// The command `export` refused or failed.
    Export(ExportError),
    /// The command `revalidate` could not invalidate something.
    Revalidate(RevalidateError),
    /// The lock file cannot be used, or the routes are not rendered as it says.
    Lock(LockError),
    /// The server failed while it ran, or a command could not print its result.
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

impl From<RevalidateError> for ServeError {
    fn from(error: RevalidateError) -> Self {
        Self::Revalidate(error)
    }
}

impl From<LockError> for ServeError {
    fn from(error: LockError) -> Self {
        Self::Lock(error)
    }
}

/// The ways to choose a port, as an error message names them.
const PORT: &str = if cfg!(feature = "cli") {
    "`--port` or PORT"
} else {
    "PORT"
};

/// The ways to choose the address of the admin listener, as an error message names them.
const ADMIN: &str = if cfg!(feature = "cli") {
    "`--admin`, `Server::admin` or ROUTE_ADMIN"
} else {
    "`Server::admin` or ROUTE_ADMIN"
};

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Routes(error) => error.fmt(f),
            Self::Revalidate(error) => f.write_str(&with_causes(error)),
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
            Self::BindAdmin { address, source } => write!(
                f,
                "cannot listen on {address} for operators: {source}\n  help: choose an address of \
                 this machine with a free port, such as 127.0.0.1:9000, with {ADMIN}"
            ),
            Self::AdminSecret { why } => write!(
                f,
                "ROUTE_ADMIN_SECRET {why}\n  help: make one with `openssl rand -hex 32`"
            ),
            Self::Store(error) => {
                let why = with_causes(error);
                write!(f, "the cache's store cannot be used: {why}")
            }
            Self::Build(error) => error.fmt(f),
            Self::Export(error) => error.fmt(f),
            Self::Lock(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

/// Returns the text of an error and of each of its causes.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = iter::successors(Some(error), |error| error.source());
    let texts: Vec<_> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}

/// Writes the same text as [`Display`](fmt::Display). `main` prints this when it returns the error,
/// and a developer should then read sentences and not a struct.
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
            Self::Revalidate(error) => Some(error),
            Self::Bind { source, .. } | Self::BindAdmin { source, .. } | Self::Io(source) => {
                Some(source)
            }
            Self::Environment { .. } | Self::AdminSecret { .. } => None,
        }
    }
}
