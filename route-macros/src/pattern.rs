//! The parser of patterns: `"/posts/[id]"` → segments. It is pure: an error is a kind and a byte
//! range.

use std::fmt;
use std::ops::Range;

mod foreign;

use foreign::{decode, foreign, near_name};

/// A checked pattern. It has at most one catch-all, which is the last segment, and the names of its
/// parameters are unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(String),
    Param(Param),
    Group(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) kind: ParamKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParamKind {
    /// A single segment: `[id]`.
    Single,
    /// A segment or more: `[...slug]`.
    CatchAll,
    /// Any number of segments, also none: `[[...slug]]`.
    OptionalCatchAll,
}

impl Pattern {
    pub(crate) fn params(&self) -> impl Iterator<Item = &Param> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Param(param) => Some(param),
            Segment::Literal(_) | Segment::Group(_) => None,
        })
    }

    pub(crate) fn has_params(&self) -> bool {
        self.params().next().is_some()
    }

    pub(crate) fn param(&self, name: &str) -> Option<(usize, &Param)> {
        self.params()
            .enumerate()
            .find(|(_, param)| param.name == name)
    }

    /// Returns the pattern as part of an identifier, without the names of parameters and the
    /// groups, which do not tell two patterns apart.
    ///
    /// This is injective: `__` begins each segment, `_I`, `_C` and `_O` are the three kinds of
    /// parameter, and every byte that is not an ASCII letter or digit is `_` and two lower-case
    /// hexadecimal digits.
    pub(crate) fn mangled(&self) -> String {
        let mut out = String::new();
        for segment in &self.segments {
            match segment {
                Segment::Group(_) => {}
                Segment::Param(param) => out.push_str(match param.kind {
                    ParamKind::Single => "___I",
                    ParamKind::CatchAll => "___C",
                    ParamKind::OptionalCatchAll => "___O",
                }),
                Segment::Literal(text) => {
                    out.push_str("__");
                    for byte in text.bytes() {
                        if byte.is_ascii_alphanumeric() {
                            out.push(char::from(byte));
                        } else {
                            out.push_str(&format!("_{byte:02x}"));
                        }
                    }
                }
            }
        }
        out
    }
}

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match self.kind {
            ParamKind::Single => write!(f, "[{name}]"),
            ParamKind::CatchAll => write!(f, "[...{name}]"),
            ParamKind::OptionalCatchAll => write!(f, "[[...{name}]]"),
        }
    }
}

/// An error in a pattern: the rule that is broken, and the bytes that break it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PatternError {
    pub(crate) kind: ErrorKind,
    pub(crate) range: Range<usize>,
}

/// The rule of the grammar that a pattern breaks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    Empty,
    NoLeadingSlash,
    TrailingSlash,
    DoubleSlash,
    Query,
    Fragment,
    DotSegment,
    Backslash,
    Control,
    Encoded { decoded: String },
    Unclosed { close: &'static str },
    Unopened { open: &'static str },
    NoName { named: &'static str },
    InvalidName { name: String, ours: Option<String> },
    Partial,
    OptionalSingle { name: String },
    TwoDots { name: String },
    CatchAllNotLast,
    RepeatedName,
    InvalidGroup,
    Intercepting,
    Foreign { ours: Option<String> },
}

/// Parses a pattern.
pub(crate) fn parse(text: &str) -> Result<Pattern, PatternError> {
    let fail = |kind, range| Err(PatternError { kind, range });
    if text.is_empty() {
        return fail(ErrorKind::Empty, 0..0);
    }
    if !text.starts_with('/') {
        return fail(ErrorKind::NoLeadingSlash, 0..text.len());
    }
    if text == "/" {
        return Ok(Pattern {
            segments: Vec::new(),
        });
    }

    let mut segments: Vec<Segment> = Vec::new();
    let mut start = 1;
    for part in text[1..].split('/') {
        let range = start..start + part.len();
        start = range.end + 1;
        if part.is_empty() {
            return if range.end == text.len() {
                fail(ErrorKind::TrailingSlash, range.start - 1..range.end)
            } else {
                fail(ErrorKind::DoubleSlash, range.start - 1..range.end + 1)
            };
        }
        let segment = match segment(part) {
            Ok(segment) => segment,
            Err(kind) => return fail(kind, range),
        };
        if let Some(Segment::Param(last)) = segments.last()
            && last.kind != ParamKind::Single
        {
            return fail(ErrorKind::CatchAllNotLast, range);
        }
        if let Segment::Param(param) = &segment
            && segments
                .iter()
                .any(|other| matches!(other, Segment::Param(other) if other.name == param.name))
        {
            return fail(ErrorKind::RepeatedName, range);
        }
        segments.push(segment);
    }
    Ok(Pattern { segments })
}

fn segment(part: &str) -> Result<Segment, ErrorKind> {
    if part.starts_with('[') || part.ends_with(']') {
        return parameter(part).map(Segment::Param);
    }
    if part.starts_with('(') {
        return group(part).map(Segment::Group);
    }
    literal(part)
}

fn parameter(part: &str) -> Result<Param, ErrorKind> {
    let (inner, is_optional) = brackets(part)?;
    let (name, is_catch_all) = match inner.strip_prefix("...") {
        Some(name) => (name, true),
        None => (inner, false),
    };
    let kind = match (is_optional, is_catch_all) {
        (false, false) => ParamKind::Single,
        (false, true) => ParamKind::CatchAll,
        (true, _) => ParamKind::OptionalCatchAll,
    };
    if name.is_empty() {
        let named = match kind {
            ParamKind::Single => "[id]",
            ParamKind::CatchAll => "[...path]",
            ParamKind::OptionalCatchAll => "[[...path]]",
        };
        return Err(ErrorKind::NoName { named });
    }
    if let Some(name) = name.strip_prefix("..")
        && is_name(name)
    {
        return Err(ErrorKind::TwoDots { name: name.into() });
    }
    if !is_name(name) {
        return Err(invalid_name(name, kind));
    }
    if is_optional && !is_catch_all {
        return Err(ErrorKind::OptionalSingle { name: name.into() });
    }
    Ok(Param {
        name: name.into(),
        kind,
    })
}

fn invalid_name(name: &str, kind: ParamKind) -> ErrorKind {
    let required = name.trim_end_matches('?');
    let is_optional = required != name;
    if is_optional && kind == ParamKind::Single && is_name(required) {
        return ErrorKind::OptionalSingle {
            name: required.into(),
        };
    }
    let kind = match kind {
        ParamKind::CatchAll if is_optional => ParamKind::OptionalCatchAll,
        kind => kind,
    };
    let ours = near_name(required).map(|name| Param { name, kind }.to_string());
    ErrorKind::InvalidName {
        name: name.into(),
        ours,
    }
}

/// Returns the text in `[…]` or `[[…]]`, and whether the brackets are double.
fn brackets(part: &str) -> Result<(&str, bool), ErrorKind> {
    let opened = part.len() - part.trim_start_matches('[').len();
    let closed = part.len() - part.trim_end_matches(']').len();
    let has_others = part.trim_matches(['[', ']']).contains(['[', ']']);
    match (opened, closed) {
        _ if has_others => Err(ErrorKind::Partial),
        (1, 1) => Ok((&part[1..part.len() - 1], false)),
        (2, 2) => Ok((&part[2..part.len() - 2], true)),
        (1, 0) | (2, 1) => Err(ErrorKind::Unclosed { close: "]" }),
        (2, 0) => Err(ErrorKind::Unclosed { close: "]]" }),
        (0, 1) | (1, 2) => Err(ErrorKind::Unopened { open: "[" }),
        (0, 2) => Err(ErrorKind::Unopened { open: "[[" }),
        _ => Err(ErrorKind::Partial),
    }
}

fn group(part: &str) -> Result<String, ErrorKind> {
    let Some((name, rest)) = part[1..].split_once(')') else {
        return Err(ErrorKind::Unclosed { close: ")" });
    };
    if !name.is_empty() && name.bytes().all(|byte| byte == b'.') {
        return Err(ErrorKind::Intercepting);
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if !rest.is_empty() || name.is_empty() || !name.chars().all(is_word) {
        return Err(ErrorKind::InvalidGroup);
    }
    Ok(name.into())
}

fn literal(part: &str) -> Result<Segment, ErrorKind> {
    if let Some(foreign) = foreign(part) {
        return Err(ErrorKind::Foreign { ours: foreign.ours });
    }
    if matches!(part, "." | "..") {
        return Err(ErrorKind::DotSegment);
    }
    for (kind, found) in [
        (ErrorKind::Partial, part.contains(['[', ']', '{', '}'])),
        (ErrorKind::Query, part.contains('?')),
        (ErrorKind::Fragment, part.contains('#')),
        (ErrorKind::Backslash, part.contains('\\')),
        (ErrorKind::Control, part.contains(char::is_control)),
    ] {
        if found {
            return Err(kind);
        }
    }
    let decoded = decode(part);
    if decoded != part {
        return Err(ErrorKind::Encoded { decoded });
    }
    Ok(Segment::Literal(part.into()))
}

/// Returns whether a parameter may have this name. A name is a Rust identifier, or a keyword that
/// can be written `r#name`.
fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
        && chars.all(unicode_ident::is_xid_continue)
        && !matches!(name, "_" | "self" | "Self" | "super" | "crate")
}

#[cfg(test)]
mod tests;
