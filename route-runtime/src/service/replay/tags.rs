//! The tags of a response, by which shared caches outside can purge it.

use crate::declaration::TagHeader;
use crate::store::Tag;
use crate::tags::push_public_name;

/// The longest list of tags in bytes. By default, nginx answers with 502 if the whole head of a
/// response is longer than a page of memory, 4096 bytes.
const LONGEST: usize = 3072;

/// The tags of a response, as one header has them.
pub(in crate::service) struct OutsideTags {
    pub(super) header: TagHeader,
    pub(super) list: String,
    /// Set if there are more tags than the list may have. Then it has the response's own only.
    pub(in crate::service) is_cut: bool,
}

impl OutsideTags {
    /// Lists the tags of an entry. `own` returns the tags of its path and its pattern.
    pub(in crate::service) fn of(
        header: TagHeader,
        tags: &[Tag],
        own: impl FnOnce() -> [Tag; 2],
    ) -> Self {
        let list = list(header, tags);
        let is_cut = list.len() > LONGEST;
        Self {
            header,
            list: if is_cut {
                self::list(header, &own())
            } else {
                list
            },
            is_cut,
        }
    }
}

/// Lists tags up to the first that makes the list too long.
fn list(header: TagHeader, tags: &[Tag]) -> String {
    let mut list = String::new();
    let mut last = 0..0;
    for tag in tags {
        let end = list.len();
        if end > LONGEST {
            break;
        }
        if end > 0 {
            list.push(header.separator());
        }
        let start = list.len();
        // A route without parameters has the same name for its path and its pattern.
        push_public_name(tag, &mut list);
        if list[start..] == list[last.clone()] {
            list.truncate(end);
        } else {
            last = start..list.len();
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::{path_tag, pattern_tag};

    fn own() -> [Tag; 2] {
        [path_tag("/a/7"), pattern_tag("/a/[id]")]
    }

    #[test]
    fn tags_are_separated_as_the_header_wants() {
        let tags = [&own()[..], &["b,c".into(), "d e".into()]].concat();
        for (header, expected) in [
            (TagHeader::CacheTag, "/a/7,/a/[id],b%2Cc,d%20e"),
            (TagHeader::EdgeCacheTag, "/a/7,/a/[id],b%2Cc,d%20e"),
            (TagHeader::SurrogateKey, "/a/7 /a/[id] b%2Cc d%20e"),
            (TagHeader::Xkey, "/a/7 /a/[id] b%2Cc d%20e"),
        ] {
            assert_eq!(OutsideTags::of(header, &tags, own).list, expected);
        }
        let once = [path_tag("/a"), pattern_tag("/a"), "b".into()];
        let once = OutsideTags::of(TagHeader::CacheTag, &once, own);
        assert_eq!((&*once.list, once.is_cut), ("/a,b", false));
    }

    #[test]
    fn a_list_that_is_too_long_has_the_own_tags_only() {
        let tags: Vec<_> = (0..1000)
            .map(|id| Tag::new(format!("product:{id}")))
            .collect();
        let tags = OutsideTags::of(TagHeader::CacheTag, &tags, own);
        assert_eq!((&*tags.list, tags.is_cut), ("/a/7,/a/[id]", true));
        let long = "ö".repeat(LONGEST);
        let long = || [path_tag(&long), pattern_tag(&long)];
        let tags = OutsideTags::of(TagHeader::CacheTag, &long(), long);
        assert!(!tags.is_cut && tags.list.len() < LONGEST);
    }
}
