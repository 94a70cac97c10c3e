//! The table, as a person reads it, one line per path, like `next build`'s; and as a program does.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::{Node, Place, Route, Routes, Table};
use crate::config::{Config, Revalidate, TagPart};
use crate::descriptor::{Kind, Method, Segment};
use crate::rendering::Rendering;

/// One line.
struct Row {
    symbol: char,
    cells: [String; COLUMNS],
}

const COLUMNS: usize = 7;

const TITLES: [&str; COLUMNS] = [
    "Path",
    "Methods",
    "Revalidate",
    "Expire",
    "Tags",
    "CDN",
    "Why",
];

impl fmt::Display for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.setup.table;
        let rows: Vec<_> = table
            .nodes
            .iter()
            .map(|node| Row::new(table, node, self.setup.cdn))
            .collect();
        // Columns nobody uses would only be in the way; the path, its methods and why never are.
        let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
            let widths = rows.iter().map(|row| row.cells[column].chars().count());
            match widths.max().unwrap_or(0) {
                0 => 0,
                widest => widest.max(TITLES[column].len()),
            }
        });
        line(f, ' ', &TITLES.map(String::from), &widths)?;
        for row in &rows {
            line(f, row.symbol, &row.cells, &widths)?;
        }
        f.write_str("\n")?;
        for (symbol, meaning) in [
            ('○', "static: rendered once, with a blank request"),
            ('●', "rendered ahead, from `static_params`"),
            ('◐', "revalidated: rendered again when stale"),
            ('ƒ', "dynamic: rendered for each request"),
        ] {
            if rows.iter().any(|row| row.symbol == symbol) {
                writeln!(f, "{symbol} {meaning}")?;
            }
        }
        if table
            .nodes
            .iter()
            .any(|node| is_stale_for_ever(table, node))
        {
            f.write_str(
                "\nWithout `expire`, a stale response is served however old it is, while the next \
                 one is rendered.\n",
            )?;
        }
        Ok(())
    }
}

fn line(
    f: &mut fmt::Formatter<'_>,
    symbol: char,
    cells: &[String; COLUMNS],
    widths: &[usize; COLUMNS],
) -> fmt::Result {
    let mut line = String::from(symbol);
    for (cell, &width) in cells.iter().zip(widths) {
        if width > 0 {
            line.push_str(&format!(" {cell:width$} "));
        }
    }
    writeln!(f, "{}", line.trim_end())
}

impl Row {
    fn new(table: &Table, node: &Node, cdn: bool) -> Self {
        let handler = |method| node.handler(method).map(|index| &table.handlers[index]);
        let methods: Vec<_> = Method::ALL
            .into_iter()
            .filter(|&method| handler(method).is_some())
            .map(Method::as_str)
            .collect();
        let mut row = Self {
            symbol: 'ƒ',
            cells: Default::default(),
        };
        row.cells[0].clone_from(&node.pattern);
        row.cells[1] = methods.join(", ");
        let Some(get) = handler(Method::Get) else {
            row.cells[6] = "answers no GET".into();
            return row;
        };
        let config = &get.descriptor.config;
        row.cells[6] = get.rendering.to_string();
        if !get.rendering.is_cached() {
            if let Some(ignored) = ignored(config) {
                row.cells[6].push_str(&format!("; it makes {ignored} ineffective"));
            }
            return row;
        }
        row.symbol = match config.revalidate {
            Some(Revalidate::After(_)) => '◐',
            _ if config.static_params.is_some() => '●',
            _ => '○',
        };
        row.cells[2] = match config.revalidate {
            Some(Revalidate::After(seconds)) => format!("{seconds}s"),
            Some(Revalidate::Never) | None => String::new(),
        };
        row.cells[3] = config
            .expire
            .map_or_else(String::new, |expire| format!("{expire}s"));
        row.cells[4] = tags(config, &get.segments).collect::<Vec<_>>().join(" ");
        row.cells[5] = if config.cdn.unwrap_or(cdn) { "yes" } else { "" }.into();
        row
    }
}

impl Routes {
    /// Every handler, sorted by pattern and method, as a JSON array for other programs.
    ///
    /// Of each: `method`, `pattern`, `kind` (`route`, `page`), `rendering` (`cached`, `dynamic`)
    /// and its `reason`, `revalidate` (seconds, `false` for ever, `null` where nothing is cached),
    /// `expire` (seconds or `null`), `tags`, `static_params` and `dynamic_params` (`null` without
    /// parameters), `cdn`, `handler`, `crate`, `file`, `line`, `column`. Others may follow.
    #[must_use]
    pub fn to_json(&self) -> String {
        let lines: Vec<_> = self.iter().map(|route| self.json(&route)).collect();
        // Nothing in it can fail to be JSON.
        serde_json::to_string_pretty(&lines).unwrap_or_default()
    }

    fn json<'a>(&self, route: &Route<'a>) -> Json<'a> {
        let config = &route.descriptor.config;
        let is_cached = route.rendering.is_cached();
        let has_params = route
            .descriptor
            .segments
            .iter()
            .any(|it| !matches!(it, Segment::Literal(_) | Segment::Group(_)));
        let source = route.source();
        Json {
            method: route.method().as_str(),
            pattern: route.pattern,
            kind: match route.kind() {
                Kind::Route => "route",
                Kind::Page => "page",
            },
            rendering: if is_cached { "cached" } else { "dynamic" },
            reason: route.rendering.to_string(),
            revalidate: route.revalidate().map(|revalidate| match revalidate {
                Revalidate::Never => JsonRevalidate::Never(false),
                Revalidate::After(seconds) => JsonRevalidate::After(seconds),
            }),
            expire: route.expire().map(|expire| expire.as_secs()),
            tags: route.tags(),
            static_params: has_params.then_some(config.static_params.is_some()),
            dynamic_params: has_params.then_some(config.dynamic_params),
            cdn: is_cached && config.cdn.unwrap_or(self.setup.cdn),
            handler: route.handler(),
            crate_name: source.crate_name(),
            file: source.file,
            line: source.line,
            column: source.column,
        }
    }
}

/// One handler, in the order in which its members are written.
#[derive(Serialize)]
struct Json<'a> {
    method: &'static str,
    pattern: &'a str,
    kind: &'static str,
    rendering: &'static str,
    reason: String,
    revalidate: Option<JsonRevalidate>,
    expire: Option<u64>,
    tags: Vec<String>,
    static_params: Option<bool>,
    dynamic_params: Option<bool>,
    cdn: bool,
    handler: &'a str,
    #[serde(rename = "crate")]
    crate_name: &'static str,
    file: &'static str,
    line: u32,
    column: u32,
}

#[derive(Serialize)]
#[serde(untagged)]
enum JsonRevalidate {
    /// `false`, as it is declared.
    Never(bool),
    After(u32),
}

impl Route<'_> {
    /// How long its responses are fresh; `None` where nothing is cached.
    #[must_use]
    pub fn revalidate(&self) -> Option<Revalidate> {
        let declared = self.descriptor.config.revalidate;
        self.rendering
            .is_cached()
            .then(|| declared.unwrap_or(Revalidate::Never))
    }

    /// The age at which its responses are thrown away; `None` for never, and where nothing is
    /// cached.
    #[must_use]
    pub fn expire(&self) -> Option<Duration> {
        let declared = self.descriptor.config.expire;
        let expire = declared.filter(|_| self.rendering.is_cached());
        expire.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// What its responses are found by to be thrown away, as declared: `post:{id}`. None where
    /// nothing is cached.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        let config = &self.descriptor.config;
        let tags = tags(config, self.descriptor.segments);
        tags.filter(|_| self.rendering.is_cached()).collect()
    }

    /// Where it is declared, as an error names it.
    pub(crate) fn place(&self) -> Place {
        Place::from(self.descriptor)
    }
}

/// What `force-dynamic` overrules.
fn ignored(config: &Config) -> Option<&'static str> {
    match (config.revalidate, config.static_params) {
        (Some(Revalidate::After(0)) | None, None) => None,
        (Some(Revalidate::After(0)) | None, Some(_)) => Some("`static_params`"),
        (Some(_), None) => Some("`revalidate`"),
        (Some(_), Some(_)) => Some("`revalidate` and `static_params`"),
    }
}

fn tags(config: &Config, segments: &[Segment]) -> impl Iterator<Item = String> {
    let names: Vec<_> = segments
        .iter()
        .filter_map(|segment| match segment {
            Segment::Param(name) | Segment::CatchAll(name) | Segment::OptionalCatchAll(name) => {
                Some(*name)
            }
            Segment::Literal(_) | Segment::Group(_) => None,
        })
        .collect();
    config.tags.iter().map(move |parts| {
        let parts = parts.iter().map(|part| match part {
            TagPart::Literal(text) => (*text).to_owned(),
            TagPart::Param(index) => format!("{{{}}}", names.get(*index).unwrap_or(&"?")),
        });
        parts.collect::<String>()
    })
}

fn is_stale_for_ever(table: &Table, node: &Node) -> bool {
    let get = node
        .handler(Method::Get)
        .map(|index| &table.handlers[index]);
    get.is_some_and(|get| {
        let config = &get.descriptor.config;
        matches!(get.rendering, Rendering::Cached(_))
            && matches!(config.revalidate, Some(Revalidate::After(_)))
            && config.expire.is_none()
    })
}
