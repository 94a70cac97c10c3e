//! The files `_headers` and `_redirects`, in the format that Netlify and Cloudflare Pages read.
//! They hold what the exported files themselves cannot: content types, other headers, redirects,
//! and the file of each path that is not an `index.html`.

use std::collections::BTreeMap;

/// The rules of both files. They are sorted by path, so that the same routes make the same files.
#[derive(Default)]
pub(super) struct Rules {
    headers: BTreeMap<String, Vec<(String, String)>>,
    redirects: BTreeMap<String, (String, u16)>,
}

impl Rules {
    /// Adds the headers of one path. The caller has checked that they are text without line breaks.
    pub(super) fn headers(&mut self, path: &str, headers: Vec<(String, String)>) {
        if !headers.is_empty() {
            self.headers.insert(literal(path), headers);
        }
    }

    /// Adds a rule that answers a path with its file. An `index.html` needs none, since every
    /// server finds it by itself.
    pub(super) fn rewrite(&mut self, path: &str, extension: &str) {
        if extension != "html" {
            let folder = path.trim_end_matches('/');
            let file = format!("{}/index.{extension}", literal(folder));
            self.redirects.insert(literal(path), (file, 200));
        }
    }

    /// Adds a redirect.
    ///
    /// # Errors
    ///
    /// If the location cannot be written in the file, or would be read as something else there.
    pub(super) fn redirect(
        &mut self,
        path: &str,
        status: u16,
        location: &str,
    ) -> Result<(), String> {
        let is_absolute = location.starts_with('/') && !location.starts_with("//");
        let is_url = ["http://", "https://"].iter().any(|scheme| {
            let start = location.get(..scheme.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        if !(is_absolute || is_url) {
            return Err(format!(
                "it redirects to `{location}`, which is neither a path from `/` nor a URL"
            ));
        }
        if location.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(format!("it redirects to `{location}`, with a space in it"));
        }
        self.redirects
            .insert(literal(path), (location.into(), status));
        Ok(())
    }

    pub(super) fn redirects_file(&self) -> String {
        self.redirects
            .iter()
            .map(|(path, (to, status))| format!("{path} {to} {status}\n"))
            .collect()
    }

    pub(super) fn headers_file(&self) -> String {
        let mut file = String::new();
        for (path, headers) in &self.headers {
            file.push_str(path);
            file.push('\n');
            for (name, value) in headers {
                file.push_str(&format!("  {name}: {value}\n"));
            }
        }
        file
    }
}

/// Escapes a canonical path so that it matches only itself: `*` and `:name` are patterns in these
/// files.
fn literal(path: &str) -> String {
    path.replace('*', "%2A").replace(':', "%3A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_sorted_by_path_and_match_paths_literally() {
        let mut rules = Rules::default();
        rules.redirect("/b", 308, "https://example.com/").unwrap();
        rules.redirect("/a/:id/*", 307, "/").unwrap();
        rules.rewrite("/time", "json");
        rules.rewrite("/", "txt");
        rules.rewrite("/page", "html");
        let header = |name: &str, value: &str| (name.into(), value.into());
        rules.headers("/time", vec![header("content-type", "application/json")]);
        rules.headers("/a*", vec![header("x-a", "1"), header("x-b", "2")]);
        assert_eq!(
            rules.redirects_file(),
            "/ /index.txt 200\n/a/%3Aid/%2A / 307\n/b https://example.com/ 308\n/time \
             /time/index.json 200\n"
        );
        assert_eq!(
            rules.headers_file(),
            "/a%2A\n  x-a: 1\n  x-b: 2\n/time\n  content-type: application/json\n"
        );
    }

    #[test]
    fn redirects_to_neither_an_absolute_path_nor_a_url_are_refused() {
        let mut rules = Rules::default();
        for location in [
            "",
            "next",
            "//evil.example",
            "javascript:1",
            "/a b",
            "/a\tb 200",
        ] {
            assert!(rules.redirect("/", 307, location).is_err(), "{location}");
        }
        assert_eq!(rules.redirects_file(), "");
    }
}
