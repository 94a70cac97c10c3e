//! The names of tags in headers for shared caches outside.

use std::fmt::Write as _;

use super::{DATA, PATH};
use crate::store::Tag;

/// The longest name in bytes. Fastly ignores a longer one, and every one after it.
const LONGEST: usize = 1024;

/// Appends the name by which shared caches outside know a tag.
///
/// The name is printable ASCII without spaces and commas, so that it fits in every kind of list. A
/// path and a pattern stand for themselves, and a piece of data is a short hash, since one response may
/// be made of many. A tag that a user calls like a path is purged together with the path; any other
/// two tags have two names.
pub(crate) fn push_public_name(tag: &Tag, to: &mut String) {
    let start = to.len();
    match tag.ours() {
        Some((DATA, name)) => push_hash("data:", name.as_bytes(), 16, to),
        // A canonical path is percent-encoded already.
        Some((PATH, path)) => push_encoded(path, |byte| byte != b',', to),
        Some((_, pattern)) => push_encoded(pattern, |byte| !b",%".contains(&byte), to),
        None => push_encoded(tag.as_str(), |byte| !b",%".contains(&byte), to),
    }
    if to.len() - start > LONGEST {
        let name = to.split_off(start);
        push_hash("blake3:", name.as_bytes(), 64, to);
    }
}

/// Appends `kind` and this many digits of a hash of `name`.
fn push_hash(kind: &str, name: &[u8], digits: usize, to: &mut String) {
    to.push_str(kind);
    to.push_str(&blake3::hash(name).to_hex()[..digits]);
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

    fn public_name(tag: &Tag) -> String {
        let mut name = String::new();
        push_public_name(tag, &mut name);
        name
    }

    #[test]
    fn a_public_name_fits_in_a_list_and_names_one_tag() {
        let check = |tag: &Tag, expected: &str| {
            assert_eq!(public_name(tag), expected, "{tag:?}");
        };
        check(&Tag::from("posts"), "posts");
        check(&Tag::from("a b,c"), "a%20b%2Cc");
        check(&Tag::from("a%20b%2Cc"), "a%2520b%252Cc");
        check(&Tag::from("größe"), "gr%C3%B6%C3%9Fe");
        check(&path_tag("/posts/a%20b"), "/posts/a%20b");
        check(&path_tag("/posts/a,b"), "/posts/a%2Cb");
        check(&pattern_tag("/posts/[id]"), "/posts/[id]");
        check(&pattern_tag("/a b/[...rest]"), "/a%20b/[...rest]");
        let data = public_name(&data_tag(&Key::new("fetch")));
        assert!(data.starts_with("data:") && data.len() == 21, "{data}");
    }

    #[test]
    fn a_name_that_is_too_long_is_a_hash() {
        let longest = "a".repeat(LONGEST);
        assert_eq!(public_name(&Tag::from(&*longest)), longest);
        let hashes = ["b", "c"].map(|end| public_name(&Tag::new(longest.clone() + end)));
        assert!(
            hashes
                .iter()
                .all(|it| it.len() < 100 && it.starts_with("blake3:"))
        );
        assert_ne!(hashes[0], hashes[1]);
    }
}
