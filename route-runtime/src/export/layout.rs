//! The mapping from paths to files. This module does no I/O, and it is the only place that makes a
//! file name from a path.
//!
//! Every file lies below the directory, whatever its path is: each segment is decoded once, and
//! must then be a single plain file name on every system. Two paths collide if, on any system, they
//! would have the same file, or if the file of one would be a folder of the other. The second of
//! two paths that collide is refused.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::pattern::decode_segment;

/// Names at the top of the directory that have a meaning for the servers of such directories, or
/// for an export itself.
const RESERVED: [&str; 5] = [
    super::HEADERS,
    super::REDIRECTS,
    super::MARKER,
    "_routes.json",
    "_worker.js",
];

/// The names of devices on some systems, which they are whatever follows after a dot.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The longest file name, in bytes. No system that is used for such directories allows longer
/// names.
const LONGEST: usize = 255;

/// The files that have been laid out so far. Names are compared in lower case, as some systems do.
#[derive(Default)]
pub(super) struct Layout {
    /// The folders, each with the first path that has a file in it.
    folders: HashMap<String, String>,
    /// The files, each with its path.
    files: HashMap<String, String>,
    /// The paths that have a file or a redirect, in lower case, each with its original spelling.
    paths: HashMap<String, String>,
}

impl Layout {
    /// Returns the file for a canonical path, `<path>/index.<extension>`, and records both.
    ///
    /// # Errors
    ///
    /// The reason why the path can have no file.
    pub(super) fn file(&mut self, path: &str, extension: &str) -> Result<PathBuf, String> {
        let names = file_names(path)?;
        if names
            .first()
            .is_some_and(|name| RESERVED.contains(&&*name.to_lowercase()))
        {
            return Err(format!(
                "`{}` means something else in such a directory",
                names[0]
            ));
        }
        let index = format!("index.{extension}");
        let mut folders = vec![String::new()];
        for name in &names {
            let parent = folders.last().map_or("", |folder| folder);
            folders.push(format!("{parent}/{}", name.to_lowercase()));
        }
        let folder = folders.last().cloned().unwrap_or_default();
        let file = format!("{folder}/{index}");
        self.ensure_free(&folder)?;
        if let Some(other) = folders.iter().find_map(|folder| self.files.get(folder)) {
            return Err(format!("its folder would be the file of `{other}`"));
        }
        if let Some(other) = self.folders.get(&file).or_else(|| self.paths.get(&file)) {
            return Err(format!("its file would be where `{other}` is"));
        }
        self.paths.insert(folder, path.into());
        self.files.insert(file, path.into());
        for folder in folders {
            self.folders.entry(folder).or_insert_with(|| path.into());
        }
        Ok(names.iter().collect::<PathBuf>().join(index))
    }

    /// Records a canonical path that is answered without a file, by a redirect.
    ///
    /// # Errors
    ///
    /// The reason why the path cannot be answered, such as a collision with another path.
    pub(super) fn no_file(&mut self, path: &str) -> Result<(), String> {
        let folder: String = segments(path)
            .map(|name| format!("/{}", name.to_lowercase()))
            .collect();
        self.ensure_free(&folder)?;
        if let Some(other) = self.files.get(&folder) {
            return Err(format!("the file of `{other}` would be there"));
        }
        self.paths.insert(folder, path.into());
        Ok(())
    }

    fn ensure_free(&self, folder: &str) -> Result<(), String> {
        match self.paths.get(folder) {
            Some(other) => Err(format!(
                "it differs from `{other}` in upper and lower case only"
            )),
            None => Ok(()),
        }
    }
}

/// Returns the decoded segments of a canonical path; none for `/`. Every segment of a canonical
/// path can be decoded.
fn segments(path: &str) -> impl Iterator<Item = String> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| decode_segment(segment).map_or_else(|| segment.into(), Into::into))
}

fn file_names(path: &str) -> Result<Vec<String>, String> {
    let wrong = |name: &str, what: &str| format!("`{}` {what}", name.escape_debug());
    segments(path)
        .map(|name| match file_name_fault(&name) {
            Some(what) => Err(wrong(&name, what)),
            None => Ok(name),
        })
        .collect()
}

/// Returns the reason why a decoded segment cannot be a file name, if there is one.
fn file_name_fault(name: &str) -> Option<&'static str> {
    if matches!(name, "" | "." | "..") {
        return Some("leads elsewhere");
    }
    if name.contains(['/', '\\']) {
        return Some("has a slash in it");
    }
    if name.contains(char::is_control) {
        return Some("has a control character in it");
    }
    if name.contains(['<', '>', ':', '"', '|', '?', '*', '%']) {
        return Some("has a character that file names or `_redirects` cannot have");
    }
    if name.ends_with(['.', ' ']) || name.starts_with(' ') {
        return Some("ends with a dot, or starts or ends with a space");
    }
    if name.len() > LONGEST {
        return Some("is longer than a file's name may be");
    }
    let stem = name.split('.').next().unwrap_or(name).trim_end();
    let stem = stem.to_lowercase();
    let is_numbered = |prefix| {
        let number: Option<&str> = stem.strip_prefix(prefix);
        number.is_some_and(|number| number.chars().count() == 1 && !number.starts_with('0'))
            && !stem.ends_with(char::is_alphabetic)
    };
    if DEVICES.contains(&&*stem) || is_numbered("com") || is_numbered("lpt") {
        return Some("is the name of a device on some systems");
    }
    None
}

/// Returns the file extension for a `Content-Type`, from which servers derive the type again.
pub(super) fn extension(content_type: &str) -> &'static str {
    let essence = content_type.split(';').next().unwrap_or("");
    match &*essence.trim().to_ascii_lowercase() {
        "text/html" => "html",
        "text/plain" => "txt",
        "text/css" => "css",
        "text/csv" => "csv",
        "text/calendar" => "ics",
        "text/markdown" => "md",
        "text/javascript" | "application/javascript" => "js",
        "application/manifest+json" => "webmanifest",
        "application/pdf" => "pdf",
        "application/wasm" => "wasm",
        "application/zip" => "zip",
        "application/xhtml+xml" => "xhtml",
        "image/avif" => "avif",
        "image/gif" => "gif",
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/svg+xml" => "svg",
        "image/webp" => "webp",
        "image/x-icon" | "image/vnd.microsoft.icon" => "ico",
        "audio/mpeg" => "mp3",
        "video/mp4" => "mp4",
        "video/webm" => "webm",
        "font/woff" => "woff",
        "font/woff2" => "woff2",
        essence if essence == "application/json" || essence.ends_with("+json") => "json",
        "text/xml" | "application/xml" => "xml",
        essence if essence.ends_with("+xml") => "xml",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_path_has_a_file_in_its_own_folder() {
        let mut layout = Layout::default();
        let mut check = |path, extension, file: &str| {
            assert_eq!(layout.file(path, extension), Ok(PathBuf::from(file)));
        };
        check("/", "html", "index.html");
        check("/a", "json", "a/index.json");
        check("/a/b", "txt", "a/b/index.txt");
        check("/feed.xml", "xml", "feed.xml/index.xml");
        check("/caf%C3%A9/a%20b", "html", "café/a b/index.html");
        check("/.well-known", "html", ".well-known/index.html");
    }

    #[test]
    fn hostile_paths_have_no_file() {
        for path in [
            "/..",
            "/a/../b",
            "/.",
            "/%2E%2E",
            "/..%2F..%2Fetc%2Fpasswd",
            "/a%2Fb",
            "/a%5Cb",
            r"/a\b",
            "/a%00",
            "/%00",
            "/a%0Ab",
            "/a%0D%0AX-Evil:%201",
            "/c:",
            "/a%3Fb",
            "/a*",
            "/%252e%252e",
            "/a.",
            "/...",
            "/a%20",
            "/%20a",
            "/nul",
            "/NUL.txt",
            "/aux",
            "/com1",
            "/LPT9.log",
            "/com%C2%B9",
            "/_headers",
            "/_redirects",
            "/_Headers/a",
            "/_worker.js",
            "/.route-export",
        ] {
            assert!(Layout::default().file(path, "txt").is_err(), "{path}");
        }
        let long = format!("/{}", "a".repeat(256));
        assert!(Layout::default().file(&long, "txt").is_err());
        // Names that only look similar are allowed.
        for path in [
            "/com",
            "/com0",
            "/com10",
            "/comma",
            "/nullable",
            "/a/_headers",
        ] {
            assert!(Layout::default().file(path, "txt").is_ok(), "{path}");
        }
    }

    #[test]
    fn the_second_of_two_colliding_paths_is_refused_with_the_name_of_the_first() {
        let check = |first: &str, second: &str, expected: Option<&str>| {
            let mut layout = Layout::default();
            layout.file(first, "html").unwrap();
            let expected = expected.map(String::from);
            assert_eq!(layout.file(second, "html").err(), expected, "{second}");
        };
        let case = |first| format!("it differs from `{first}` in upper and lower case only");
        check("/a", "/A", Some(&case("/a")));
        check("/a/B/c", "/a/b/c", Some(&case("/a/B/c")));
        check("/%C3%A9", "/%C3%89", Some(&case("/%C3%A9")));
        check(
            "/a",
            "/a/index.html",
            Some("its folder would be the file of `/a`"),
        );
        check(
            "/",
            "/Index.html/b",
            Some("its folder would be the file of `/`"),
        );
        check(
            "/a/index.html/b",
            "/a",
            Some("its file would be where `/a/index.html/b` is"),
        );
        check("/a", "/a/b", None);
        check("/A/b", "/a/c", None);
        check("/a", "/a/index.json", None);
    }

    #[test]
    fn a_path_without_a_file_also_collides() {
        let mut layout = Layout::default();
        layout.no_file("/a/index.html").unwrap();
        layout.no_file("/nul").unwrap();
        assert!(layout.file("/a", "html").is_err());
        layout.file("/b", "html").unwrap();
        assert!(layout.no_file("/B").is_err());
        assert!(layout.no_file("/b/index.html").is_err());
        layout.no_file("/b/c").unwrap();
    }

    #[test]
    fn each_content_type_has_its_extension() {
        for (content_type, expected) in [
            ("text/html; charset=utf-8", "html"),
            ("Text/Plain", "txt"),
            ("application/json", "json"),
            ("application/ld+json", "json"),
            ("application/rss+xml; charset=utf-8", "xml"),
            ("image/svg+xml", "svg"),
            ("", "bin"),
            ("../../etc", "bin"),
        ] {
            assert_eq!(extension(content_type), expected, "{content_type}");
        }
    }

    proptest! {
        #[test]
        fn no_file_lies_outside_the_directory(
            path in r"(/([a-c.%*\\: ]|%2[ef]|%5c|%00|\PC){0,6}){1,4}",
        ) {
            if let Ok(file) = Layout::default().file(&path, "html") {
                let is_below = |file: &Path| {
                    file.components().all(|part| matches!(part, Component::Normal(_)))
                };
                prop_assert!(is_below(&file), "{}", file.display());
                prop_assert!(!file.to_string_lossy().contains(['\0', '\\', '\n', '%']));
            }
        }
    }
}
