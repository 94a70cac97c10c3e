//! Fuzzing of paths that an attacker would write so that two programs read them differently.

use super::properties::{Raw, naive};
use super::tests::{Answer, Pattern, look_up, trie};
use super::*;
use crate::pattern::canonical;
use Segment::{CatchAll, Literal, OptionalCatchAll, Param};

/// Splits and decodes a path. Returns `None` if it does not start with `/`. It was written
/// independently of the parser under test.
fn split(raw: &str) -> Option<Vec<Raw>> {
    let decode = |segment: &str| {
        let mut bytes = Vec::new();
        let mut parts = segment.split('%');
        bytes.extend(parts.next()?.bytes());
        for part in parts {
            let digits = part.get(..2)?;
            // `u8::from_str_radix` takes a sign.
            let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
            bytes.extend(part[2..].bytes());
        }
        String::from_utf8(bytes).ok()
    };
    let segments = raw.strip_prefix('/')?.split('/');
    Some(
        segments
            .map(|segment| (segment.into(), decode(segment)))
            .collect(),
    )
}

fn table() -> Vec<Pattern> {
    vec![
        vec![],
        vec![Literal("a")],
        vec![Literal("a"), Literal("é/")],
        vec![Literal("a"), Param("p")],
        vec![Literal("a"), Param("p"), Literal("b")],
        vec![Param("p")],
        vec![Param("p"), Literal("b"), Param("q")],
        vec![Param("p"), Literal("b"), OptionalCatchAll("o")],
        vec![Literal("b"), CatchAll("c")],
        vec![Literal("b"), Literal("a"), CatchAll("c")],
        vec![Literal("%2F"), Param("p")],
        vec![Literal("\\"), Param("p")],
        vec![OptionalCatchAll("o")],
    ]
}

#[test]
fn fuzz_paths() {
    let words = [
        "/",
        "//",
        ".",
        "..",
        "%2e",
        "%2E%2e",
        "%2f",
        "%2F",
        "%5c",
        "\\",
        "%",
        "%%",
        "%2",
        "%25",
        "%2525",
        "%00",
        "%C3%A9",
        "%c3%28",
        "%C0%AF",
        "%ED%A0%80",
        "%FF",
        "é",
        "a",
        "b",
        "é%2F",
        ";",
        "?",
        "#",
        "+",
        "%+1",
        "*",
        "http://",
        "\u{301}",
        "\u{ff0f}",
    ];
    // One table has a pattern that matches every path, the other has none.
    let tables = [table(), table()[..8].to_vec()];
    let tries = tables.each_ref().map(|table| trie(table));
    fuzz::run("path", &words, |input| {
        let raw = String::from_utf8_lossy(input);
        let text = canonical(&raw);
        if let Some(text) = &text {
            assert_eq!(
                canonical(text),
                Some(Cow::Borrowed(&**text)),
                "a fixed point"
            );
            assert!(text.starts_with('/') && !text.contains("//") && !text.contains('\\'));
            let is_escape = |it: Raw| matches!(it.1.as_deref(), Some("." | ".."));
            assert!(!split(text).unwrap().into_iter().any(is_escape), "{text}");
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
        }
        let expected = split(&raw);
        let answers = [0, 1].map(|at| {
            let found = look_up(&tries[at], &tables[at], &raw);
            let naive = |path: &Vec<Raw>| naive(&tables[at], path);
            assert_eq!(found, expected.as_ref().map_or(Answer::NotOurs, naive));
            match found {
                Answer::Serve(index, params) => (1, index, params.concat().len()),
                Answer::Redirect(index, _) => (2, index, 0),
                Answer::BadRequest(index) => (3, index, 0),
                Answer::NotOurs => (4, 0, 0),
            }
        });
        (answers, text.is_some(), raw.matches('%').count().min(8))
    });
}
