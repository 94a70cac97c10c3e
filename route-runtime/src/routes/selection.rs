//! The invalidation of several things in one step, as it is asked for from outside the program.

use serde::{Deserialize, Serialize};

use super::Routes;
use crate::revalidate::{RevalidateError, Target};

/// The tags, paths and patterns that one command or one request invalidates together.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Selection {
    pub(crate) tags: Vec<String>,
    pub(crate) paths: Vec<String>,
    pub(crate) patterns: Vec<String>,
    /// Marks what is selected as stale, instead of absent.
    pub(crate) stale: bool,
}

impl Selection {
    /// Returns whether nothing is selected.
    pub(crate) fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.paths.is_empty() && self.patterns.is_empty()
    }

    /// Invalidates the selection: all of it, or nothing if one of its names means nothing. Returns
    /// once the store behind memory has recorded it.
    pub(crate) async fn invalidate(&self, routes: &Routes) -> Result<(), RevalidateError> {
        let tags = self.tags.iter().cloned().map(Target::Tag);
        let paths = self.paths.iter().cloned().map(Target::Path);
        let patterns = self.patterns.iter().cloned().map(Target::Pattern);
        let revalidation = routes.revalidate(tags.chain(paths).chain(patterns).collect());
        match self.stale {
            true => revalidation.stale().await,
            false => revalidation.await,
        }
    }
}
