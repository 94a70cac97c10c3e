//! The error of a purge.

use std::fmt;

/// The reason why a shared cache may still have what was to be purged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgeError(String);

impl PurgeError {
    /// Makes an error with this text, which names the cache and what went wrong. It is logged, so it
    /// should have no credential in it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn too_late() -> Self {
        Self::new("the shared cache did not answer within two seconds")
    }
}

impl fmt::Display for PurgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PurgeError {}
