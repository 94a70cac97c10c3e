//! The pattern of a section, which is read when the program starts.

use crate::pattern::{Segment, is_segment};

/// Parses a pattern. It has the grammar of a route's pattern, but no groups, which are no part of a
/// path. The error is what is wrong, and what to write instead.
///
/// The texts of the segments live as long as the program, as those of a declaration do. That leaks
/// little, because sections are declared only a few times, at start-up.
pub(super) fn parse(pattern: &str) -> Result<Vec<Segment>, (String, String)> {
    let Some(rest) = pattern.strip_prefix('/') else {
        return Err(wrong("it does not begin with `/`", format!("`/{pattern}`")));
    };
    if rest.is_empty() {
        return Ok(Vec::new());
    }
    let mut segments = Vec::new();
    for part in rest.split('/') {
        if let Some(Segment::CatchAll(_) | Segment::OptionalCatchAll(_)) = segments.last() {
            return Err(wrong(
                "something follows its catch-all, which is always the last segment",
                "end the pattern with the catch-all",
            ));
        }
        segments.push(segment(part)?);
    }
    Ok(segments)
}

fn wrong(what: impl Into<String>, instead: impl Into<String>) -> (String, String) {
    (what.into(), instead.into())
}

fn segment(part: &str) -> Result<Segment, (String, String)> {
    if let Some(parameter) = parameter(part) {
        return Ok(parameter);
    }
    let found = |what: &str| format!("`{part}` in it {what}");
    if part.is_empty() {
        return Err(wrong(
            "a segment of it is empty",
            "remove the `/` that is doubled or at its end",
        ));
    }
    if part.starts_with('(') {
        return Err(wrong(
            found("is a group, which is no part of a path"),
            "name the paths, as in `/admin/[[...rest]]`",
        ));
    }
    if part.starts_with([':', '*', '{', '<']) || part.ends_with('*') {
        return Err(wrong(
            found("is no segment"),
            "a parameter is `[id]`; `/admin/[[...rest]]` covers /admin and everything below it",
        ));
    }
    if part.contains(['[', ']', '{', '}']) {
        return Err(wrong(
            found("is no segment"),
            "a parameter is a whole segment: `[id]`, `[...rest]` or, for any number of segments, \
             `[[...rest]]`",
        ));
    }
    if !is_segment(part) {
        return Err(wrong(found("is no segment of any request"), "remove it"));
    }
    if part.contains(['?', '#', '\\']) || part.contains(char::is_control) || is_encoded(part) {
        return Err(wrong(
            found("is no text of a path's segment"),
            "write the path alone, decoded: `/café`, not `/caf%C3%A9`",
        ));
    }
    Ok(Segment::Literal(part.to_owned().leak()))
}

/// Returns the parameter that a segment is, if it is a well-formed one.
fn parameter(part: &str) -> Option<Segment> {
    let inner = part.strip_prefix('[')?.strip_suffix(']')?;
    let optional = inner
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'));
    let (name, kind): (_, fn(&'static str) -> Segment) = match optional {
        Some(inner) => (inner.strip_prefix("...")?, Segment::OptionalCatchAll),
        None => match inner.strip_prefix("...") {
            Some(name) => (name, Segment::CatchAll),
            None => (inner, Segment::Param),
        },
    };
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_name.then(|| kind(name.to_owned().leak()))
}

/// Returns whether a text has a percent-encoded byte in it.
fn is_encoded(part: &str) -> bool {
    let mut rest = part.split('%').skip(1);
    rest.any(|rest| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_the_segments_of_a_routes_pattern() {
        use Segment::{CatchAll, Literal, OptionalCatchAll, Param};
        for (pattern, segments) in [
            ("/", vec![]),
            ("/admin", vec![Literal("admin")]),
            ("/[[...rest]]", vec![OptionalCatchAll("rest")]),
            (
                "/a b/50%/é",
                vec![Literal("a b"), Literal("50%"), Literal("é")],
            ),
            (
                "/teams/[team]/[...rest]",
                vec![Literal("teams"), Param("team"), CatchAll("rest")],
            ),
        ] {
            assert_eq!(parse(pattern), Ok(segments), "{pattern}");
        }
    }

    #[test]
    fn what_no_request_can_match_is_refused() {
        for pattern in [
            "",
            "admin",
            "/admin/",
            "//",
            "/a//b",
            "/.",
            "/a/..",
            "/[id",
            "/id]",
            "/[]",
            "/[...]",
            "/[[id]]",
            "/[[...a]",
            "/a[id]",
            "/[a]b",
            "/(group)/a",
            "/admin/*",
            "/admin*",
            "/:id",
            "/{id}",
            "/<id>",
            "/[...a]/b",
            "/[[...a]]/b",
            "/a?b",
            "/a#b",
            "/a\\b",
            "/%61dmin",
            "/a\nb",
            "/[a.b]",
        ] {
            assert!(parse(pattern).is_err(), "{pattern}");
        }
    }
}
