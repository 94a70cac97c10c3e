//! What a request path means: segments, their decoded text, one canonical spelling.
//!
//! A path is split on `/` first and decoded afterwards, so `a%2Fb` is one segment, `a/b`; `+` and
//! `\` are ordinary characters. Two paths are the same resource if their decoded segments are the
//! same, so each has one canonical spelling: `/` and the segments joined by `/`, each encoded with
//! [one set](is_literal). It is the cache key, what parameters are read from, and the only thing
//! ever written into a `Location`.
//!
//! | path | text | spelling |
//! |---|---|---|
//! | `/caf%C3%A9/a+b` | the same, borrowed | [`Clean`](Spelling::Clean) |
//! | `/%61pi/x%2fy`, `/a\b` | `/api/x%2Fy`, `/a%5Cb` | `Clean`: served, under the canonical key |
//! | `/a//b/`, `//evil.example/` | `/a/b`, `/evil.example` | [`Unclean`](Spelling::Unclean) |
//! | `/a/%zz`, `/%FF//` | `/a/%zz`, `/%FF` | [`Malformed`](Spelling::Malformed) |
//! | `/a/../b`, `/%2e%2E`, `*`, nothing | none: it is no path of ours | |

use std::borrow::Cow;

/// A request path in its canonical spelling, and what was wrong with the one it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestPath<'p> {
    /// `/`, or `/` before every segment. Canonical but for malformed segments, which are kept as
    /// they came: those are spelled as no canonical segment can be, so they equal none.
    ///
    /// Borrowed if and only if the path arrived in this spelling.
    pub(crate) text: Cow<'p, str>,
    pub(crate) spelling: Spelling,
}

/// How a path was spelled; what an answer to it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// No segment is empty, every segment decodes. The encoding need not be the canonical one.
    Clean,
    /// A segment is empty (`//`, a trailing `/`); all others decode.
    Unclean,
    /// A segment has broken percent-encoding or is not UTF-8. Wins over empty segments: there is
    /// no clean spelling to send anyone to.
    Malformed,
}

impl<'p> RequestPath<'p> {
    /// Reads a path as received, `Uri::path()`.
    ///
    /// None if no route may ever match it: it does not start with `/` (`*`, the empty path of
    /// `CONNECT`), or a segment is `.` or `..`, in whatever encoding.
    ///
    /// A canonical path without `%` is borrowed and nothing is allocated.
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

/// Returns the canonical spelling of a path; none where it has no meaning for us.
///
/// For paths that no request brought, such as the argument of `revalidate_path`: it forgives
/// empty segments, which a request is redirected for.
pub(crate) fn canonical(raw: &str) -> Option<Cow<'_, str>> {
    let path = RequestPath::parse(raw)?;
    (path.spelling != Spelling::Malformed).then_some(path.text)
}

/// Returns whether `text`, encoded, is a segment a request can name: not empty, `.` or `..`.
///
/// Encoding does not help those three: every client and proxy may drop or resolve them.
pub(crate) fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
}

/// Appends `text` to `out` as one segment, in the canonical encoding.
///
/// The reverse of [`decode_segment`] for every string. What is no [segment](is_segment) makes a
/// URL that leads elsewhere.
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

/// Returns the text of one raw segment; none if it is malformed.
///
/// Borrows unless there is a `%`.
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

/// Returns whether the path is canonical and free of `%`: by far the most common kind, and the
/// one that must cost no allocation.
fn is_plain(raw: &str) -> bool {
    let Some(path) = raw.strip_prefix('/') else {
        return false;
    };
    // One loop: splitting first and testing each segment takes twice as long.
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

/// Returns whether canonical paths hold this byte as itself: RFC 3986's unreserved characters,
/// sub-delimiters, `:` and `@`, which is all a segment may hold unencoded.
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
    fn clean_paths_are_respelled_canonically() {
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
    fn empty_segments_are_unclean_and_malformed_ones_win() {
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
    fn dots_and_what_is_no_path_match_nothing() {
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

    /// Strings in which everything that means something in a path is frequent.
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
        fn canonical_form_is_a_fixed_point_and_names_no_host(raw in near_a_path()) {
            if let Some(text) = canonical(&raw) {
                prop_assert_eq!(canonical(&text), Some(Cow::Borrowed(&*text)));
                prop_assert!(text.starts_with('/') && !text.contains("//"));
                prop_assert!(text.bytes().all(|byte| is_literal(byte) || b"/%".contains(&byte)));
            }
        }

        #[test]
        fn canonical_form_keeps_the_decoded_segments(raw in near_a_path()) {
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
        fn any_text_can_be_read(raw in any::<String>()) {
            RequestPath::parse(&raw);
        }
    }
}
