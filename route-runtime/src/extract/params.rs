//! Parsing the parameters of a pattern into the types of arguments.

use std::any::TypeId;
use std::borrow::Cow;
use std::num::NonZero;
use std::str::FromStr;

/// The decoded segments of a catch-all.
pub(crate) type Texts<'a, 'p> = &'a mut dyn Iterator<Item = Cow<'p, str>>;

/// A type that `[id]` can be bound to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from one segment",
    label = "does not implement `FromStr`",
    note = "bind `[id]` to the value's own type, as in `id: u64` or `id: String`; a catch-all \
            `[...slug]` is what a `Vec` is read from"
)]
pub trait SingleParam: Sized + 'static {
    /// Parses the decoded segment. `None` means that the path does not exist.
    fn read(text: &str) -> Option<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: FromStr + 'static> SingleParam for T {
    fn read(text: &str) -> Option<Self> {
        if is_integer::<T>() && !is_canonical_integer(text) {
            return None;
        }
        text.parse().ok()
    }
}

/// A type that `[...slug]` can be bound to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a catch-all",
    label = "is not a `Vec` of what implements `FromStr`",
    note = "bind `[...slug]` to `Vec<T>` of any `T: FromStr`, as in `slug: Vec<String>`"
)]
pub trait ManyParam: Sized + 'static {
    /// The type of one segment.
    type Item: 'static;
    /// Parses the decoded segments, of which there is at least one. `None` means that the path does
    /// not exist.
    fn read(texts: Texts<'_, '_>) -> Option<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: FromStr + 'static> ManyParam for Vec<T> {
    type Item = T;

    fn read(texts: Texts<'_, '_>) -> Option<Self> {
        texts.map(|text| T::read(&text)).collect()
    }
}

/// A type that `[[...slug]]` can be bound to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from an optional catch-all",
    label = "is neither a `Vec` nor an `Option<Vec>` of what implements `FromStr`",
    note = "bind `[[...slug]]` to `Vec<T>` or `Option<Vec<T>>` of any `T: FromStr`, as in \
            `slug: Vec<String>`"
)]
pub trait OptionalParam: Sized + 'static {
    /// The type of one segment.
    type Item: 'static;
    /// Parses the decoded segments. There are none if the path ends where the `[[...slug]]` begins.
    /// `None` means that the path does not exist.
    fn read(texts: Texts<'_, '_>) -> Option<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: FromStr + 'static> OptionalParam for Vec<T> {
    type Item = T;

    fn read(texts: Texts<'_, '_>) -> Option<Self> {
        texts.map(|text| T::read(&text)).collect()
    }
}

#[diagnostic::do_not_recommend]
impl<T: FromStr + 'static> OptionalParam for Option<Vec<T>> {
    type Item = T;

    fn read(texts: Texts<'_, '_>) -> Option<Self> {
        let mut texts = texts.peekable();
        if texts.peek().is_none() {
            return Some(None);
        }
        <Vec<T> as ManyParam>::read(&mut texts).map(Some)
    }
}

/// Returns whether `T` is an integer. It compares types and not their names, so that an alias
/// counts as the type it stands for.
fn is_integer<T: 'static>() -> bool {
    macro_rules! is_one_of {
        ($($integer:ty),*) => {
            [$(TypeId::of::<$integer>(), TypeId::of::<NonZero<$integer>>()),*]
                .contains(&TypeId::of::<T>())
        };
    }
    is_one_of!(
        u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize
    )
}

/// Returns whether the text is the canonical spelling of an integer. No other spelling is accepted
/// (`007`, `+7`, `-0`), so that each resource has one path and one key.
fn is_canonical_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match digits.as_bytes() {
        [b'0'] => digits.len() == text.len(),
        [first, ..] => matches!(first, b'1'..=b'9'),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_is_read_from_its_canonical_spelling_only() {
        let check = |text: &str, expected: Option<i32>| {
            assert_eq!(<i32 as SingleParam>::read(text), expected, "{text}");
        };
        check("0", Some(0));
        check("7", Some(7));
        check("-7", Some(-7));
        for wrong in [
            "",
            "-",
            "007",
            "00",
            "+7",
            "-0",
            "-07",
            "7 ",
            "7.0",
            "x",
            "99999999999",
        ] {
            check(wrong, None);
        }
        assert_eq!(<u64 as SingleParam>::read("-1"), None);
        let non_zero = <NonZero<i64> as SingleParam>::read;
        assert_eq!(non_zero("-7"), NonZero::new(-7));
        for wrong in ["0", "007", "+7", "-07"] {
            assert_eq!(non_zero(wrong), None, "{wrong}");
        }
        assert_eq!(<String as SingleParam>::read("007"), Some("007".into()));
        assert_eq!(<f64 as SingleParam>::read("01.50"), Some(1.5));
    }

    #[test]
    fn a_catch_all_reads_every_segment_or_fails() {
        type Slug = Option<Vec<u8>>;
        fn check<T>(
            read: fn(Texts<'_, '_>) -> Option<T>,
            texts: &[&'static str],
            expected: Option<T>,
        ) where
            T: PartialEq + std::fmt::Debug,
        {
            let mut segments = texts.iter().copied().map(Cow::Borrowed);
            assert_eq!(read(&mut segments), expected, "{texts:?}");
        }
        check(<Vec<u8> as ManyParam>::read, &["1", "2"], Some(vec![1, 2]));
        check(<Vec<u8> as ManyParam>::read, &["1", "x"], None);
        check(<Slug as OptionalParam>::read, &[], Some(None));
        check(<Slug as OptionalParam>::read, &["01"], None);
        check(<Slug as OptionalParam>::read, &["1"], Some(Some(vec![1])));
        check(<Vec<u8> as OptionalParam>::read, &[], Some(vec![]));
    }
}
