//! The parser of `Cache-Control`: directives are parsed, not searched for.

/// Returns the names of a header's directives, in lower case. A comma in a quoted value ends
/// nothing.
pub(crate) fn directives(value: &str) -> impl Iterator<Item = String> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    value
        .split(move |c| {
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = is_quoted,
                '"' => is_quoted = !is_quoted,
                _ => {}
            }
            c == ',' && !is_quoted
        })
        .map(|directive| {
            let name = directive.split('=').next().unwrap_or(directive);
            name.trim().to_ascii_lowercase()
        })
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_split_only_at_commas_outside_quotes() {
        let check = |value: &str, expected: &[&str]| {
            assert_eq!(directives(value).collect::<Vec<_>>(), expected, "{value}");
        };
        check("", &[]);
        check("no-store", &["no-store"]);
        check("Max-Age=1 , PRIVATE", &["max-age", "private"]);
        check("private=\"a, no-store\", x", &["private", "x"]);
        check("x=\"a\\\", no-store\", y", &["x", "y"]);
        check(",,public,", &["public"]);
    }
}
