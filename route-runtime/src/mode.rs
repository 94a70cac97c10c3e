//! Development or production.

use std::env;

/// Whether what is served is being written or being used.
///
/// Debug builds are development, release builds production; the environment variable `ROUTE_MODE`
/// (`development` or `production`), [`Server::mode`](crate::Server::mode) and the option `--mode`
/// decide otherwise, each before the one named before it. The commands `build`, `start` and `export`
/// are production whatever they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Every response is rendered anew, and errors show their cause.
    Development,
    /// What may be cached is, and errors show nothing internal.
    Production,
}

impl Mode {
    /// From `ROUTE_MODE`, else from the profile.
    ///
    /// # Errors
    ///
    /// If `ROUTE_MODE` is another word, which the error quotes.
    pub fn from_env() -> Result<Self, String> {
        match env::var("ROUTE_MODE").as_deref() {
            Ok("development") => Ok(Self::Development),
            Ok("production") => Ok(Self::Production),
            Ok("") | Err(env::VarError::NotPresent) => Ok(Self::of_profile()),
            Ok(other) => Err(other.into()),
            Err(env::VarError::NotUnicode(other)) => Err(other.to_string_lossy().into()),
        }
    }

    pub(crate) const fn of_profile() -> Self {
        if cfg!(debug_assertions) {
            Self::Development
        } else {
            Self::Production
        }
    }
}
