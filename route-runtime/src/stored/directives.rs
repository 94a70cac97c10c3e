//! The parser of `Cache-Control`: directives are parsed, not searched for.

/// Returns the names of a header's directives, in lower case. A comma in a quoted value ends
/// nothing.
pub(crate) fn directives(value: &str) -> impl Iterator<Item = String> {
    parts(value).map(|directive| name_of(directive).to_ascii_lowercase())
}

/// Returns whether a directive stands there without a value. `private="x-a"` is only about the
/// header `x-a`, and not about the response.
pub(crate) fn has_bare_directive(value: &str, name: &str) -> bool {
    parts(value).any(|directive| directive.trim().eq_ignore_ascii_case(name))
}

fn name_of(directive: &str) -> &str {
    directive.split('=').next().unwrap_or(directive).trim()
}

/// Splits a header into its directives.
fn parts(value: &str) -> impl Iterator<Item = &str> {
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
        .filter(|directive| !name_of(directive).is_empty())
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

    #[test]
    fn a_directive_with_a_value_is_not_bare() {
        assert!(has_bare_directive("max-age=1, Private", "private"));
        assert!(!has_bare_directive("private=\"x-a\", max-age=1", "private"));
        assert!(!has_bare_directive("x=\"private, private\"", "private"));
    }
}
