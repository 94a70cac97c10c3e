//! The tags of paths, patterns and data, and the tags that a declaration composes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::declaration::{Config, TagPart};
use crate::engine::{CacheKey as _, Key};
use crate::pattern::Params;
use crate::store::Tag;
use crate::target;

mod public;

pub(crate) use self::public::push_public_name;

const PATH: &str = "path";
const PATTERN: &str = "pattern";
const DATA: &str = "data";

/// Returns the tag of one path.
pub(crate) fn path_tag(path: &str) -> Tag {
    Tag::of_ours(PATH, path)
}

/// Returns the path that a tag is that of, if it is the tag of one path.
pub(crate) fn path_of(tag: &Tag) -> Option<&str> {
    let (kind, path) = tag.ours()?;
    (kind == PATH).then_some(path)
}

/// Returns the tag of every path of a pattern.
pub(crate) fn pattern_tag(pattern: &str) -> Tag {
    Tag::of_ours(PATTERN, pattern)
}

/// Returns the tag that only one piece of data has.
pub(crate) fn data_tag(key: &Key) -> Tag {
    Tag::of_ours(DATA, key.name())
}

/// Returns the tags on which the response of a path depends by its declaration: the tag of the
/// path, the tag of its pattern, and the tags of the option `tags`, with the values of the
/// parameters.
pub(crate) fn of_path(path: &str, pattern: Tag, config: &Config, params: &Params) -> Arc<[Tag]> {
    let declared = config.tags.iter().filter_map(|parts| {
        let parts = parts.iter().map(|part| match part {
            TagPart::Literal(text) => (*text).to_owned(),
            TagPart::Param(index) => {
                let values: Vec<_> = params.values(path, *index).collect();
                values.join("/")
            }
        });
        usable_tag(&parts.collect::<String>())
    });
    [path_tag(path), pattern]
        .into_iter()
        .chain(declared)
        .collect()
}

/// Returns the tag with a name that is composed while the program runs. Returns `None` for a name
/// that `revalidate_tag` would refuse. Used as it is, such a name could be that of a path's tag.
pub(crate) fn usable_tag(name: &str) -> Option<Tag> {
    static IS_SAID: AtomicBool = AtomicBool::new(false);
    let tag = Tag::of_user(name);
    // The name may come from a client, which must not be able to fill the log.
    if tag.is_none() && !IS_SAID.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            target: target::CACHE,
            tag = ?name,
            "left out, because a tag must not be empty or have control characters; later ones like \
             it are not mentioned"
        );
    }
    tag
}
