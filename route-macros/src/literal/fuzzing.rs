//! A fuzz test of the pattern parser, with patterns that nobody would write.

use proc_macro2::Span;

use super::*;
use crate::pattern::{ParamKind, Segment};

/// Writes a pattern as text.
fn written(pattern: &Pattern) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Param(param) => format!("/{param}"),
        Segment::Group(name) => format!("/({name})"),
    };
    let text: String = pattern.segments.iter().map(segment).collect();
    if text.is_empty() { "/".into() } else { text }
}

/// Undoes [`Pattern::mangled`], which loses names and groups. A literal is `Ok` with its bytes, and
/// a parameter is `Err` with the letter of its kind.
fn unmangled(mangled: &str) -> Vec<Result<Vec<u8>, char>> {
    let mut segments = Vec::new();
    let mut rest = mangled;
    while let Some(after) = rest.strip_prefix("__") {
        rest = after;
        if let Some(kind) = ["_I", "_C", "_O"].iter().find(|it| rest.starts_with(**it)) {
            segments.push(Err(char::from(kind.as_bytes()[1])));
            rest = &rest[2..];
            continue;
        }
        let mut text = Vec::new();
        while !rest.is_empty() && !rest.starts_with("__") {
            let length = if rest.starts_with('_') { 3 } else { 1 };
            let (byte, after) = rest.split_at(length);
            text.push(match byte.strip_prefix('_') {
                Some(digits) => u8::from_str_radix(digits, 16).unwrap(),
                None => byte.as_bytes()[0],
            });
            rest = after;
        }
        segments.push(Ok(text));
    }
    assert_eq!(rest, "", "{mangled}");
    segments
}

fn check_accepted(text: &str, pattern: &Pattern) {
    assert_eq!(written(pattern), text);
    let shape = pattern.segments.iter().filter_map(|segment| match segment {
        Segment::Literal(text) => Some(Ok(text.clone().into_bytes())),
        Segment::Param(param) => Some(Err(match param.kind {
            ParamKind::Single => 'I',
            ParamKind::CatchAll => 'C',
            ParamKind::OptionalCatchAll => 'O',
        })),
        Segment::Group(_) => None,
    });
    assert_eq!(unmangled(&pattern.mangled()), shape.collect::<Vec<_>>());
    for param in pattern.params() {
        // A keyword such as `type` is a name as well, if it can be written `r#type`.
        let raw = format!("r#{}", param.name);
        assert!(syn::parse_str::<syn::Ident>(&raw).is_ok(), "{}", param.name);
    }
}

fn check_refused(text: &str, error: &PatternError) {
    assert!(text.get(error.range.clone()).is_some(), "{error:?}");
    let suggested = match &error.kind {
        ErrorKind::Foreign { ours } | ErrorKind::InvalidName { ours, .. } => ours.clone(),
        ErrorKind::TwoDots { name } => Some(format!("[...{name}]")),
        _ => None,
    };
    // A user who follows the suggestion must not get the next error.
    if let Some(ours) = suggested {
        assert!(pattern::parse(&format!("/{ours}")).is_ok(), "{ours}");
    }
}

#[test]
fn fuzz_patterns() {
    let words = [
        "/", "[", "]", "[[", "]]", "...", "..", "[id]", "[...a]", "[[...a]]", "(", ")", "(g)",
        ":a", ":", "-", "{a}", "{a:.*}", "<a..>", "*", "?", "#", "\\", "%2f", "%", "%c3%a9", "é",
        "_", "self", "type", "r#type", "__", "\u{301}", "\u{200d}",
    ];
    fuzz::run("pattern", &words, |input| {
        let text = String::from_utf8_lossy(input);
        let parsed = pattern::parse(&text);
        match &parsed {
            Ok(pattern) => check_accepted(&text, pattern),
            Err(error) => check_refused(&text, error),
        }
        let told = check(&LitStr::new(&text, Span::call_site())).err();
        assert_eq!(told.is_some(), parsed.is_err());
        let told = told.map(|problem| syn::Error::from(problem).to_string().len());
        match parsed {
            Ok(pattern) => (pattern.mangled(), told),
            Err(error) => (format!("{:?}", std::mem::discriminant(&error.kind)), told),
        }
    });
}
