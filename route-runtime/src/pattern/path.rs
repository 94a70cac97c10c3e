//! Request paths: their segments, the decoded text of these, and the canonical spelling.
//!
//! A path is split on `/` first and decoded afterwards, so `a%2Fb` is a single segment, `a/b`. The
//! characters `+` and `\` are ordinary ones. Two paths name the same resource if their decoded
//! segments are equal, so each resource has one canonical spelling: `/`, followed by the segments
//! joined by `/`, each encoded so that only the bytes of [one set](is_literal) stay as they are.
//! The canonical spelling is the cache key, parameters are read from it, and nothing else is ever
//! written into a `Location`.
//!
//! | path | text | spelling |
//! |---|---|---|
//! | `/caf%C3%A9/a+b` | the same, borrowed | [`Clean`](Spelling::Clean) |
//! | `/%61pi/x%2fy`, `/a\b` | `/api/x%2Fy`, `/a%5Cb` | `Clean`: served, under the canonical key |
//! | `/a//b/`, `//evil.example/` | `/a/b`, `/evil.example` | [`Unclean`](Spelling::Unclean) |
//! | `/a/%zz`, `/%FF//` | `/a/%zz`, `/%FF` | [`Malformed`](Spelling::Malformed) |
//! | `/a/../b`, `/%2e%2E`, `*`, the empty text | none: no route can have this path | |

use std::borrow::Cow;

/// A request path in its canonical spelling, and a judgement of the spelling in which it was
/// received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestPath<'p> {
    /// The path: `/`, or every segment with a `/` before it. All segments are canonical except
    /// malformed ones, which are kept as they were received. No canonical segment can be spelled
    /// like a malformed one, so they never match one.
    ///
    /// The text is borrowed if and only if the path was received in this spelling.
    pub(crate) text: Cow<'p, str>,
    pub(crate) spelling: Spelling,
}

/// The spelling in which a path was received. It decides whether the path is served, redirected or
/// refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// No segment is empty, and every segment can be decoded. The encoding need not be the
    /// canonical one.
    Clean,
    /// A segment is empty (`//`, a trailing `/`), and all others can be decoded.
    Unclean,
    /// A segment has broken percent-encoding or is not UTF-8. This takes precedence over empty
    /// segments, since there is no clean spelling to redirect to.
    Malformed,
}

impl<'p> RequestPath<'p> {
    /// Parses a path as it was received, `Uri::path()`.
    ///
    /// Returns `None` if no route may ever match the path: if it does not start with `/` (as `*`
    /// and the empty path of `CONNECT`), or if a segment is `.` or `..` in any encoding.
    ///
    /// A canonical path without `%` is borrowed, and nothing is allocated.
    pub(crate) fn parse(raw: &'p str) -> Option<Self> {
        if is_plain(raw) {
            let text = Cow::Borrowed(raw);
            return Some(Self {
                text,
                spelling: Spelling::Clean,
            });
        }
        let mut text = String::with_capacity(raw.len());
        let (mut unclean, mut malformed) = (false, false);
        for segment in raw.strip_prefix('/')?.split('/') {
            if segment.is_empty() {
                unclean = true;
                continue;
            }
            text.push('/');
            match decode_segment(segment) {
                Some(decoded) if is_segment(&decoded) => encode_segment(&decoded, &mut text),
                Some(_) => return None,
                None => {
                    malformed = true;
                    text.push_str(segment);
                }
            }
        }
        if text.is_empty() {
            text.push('/');
        }
        let text = if text == raw {
            Cow::Borrowed(raw)
        } else {
            Cow::Owned(text)
        };
        let spelling = match (malformed, unclean) {
            (true, _) => Spelling::Malformed,
            (_, true) => Spelling::Unclean,
            _ => Spelling::Clean,
        };
        Some(Self { text, spelling })
    }
}

/// Returns the canonical spelling of a path, or `None` if the path is malformed or no route may
/// match it.
///
/// This function is for paths that do not come from a request, such as the argument of
/// `revalidate_path`. It ignores empty segments, for which a request would be redirected.
pub(crate) fn canonical(raw: &str) -> Option<Cow<'_, str>> {
    let path = RequestPath::parse(raw)?;
    (path.spelling != Spelling::Malformed).then_some(path.text)
}

/// Returns the path that is nearest to a path as it was received: as [`RequestPath`] has it, but
/// with `.` and `..` resolved, which no route may have.
///
/// This function is for deciding who may see a response that says only that nothing is there.
pub(crate) fn nearest(raw: &str) -> Cow<'_, str> {
    if let Some(path) = RequestPath::parse(raw) {
        return path.text;
    }
    let mut segments = Vec::new();
    for segment in raw.split('/') {
        match decode_segment(segment).as_deref() {
            Some("" | ".") => {}
            Some("..") => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    Cow::Owned(format!("/{}", segments.join("/")))
}

/// Returns whether a request can name the segment with this decoded text: whether it is not empty,
/// `.` or `..`.
///
/// Encoding does not help those three, because any client or proxy may drop or resolve them.
pub(crate) fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
}

/// Appends `text` to `out` as one segment, in the canonical encoding.
///
/// [`decode_segment`] reverses this for every string. A text that is no [segment](is_segment) makes
/// a URL that leads to another path.
pub(crate) fn encode_segment(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if is_literal(byte) {
            out.push(char::from(byte));
        } else {
            let digits = [byte >> 4, byte & 15].map(|digit| char::from(HEX[usize::from(digit)]));
            out.extend(['%', digits[0], digits[1]]);
        }
    }
}

/// Returns the decoded text of a segment, or `None` if the segment is malformed.
///
/// The text is borrowed unless there is a `%` in the segment.
pub(crate) fn decode_segment(raw: &str) -> Option<Cow<'_, str>> {
    let Some(first) = raw.find('%') else {
        return Some(Cow::Borrowed(raw));
    };
    let (plain, mut rest) = raw.as_bytes().split_at(first);
    let mut decoded = Vec::with_capacity(raw.len());
    decoded.extend_from_slice(plain);
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'%' {
            decoded.push(*byte);
            continue;
        }
        let [high, low, tail @ ..] = tail else {
            return None;
        };
        decoded.push(hex(*high)? << 4 | hex(*low)?);
        rest = tail;
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Returns whether the path is canonical and has no `%`. Such paths are by far the most common, and
/// must cost no allocation.
fn is_plain(raw: &str) -> bool {
    let Some(path) = raw.strip_prefix('/') else {
        return false;
    };
    // A single loop: splitting first and testing each segment takes twice as long.
    let mut start = 0;
    for (at, byte) in path.bytes().enumerate() {
        if byte == b'/' {
            if !is_segment(&path[start..at]) {
                return false;
            }
            start = at + 1;
        } else if !is_literal(byte) {
            return false;
        }
    }
    path.is_empty() || is_segment(&path[start..])
}

/// Returns whether canonical paths hold this byte unencoded. These are the unreserved characters of
/// RFC 3986, its sub-delimiters, `:` and `@`: every byte that a segment may hold unencoded.
fn is_literal(byte: u8) -> bool {
    const SET: [bool; 256] = {
        let mut set = [false; 256];
        let mut byte = 0u8;
        while byte < 128 {
            set[byte as usize] = byte.is_ascii_alphanumeric() || in_set(byte, b"-._~!$&'()*+,;=:@");
            byte += 1;
        }
        set
    };
    const fn in_set(byte: u8, set: &[u8]) -> bool {
        let mut at = 0;
        while at < set.len() && set[at] != byte {
            at += 1;
        }
        at < set.len()
    }
    SET[usize::from(byte)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: Option<(&str, Spelling)>) {
        let path = RequestPath::parse(raw);
        assert_eq!(
            path.as_ref().map(|path| (&*path.text, path.spelling)),
            expected,
            "{raw}"
        );
        let borrowed = path.is_some_and(|path| matches!(path.text, Cow::Borrowed(_)));
        assert_eq!(
            borrowed,
            expected.is_some_and(|(text, _)| text == raw),
            "{raw} is its own key"
        );
    }

    #[test]
    fn clean_paths_get_their_canonical_spelling() {
        for (raw, text) in [
            ("/", "/"),
            ("/api/posts", "/api/posts"),
            ("/.well-known/x", "/.well-known/x"),
            ("/...", "/..."),
            ("/a-._~!$&'()*+,;=:@Z9", "/a-._~!$&'()*+,;=:@Z9"),
            ("/caf%C3%A9", "/caf%C3%A9"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/café", "/caf%C3%A9"),
            ("/%61pi", "/api"),
            ("/a%2fb", "/a%2Fb"),
            ("/a%2Fb", "/a%2Fb"),
            ("/a%2B+b", "/a++b"),
            ("/a%20b", "/a%20b"),
            ("/100%25", "/100%25"),
            ("/%2525", "/%2525"),
            ("/%3F%23%00%7f", "/%3F%23%00%7F"),
            (r"/\evil.example", "/%5Cevil.example"),
            (r"/a\..\b", "/a%5C..%5Cb"),
            ("/%2F%2Fevil.example", "/%2F%2Fevil.example"),
            ("/[id]", "/%5Bid%5D"),
            ("/https:", "/https:"),
        ] {
            check(raw, Some((text, Spelling::Clean)));
        }
    }

    #[test]
    fn empty_segments_make_a_path_unclean_and_broken_ones_make_it_malformed() {
        for (raw, text) in [
            ("//", "/"),
            ("/a/", "/a"),
            ("/a//b", "/a/b"),
            ("//evil.example/", "/evil.example"),
            (r"//\evil.example", "/%5Cevil.example"),
            ("///%2Fevil.example", "/%2Fevil.example"),
            ("/%61//", "/a"),
        ] {
            check(raw, Some((text, Spelling::Unclean)));
        }
        for (raw, text) in [
            ("/a%", "/a%"),
            ("/%zz/%61", "/%zz/a"),
            ("/%C3%28", "/%C3%28"),
            ("/%+1", "/%+1"),
            ("/%FF/", "/%FF"),
        ] {
            check(raw, Some((text, Spelling::Malformed)));
            assert_eq!(canonical(raw), None, "{raw}");
        }
    }

    #[test]
    fn texts_with_dot_segments_or_without_a_leading_slash_are_no_paths() {
        for raw in [
            "",
            "*",
            "a",
            "example.com:443",
            "/.",
            "/..",
            "/a/../b",
            "/a//../b",
            "/a/.",
            "/%2e",
            "/.%2E",
            "/%2e%2E/a",
            "/%zz/..",
            "/../%zz",
            "/./",
        ] {
            check(raw, None);
        }
    }

    #[test]
    fn the_nearest_path_of_one_with_dots_is_where_they_lead() {
        for (raw, nearest_path) in [
            ("/./admin/x", "/admin/x"),
            ("/a/../admin/%2e/x/", "/admin/x"),
            ("/../..", "/"),
            ("*", "/*"),
            ("/%zz/./a", "/%zz/a"),
            ("/%61//b", "/a/b"),
        ] {
            assert_eq!(nearest(raw), nearest_path, "{raw}");
        }
    }

    /// Generates strings in which everything that has a meaning in a path is frequent.
    fn near_a_path() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            r"[/.%\\+]",
            "%[0-9a-fA-F]{2}",
            Just("%C3%a9".to_owned()),
            "[a-z]",
            any::<char>().prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
    }

    proptest! {
        #[test]
        fn the_canonical_spelling_is_a_fixed_point_and_names_no_host(raw in near_a_path()) {
            if let Some(text) = canonical(&raw) {
                prop_assert_eq!(canonical(&text), Some(Cow::Borrowed(&*text)));
                prop_assert!(text.starts_with('/') && !text.contains("//"));
                prop_assert!(text.bytes().all(|byte| is_literal(byte) || b"/%".contains(&byte)));
            }
        }

        #[test]
        fn the_canonical_spelling_keeps_the_decoded_segments(raw in near_a_path()) {
            if let Some(text) = canonical(&raw) {
                let segments = |path: &str| -> Vec<String> {
                    let segments = path.split('/').filter(|segment| !segment.is_empty());
                    segments.map(|segment| decode_segment(segment).unwrap().into_owned()).collect()
                };
                prop_assert_eq!(segments(&text), segments(&raw));
            }
        }

        #[test]
        fn decoding_reverses_encoding(text in any::<String>()) {
            let mut encoded = String::new();
            encode_segment(&text, &mut encoded);
            prop_assert_eq!(decode_segment(&encoded), Some(Cow::Borrowed(&*text)));
            if is_segment(&text) {
                let path = format!("/{encoded}");
                prop_assert_eq!(canonical(&path), Some(Cow::Borrowed(&*path)));
            }
        }

        #[test]
        fn parsing_any_text_does_not_panic(raw in any::<String>()) {
            RequestPath::parse(&raw);
        }
    }
}
