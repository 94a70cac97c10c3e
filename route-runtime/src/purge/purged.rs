//! The tags and paths that are purged.

use crate::store::{Invalidation, Tag};
use crate::tags::{path_of, push_public_name};

/// The content that a shared cache is to forget: everything that has one of these tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purged {
    tags: Vec<String>,
    paths: Vec<String>,
    is_soft: bool,
}

impl Purged {
    pub(crate) fn new(tags: &[Tag], how: Invalidation) -> Self {
        let paths = tags.iter().filter_map(path_of).map(str::to_owned);
        Self {
            tags: tags.iter().map(public_name).collect(),
            paths: paths.collect(),
            is_soft: how == Invalidation::Stale,
        }
    }

    /// Returns the tags, as they stand in the [header for tags](crate::TagHeader) of responses. There
    /// is at least one. The tag of a path is the path, and that of a pattern is the pattern.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// Returns the paths that were invalidated by name, percent-encoded and behind the prefix of the
    /// routes, for caches that know no tags. Paths that have an invalidated tag are not among them.
    #[must_use]
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Returns whether the content is only stale: the cache may serve it while it fetches new
    /// content. A cache that has no such purge does nothing.
    #[must_use]
    pub fn is_soft(&self) -> bool {
        self.is_soft
    }
}

fn public_name(tag: &Tag) -> String {
    let mut name = String::new();
    push_public_name(tag, &mut name);
    name
}
