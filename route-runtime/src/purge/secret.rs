//! The credential for a shared cache.

use std::fmt;

/// A credential for the interface of a shared cache. It is never printed.
///
/// ```
/// use route_runtime::purge::PurgeToken;
///
/// let token = PurgeToken::from(String::from("s3cret"));
/// assert_eq!(format!("{token:?}"), "PurgeToken(…)");
/// ```
#[derive(Clone)]
pub struct PurgeToken(String);

impl PurgeToken {
    /// Returns the credential, without the line break that a file with a secret often ends with.
    pub(super) fn reveal(&self) -> &str {
        self.0.trim()
    }
}

impl From<String> for PurgeToken {
    fn from(token: String) -> Self {
        Self(token)
    }
}

impl From<&str> for PurgeToken {
    fn from(token: &str) -> Self {
        Self(token.into())
    }
}

impl fmt::Debug for PurgeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PurgeToken(…)")
    }
}
