//! Tests that the source is as README's "Architecture" says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Every module of the runtime, from the top down: each imports only what stands below it. README's
/// table has them in the same order.
const SPINE: [&str; 34] = [
    "private",
    "cache",
    "cli",
    "server",
    "testing",
    "export",
    "lock",
    "build",
    "routes",
    "service",
    "responses",
    "render",
    "handler",
    "data",
    "revalidate",
    "context",
    "table",
    "section",
    "purge",
    "tags",
    "stored",
    "declaration",
    "identity",
    "engine",
    "extract",
    "store",
    "middleware",
    "pattern",
    "respond",
    "threads",
    "mode",
    "owner",
    "panic",
    "target",
];

/// A file's path below its crate's `src`, and its code: without comments, and without the tests
/// at its end.
struct Source {
    path: String,
    code: String,
}

fn sources(krate: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(krate)
        .join("src");
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(&root).unwrap().to_str().unwrap();
            let is_test = below
                .split(['/', '.'])
                .any(|part| matches!(part, "tests" | "properties" | "fuzzing" | "logged"));
            if is_test || !below.ends_with(".rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("\nmod tests {").next().unwrap();
            let lines = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            sources.push(Source {
                path: below.into(),
                code: lines.collect::<Vec<_>>().join("\n"),
            });
        }
    }
    assert!(sources.len() > 10, "the source of {krate}");
    sources
}

fn runtime() -> Vec<Source> {
    sources("route-runtime")
}

impl Source {
    /// The module of the crate that it belongs to.
    fn module(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap()
    }

    /// Returns whether the source is this file, or in this folder.
    fn is_in(&self, module: &str) -> bool {
        let rest = self.path.strip_prefix(module);
        rest.is_some_and(|rest| rest.starts_with(['/', '.']))
    }

    /// The crate's own modules that it names: `a` of `crate::a::B` and of `crate::{a::B}`, also
    /// where `super::super::` leads to the crate.
    fn modules(&self) -> BTreeSet<String> {
        let name = |text: &str| -> String {
            let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            text[..end.unwrap_or(text.len())].into()
        };
        let mut modules = BTreeSet::new();
        for rest in self.after_the_crate() {
            let Some(list) = rest.strip_prefix('{') else {
                modules.insert(name(rest));
                continue;
            };
            let mut depth = 1;
            let mut begins = true;
            for (at, c) in list.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => begins = true,
                    c if begins && !c.is_whitespace() => {
                        modules.insert(name(&list[at..]));
                        begins = false;
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        }
        modules
    }
}

impl Source {
    /// Returns the text behind each path to the crate's root.
    fn after_the_crate(&self) -> impl Iterator<Item = &str> {
        let absolute = self.code.match_indices("crate::");
        let absolute = absolute.map(|(at, found)| &self.code[at + found.len()..]);
        let depth = self.path.split('/').filter(|it| *it != "mod.rs").count();
        let relative = self
            .code
            .match_indices("super::")
            .filter_map(move |(at, _)| {
                let is_first = !self.code[..at].ends_with("super::");
                let mut rest = &self.code[at..];
                let mut steps = 0;
                while let Some(after) = rest.strip_prefix("super::") {
                    rest = after;
                    steps += 1;
                }
                (is_first && steps >= depth).then_some(rest)
            });
        absolute.chain(relative)
    }
}

#[test]
fn a_path_by_super_is_seen() {
    let modules = |path: &str, code: &str| {
        let (path, code) = (path.into(), code.into());
        let modules = Source { path, code }.modules();
        modules.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(modules("cache/key.rs", "use crate::{a::B, c};"), "a c");
    assert_eq!(
        modules("cache/key.rs", "use super::super::server::X;"),
        "server"
    );
    assert_eq!(
        modules("cache/key.rs", "use super::super::{store, server::X};"),
        "server store"
    );
    assert_eq!(modules("cache/key.rs", "use super::entry::X;"), "");
    assert_eq!(modules("cache/mod.rs", "use super::server::X;"), "server");
    assert_eq!(modules("trie.rs", "use super::server::X;"), "server");
    assert_eq!(
        modules("store/redis/link.rs", "use super::super::{News};"),
        ""
    );
}

/// No file that `is_bound` says `word`.
#[track_caller]
fn nobody_says(word: &str, sources: &[Source], is_bound: impl Fn(&Source) -> bool) {
    let found = sources
        .iter()
        .filter(|it| is_bound(it) && it.code.contains(word));
    let found: Vec<_> = found.map(|it| &it.path).collect();
    assert!(found.is_empty(), "`{word}` in {found:?}");
}

/// The modules that a table of README's architecture names, in its order.
fn named_in(table: &str) -> Vec<&str> {
    let rows = table.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.filter_map(|row| row.split(" |").next());
    cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect()
}

#[test]
fn every_module_is_in_the_readme() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let (_, rest) = readme.split_once("\n## Architecture\n").unwrap();
    let (architecture, _) = rest.split_once("\n### ").unwrap();
    let (macros, runtime) = architecture.split_once("In `route-runtime/src`").unwrap();
    let (runtime, _) = runtime.split_once("\nWhat holds").unwrap();
    assert_eq!(named_in(runtime), SPINE);
    let macros: BTreeSet<_> = named_in(macros).into_iter().collect();
    let sources = sources("route-macros");
    let modules: BTreeSet<_> = sources.iter().map(Source::module).collect();
    assert_eq!(macros, modules);
}

/// The place of a module in the spine; the root of the crate is documentation and public names.
fn floor(module: &str) -> Option<usize> {
    let module = if module == "__private" {
        "private"
    } else {
        module
    };
    SPINE.iter().position(|it| *it == module)
}

#[test]
fn every_module_imports_only_lower_ones() {
    let sources = runtime();
    for module in SPINE {
        let is_there = sources.iter().any(|source| source.is_in(module));
        assert!(is_there, "there is a module `{module}`");
    }
    for source in sources.iter().filter(|source| source.path != "lib.rs") {
        let module = source.module();
        let Some(own) = floor(module) else {
            panic!("`{module}` has no place in the spine");
        };
        for named in source.modules() {
            if floor(&named) == Some(own) {
                continue;
            }
            let is_lower = match floor(&named) {
                Some(floor) => floor > own,
                // A macro of the crate.
                None => named == "source",
            };
            assert!(is_lower, "`{}` names `crate::{named}`", source.path);
        }
    }
}

#[test]
fn the_engine_and_the_pure_know_no_actix() {
    let sources = runtime();
    let pure = [
        "engine",
        "store",
        "pattern",
        "declaration/rendering",
        "identity",
    ];
    nobody_says("actix", &sources, |it| {
        pure.iter().any(|module| it.is_in(module))
    });
    nobody_says("async", &sources, |it| {
        let modules = [
            "pattern",
            "declaration/rendering",
            "identity",
            "engine/freshness",
            "engine/epoch",
        ];
        modules.iter().any(|module| it.is_in(module))
    });
}

#[test]
fn the_macros_know_no_actix() {
    nobody_says("actix", &sources("route-macros"), |_| true);
}

#[test]
fn only_the_table_of_routes_reads_the_registry() {
    nobody_says("inventory::iter", &runtime(), |it| !it.is_in("routes"));
}

#[test]
fn only_the_clock_tells_the_time() {
    let sources = runtime();
    for word in ["Instant::now", "SystemTime::now"] {
        // A store has to do with another process's time, or another machine's; and so has its
        // suite.
        nobody_says(word, &sources, |it| {
            !(it.is_in("engine/clock") || it.is_in("store") || it.is_in("testing/store"))
        });
    }
}

/// The names of the types that a file defines at its top level.
fn type_names(code: &str) -> impl Iterator<Item = &str> {
    code.lines().filter_map(|line| {
        let visibilities = ["pub ", "pub(crate) ", "pub(super) ", ""];
        let line = visibilities.iter().find_map(|it| line.strip_prefix(it))?;
        let kinds = ["struct ", "enum ", "trait ", "type ", "union "];
        let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
        rest.split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .next()
    })
}

#[test]
fn each_type_name_is_defined_once_in_a_crate() {
    for krate in ["route-macros", "route-runtime"] {
        let sources = sources(krate);
        let mut defined: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for source in &sources {
            for name in type_names(&source.code) {
                defined.entry(name).or_default().insert(&source.path);
            }
        }
        assert!(defined.len() > 20, "the types of {krate}");
        defined.retain(|_, files| files.len() > 1);
        assert!(defined.is_empty(), "{krate}: {defined:?}");
    }
}

#[test]
fn nothing_is_unsafe() {
    for krate in ["route-macros", "route-runtime"] {
        nobody_says("unsafe {", &sources(krate), |_| true);
        nobody_says("unsafe fn", &sources(krate), |_| true);
        nobody_says("unsafe impl", &sources(krate), |_| true);
        nobody_says("allow(unsafe", &sources(krate), |_| true);
    }
}
