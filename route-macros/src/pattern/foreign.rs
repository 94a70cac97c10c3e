//! The segments that are written as in other frameworks or in URLs.

use super::is_name;

/// A segment that another framework would read as a parameter.
pub(super) struct Foreign {
    /// The parameter as it is written here, if its name can be kept.
    pub(super) ours: Option<String>,
}

/// Recognizes a parameter of another framework, even if its name is not allowed here. As a literal,
/// such a segment would compile, but no client would ever request it.
pub(super) fn foreign(part: &str) -> Option<Foreign> {
    let enclosed = |open, close| part.strip_prefix(open)?.strip_suffix(close);
    let (name, is_tail) = if let Some(rest) = part.strip_prefix(':') {
        colon(rest)
    } else if let Some(name) = part.strip_prefix('*') {
        let name = name.trim_start_matches('*');
        (if name.is_empty() { "rest" } else { name }, true)
    } else if let Some(inner) = enclosed('{', '}') {
        braces(inner)
    } else if let Some(inner) = enclosed('<', '>') {
        angles(inner)
    } else {
        return None;
    };
    let dots = if is_tail { "..." } else { "" };
    let ours = near_name(name).map(|name| format!("[{dots}{name}]"));
    Some(Foreign { ours })
}

/// Returns the name in `:id`, `:id?`, `:id(\d+)` or `:path*`, and whether it is a catch-all.
fn colon(rest: &str) -> (&str, bool) {
    let name = rest.trim_end_matches(['*', '+', '?']);
    let is_tail = rest[name.len()..].contains(['*', '+']);
    let name = name.split_once('(').map_or(name, |(name, _)| name);
    (name, is_tail)
}

/// Returns the name in `{id}`, `{id?}`, `{id:\d+}`, `{path:.*}`, `{path:path}`, `{*path}` or
/// `{path...}`, and whether it is a catch-all.
fn braces(inner: &str) -> (&str, bool) {
    let (name, expression) = inner.split_once(':').unwrap_or((inner, ""));
    let plain = name.trim_start_matches('*').trim_end_matches("...");
    let is_tail = plain != name || matches!(expression, "*" | ".*" | ".+" | "path");
    (plain.trim_end_matches('?'), is_tail)
}

/// Returns the name in `<id>`, `<path..>`, `<int:id>` or `<path:rest>`, where the type comes first,
/// and whether it is a catch-all.
fn angles(inner: &str) -> (&str, bool) {
    let (ty, name) = inner.split_once(':').unwrap_or(("", inner));
    let plain = name.trim_end_matches("..");
    (plain, plain != name || ty == "path")
}

/// Returns the name that was probably meant: without a type after it, and with `_` instead of
/// hyphens and spaces. Any other name that is not allowed is left to the user.
pub(super) fn near_name(name: &str) -> Option<String> {
    let (name, _) = name.split_once(':').unwrap_or((name, ""));
    let name = name.trim_end().replace(['-', ' '], "_");
    is_name(&name).then_some(name)
}

/// Percent-decodes the sequences that are well-formed, and leaves the rest.
pub(super) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text
            .get(at + 1..at + 3)
            .filter(|digits| bytes[at] == b'%' && digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.into())
}
