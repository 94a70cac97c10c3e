//! Segments as other frameworks and URLs write them.

use super::is_name;

/// How another framework's parameter is written here.
pub(super) fn foreign(part: &str) -> Option<String> {
    if let Some(name) = part.strip_prefix(':') {
        let plain = name.trim_end_matches(['*', '+', '?']);
        let dots = if name.ends_with(['*', '+']) {
            "..."
        } else {
            ""
        };
        return is_name(plain).then(|| format!("[{dots}{plain}]"));
    }
    if let Some(name) = part.strip_prefix('*') {
        let name = if name.is_empty() { "rest" } else { name };
        return is_name(name).then(|| format!("[...{name}]"));
    }
    let inner = part
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .or_else(|| part.strip_prefix('<')?.strip_suffix('>'))?;
    let (name, expression) = inner.split_once(':').unwrap_or((inner, ""));
    let plain = name.trim_start_matches('*').trim_end_matches("..");
    if !is_name(plain) {
        return None;
    }
    let is_tail = plain != name || expression.contains('*');
    Some(if is_tail {
        format!("[...{plain}]")
    } else {
        format!("[{plain}]")
    })
}

/// Percent-decodes what is well-formed; leaves the rest.
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
