//! The names of tags in headers for shared caches outside.

use std::fmt::Write as _;

use super::{DATA, PATH};
use crate::store::Tag;

/// The longest name in bytes. Fastly ignores a longer one, and every one after it.
const LONGEST: usize = 1024;

/// Appends the name by which shared caches outside know a tag. Returns whether there is one: the
/// tag of a piece of data has none.
///
/// The name is printable ASCII without spaces and commas, so that it fits in every kind of list. A
/// path and a pattern stand for themselves. A tag that a user calls like a path is purged together
/// with the path; any other two tags have two names.
pub(crate) fn push_public_name(tag: &Tag, to: &mut String) -> bool {
    let start = to.len();
    match tag.ours() {
        Some((DATA, _)) => return false,
        // A canonical path is percent-encoded already.
        Some((PATH, path)) => push_encoded(path, |byte| byte != b',', to),
        Some((_, pattern)) => push_encoded(pattern, |byte| !b",%".contains(&byte), to),
        None => push_encoded(tag.as_str(), |byte| !b",%".contains(&byte), to),
    }
    if to.len() - start > LONGEST {
        let hash = blake3::hash(&to.as_bytes()[start..]).to_hex();
        to.truncate(start);
        to.push_str("blake3:");
        to.push_str(&hash);
    }
    true
}

/// Appends a name, and percent-encodes each byte that is not printable or that `is_plain` excludes.
fn push_encoded(name: &str, is_plain: impl Fn(u8) -> bool, to: &mut String) {
    for byte in name.bytes() {
        if byte.is_ascii_graphic() && is_plain(byte) {
            to.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(to, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{data_tag, path_tag, pattern_tag};
    use super::*;
    use crate::engine::Key;

    fn public_name(tag: &Tag) -> Option<String> {
        let mut name = String::new();
        push_public_name(tag, &mut name).then_some(name)
    }

    #[test]
    fn a_public_name_fits_in_a_list_and_names_one_tag() {
        let check = |tag: &Tag, expected: &str| {
            assert_eq!(public_name(tag).as_deref(), Some(expected), "{tag:?}");
        };
        check(&Tag::from("posts"), "posts");
        check(&Tag::from("a b,c"), "a%20b%2Cc");
        check(&Tag::from("a%20b%2Cc"), "a%2520b%252Cc");
        check(&Tag::from("größe"), "gr%C3%B6%C3%9Fe");
        check(&path_tag("/posts/a%20b"), "/posts/a%20b");
        check(&path_tag("/posts/a,b"), "/posts/a%2Cb");
        check(&pattern_tag("/posts/[id]"), "/posts/[id]");
        check(&pattern_tag("/a b/[...rest]"), "/a%20b/[...rest]");
        assert_eq!(public_name(&data_tag(&Key::new("fetch"))), None);
    }

    #[test]
    fn a_name_that_is_too_long_is_a_hash() {
        let longest = "a".repeat(LONGEST);
        assert_eq!(public_name(&Tag::from(&*longest)), Some(longest.clone()));
        let hashes = ["b", "c"].map(|end| public_name(&Tag::new(longest.clone() + end)).unwrap());
        assert!(
            hashes
                .iter()
                .all(|it| it.len() < 100 && it.starts_with("blake3:"))
        );
        assert_ne!(hashes[0], hashes[1]);
    }
}
