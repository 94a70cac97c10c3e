//! The key of a request. Requests with equal keys share their content.

use std::borrow::Borrow;
use std::fmt;
use std::fmt::Write as _;
use std::hash::Hash;
use std::sync::Arc;

use crate::store::Weighted;

/// A key under which an engine can file values.
pub(crate) trait CacheKey:
    Clone + Eq + Hash + fmt::Debug + Weighted + Send + Sync + 'static
{
    /// Returns the name under which a store behind memory keeps the value. Two names are equal
    /// exactly if the keys are equal.
    fn name(&self) -> &str;

    /// Returns whether the value belongs to one build of the program, and not to the application.
    fn belongs_to_build(&self) -> bool;
}

/// A canonical path and an ordered list of further parts.
///
/// The key is kept as one string, and a key without parts *is* its path. So a look-up borrows the
/// path of the request and allocates nothing:
///
/// ```text
/// Key::new("/api/posts/7")                    → "/api/posts/7"
/// Key::new("/api/posts/7").with_part("de")    → "/api/posts/7\0 2:de"   (without the space)
/// ```
///
/// Distinct keys are distinct strings: no path contains a NUL, and every part states its length.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key(Arc<str>);

impl Key {
    /// Makes a key without parts. The key of a route is its canonical path, which begins with a
    /// slash. A key that does not begin with a slash names data. Neither contains a NUL.
    pub(crate) fn new(path: &str) -> Self {
        debug_assert!(!path.contains('\0'), "a canonical path holds no NUL");
        Self(path.into())
    }

    /// Returns this key with one more part at the end.
    #[must_use]
    pub(crate) fn with_part(&self, part: &str) -> Self {
        let mut name = String::with_capacity(self.0.len() + part.len() + 8);
        name.push_str(&self.0);
        write!(name, "\0{}:{part}", part.len()).expect("writing to a string does not fail");
        Self(name.into())
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl CacheKey for Key {
    fn name(&self) -> &str {
        &self.0
    }

    fn belongs_to_build(&self) -> bool {
        self.0.starts_with('/')
    }
}

impl Weighted for Key {
    fn weight(&self) -> usize {
        size_of::<Self>() + self.0.len()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", &self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use proptest::prelude::*;

    use super::*;

    fn key(path: &str, parts: &[String]) -> Key {
        parts
            .iter()
            .fold(Key::new(path), |key, part| key.with_part(part))
    }

    #[test]
    fn a_key_without_parts_is_found_by_its_path() {
        let state = RandomState::new();
        let key = Key::new("/a");
        assert_eq!(Borrow::<str>::borrow(&key), "/a");
        assert_eq!(state.hash_one(&key), state.hash_one("/a"));
    }

    #[test]
    fn only_paths_belong_to_a_build() {
        assert!(Key::new("/").with_part("a").belongs_to_build());
        assert!(!Key::new("fetch").with_part("/").belongs_to_build());
    }

    proptest! {
        #[test]
        fn keys_are_equal_exactly_if_their_paths_and_parts_are_equal(
            left in ("/[a-b0-2:]{0,2}", proptest::collection::vec("[\0:ab0-2]{0,3}", 0..3)),
            right in ("/[a-b0-2:]{0,2}", proptest::collection::vec("[\0:ab0-2]{0,3}", 0..3)),
        ) {
            prop_assert_eq!(key(&left.0, &left.1) == key(&right.0, &right.1), left == right);
        }
    }
}
