//! The mode of a program: development or production.

use std::env;
use std::str::FromStr;

/// The mode in which routes are served.
///
/// By default, a debug build runs in development and a release build in production. The environment
/// variable `ROUTE_MODE` (`development` or `production`) overrides that,
/// [`Server::mode`](crate::Server::mode) overrides the variable, and the option `--mode` overrides
/// both. The commands `build`, `start` and `export` always run in production.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Every response is rendered anew, and errors show their cause.
    Development,
    /// Responses of cached routes are cached, and errors show nothing internal.
    Production,
}

impl Mode {
    /// Returns the mode that `ROUTE_MODE` names, or that of the build profile if it is not set.
    ///
    /// # Errors
    ///
    /// If `ROUTE_MODE` is another word. The error is this word.
    pub fn from_env() -> Result<Self, String> {
        match env::var("ROUTE_MODE").as_deref() {
            Ok("") | Err(env::VarError::NotPresent) => Ok(Self::of_profile()),
            Ok(word) => word.parse(),
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

impl FromStr for Mode {
    type Err = String;

    /// Reads `development` or `production`.
    ///
    /// # Errors
    ///
    /// If it is another word, which is the error.
    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "development" => Ok(Self::Development),
            "production" => Ok(Self::Production),
            other => Err(other.into()),
        }
    }
}
