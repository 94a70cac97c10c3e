//! The names of tags: of paths, patterns and data, and those that a declaration puts together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::declaration::{Config, TagPart};
use crate::engine::{CacheKey as _, Key};
use crate::pattern::Params;
use crate::store::Tag;
use crate::target;

/// Returns the tag of one path.
pub(crate) fn path_tag(path: &str) -> Tag {
    Tag::of_ours("path", path)
}

/// Returns the tag of every path of a pattern.
pub(crate) fn pattern_tag(pattern: &str) -> Tag {
    Tag::of_ours("pattern", pattern)
}

/// Returns the tag that one piece of data has to itself.
pub(crate) fn data_tag(key: &Key) -> Tag {
    Tag::of_ours("data", key.name())
}

/// Returns the tags on which the response of a path depends by its declaration: its own, that of its
/// pattern, and those of the option `tags`, with the values of its parameters.
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

/// Returns the tag of a name that is put together while the program runs. `None` for a name that nobody
/// could invalidate; taken as it is, it might be that of a path.
pub(crate) fn usable_tag(name: &str) -> Option<Tag> {
    static IS_SAID: AtomicBool = AtomicBool::new(false);
    let tag = Tag::of_user(name);
    // A client may be who names them, and is not to fill the log.
    if tag.is_none() && !IS_SAID.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            target: target::CACHE,
            tag = ?name,
            "left out: a tag is not empty and has no control characters; others like it are left \
             out, too, without a word"
        );
    }
    tag
}
