//! The presentation of options in the documentation, the table of routes, JSON and the lock.

use serde_json::Value;

use super::Config;
use crate::middleware::AppliedMiddleware;
use crate::pattern::Segment;

/// A function that returns how a handler's option is shown.
pub(crate) type ShowFn<T> = fn(&Shown<'_>) -> T;

/// The presentation of one option. The option's value is a field of [`Config`].
pub(crate) struct OptionInfo {
    pub(crate) name: &'static str,
    /// The values that the option may have, in Markdown.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the page of options"))]
    pub(crate) values: &'static str,
    /// The default, in Markdown.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the page of options"))]
    pub(crate) default: &'static str,
    /// The declarations that may have the option.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the page of options"))]
    pub(crate) place: &'static str,
    /// Set if the option is shown also where nothing is cached: in a column, JSON and the lock.
    pub(crate) is_of_any: bool,
    /// The title and the cell of the option's column in the table of routes, if it has one.
    pub(crate) column: Option<(&'static str, ShowFn<String>)>,
    /// The value of the option's member in JSON, if it has one.
    pub(crate) json: Option<ShowFn<Value>>,
    /// The name and the values of the option's words in the lock, if the option changes how a route
    /// is rendered.
    pub(crate) lock: Option<(&'static str, ShowFn<Vec<String>>)>,
}

impl OptionInfo {
    /// An option that is shown only in the documentation. Rows of other options may start from it.
    pub(super) const HIDDEN: Self = Self {
        name: "",
        values: "",
        default: "",
        place: "",
        is_of_any: false,
        column: None,
        json: None,
        lock: None,
    };
}

/// A handler whose options are shown.
pub(crate) struct Shown<'a> {
    pub(crate) config: &'a Config,
    pub(crate) segments: &'a [Segment],
    pub(crate) is_cached: bool,
    /// The server's setting for shared caches, which holds if a declaration has no `cdn`. It is
    /// `false` in a section that may decide who reads the responses.
    pub(crate) cdn: bool,
    pub(crate) middleware: Vec<AppliedMiddleware>,
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use crate::declaration::OPTIONS;

    /// Compares `docs/options.md` with the rows of the options. If `UPDATE_DOCS` is set, writes the
    /// page first.
    #[test]
    fn the_page_of_options_is_what_their_rows_say() {
        let rows = OPTIONS.iter().map(|option| {
            let cells = [option.values, option.default, option.place].join(" | ");
            format!("| `{}` | {cells} |\n", option.name)
        });
        let head = "| option | values | default | where |\n|---|---|---|---|\n";
        let expected: String = std::iter::once(head.to_owned()).chain(rows).collect();
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/options.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&page, &expected).unwrap();
        }
        let found = fs::read_to_string(&page).unwrap();
        assert_eq!(found, expected, "run with `UPDATE_DOCS=1`");
    }
}
