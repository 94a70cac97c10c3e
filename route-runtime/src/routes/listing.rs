//! The table, as a person reads it: one line per path, like `next build`'s.

use std::fmt;
use std::time::Duration;

use super::{Route, Routes};
use crate::declaration::{Cdn, Config, Method, Rendering, Revalidate, TagPart};
use crate::pattern::Segment;
use crate::table::{Node, Place, Table};

/// One line. What is empty says nothing.
#[derive(Default)]
struct Row {
    symbol: Symbol,
    path: String,
    methods: String,
    revalidate: String,
    expire: String,
    tags: String,
    cdn: &'static str,
    why: String,
}

/// A title, and what stands under it.
type Column = (&'static str, fn(&Row) -> &str);

const COLUMNS: [Column; 7] = [
    ("Path", |row| &row.path),
    ("Methods", |row| &row.methods),
    ("Revalidate", |row| &row.revalidate),
    ("Expire", |row| &row.expire),
    ("Tags", |row| &row.tags),
    ("CDN", |row| row.cdn),
    ("Why", |row| &row.why),
];

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Symbol {
    Static,
    Ahead,
    Revalidated,
    #[default]
    Dynamic,
}

impl Symbol {
    const ALL: [Self; 4] = [Self::Static, Self::Ahead, Self::Revalidated, Self::Dynamic];

    fn char(self) -> char {
        match self {
            Self::Static => '○',
            Self::Ahead => '●',
            Self::Revalidated => '◐',
            Self::Dynamic => 'ƒ',
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Static => "static: rendered once, with a blank request",
            Self::Ahead => "rendered ahead, from `static_params`",
            Self::Revalidated => "revalidated: rendered again when stale",
            Self::Dynamic => "dynamic: rendered for each request",
        }
    }
}

impl fmt::Display for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.served.setup.table;
        let rows: Vec<_> = table
            .nodes()
            .map(|node| Row::new(table, node, self.served.setup.cdn))
            .collect();
        // Columns nobody uses would only be in the way; the path, its methods and why never are.
        let widths = COLUMNS.map(|(title, cell)| {
            let widths = rows.iter().map(|row| cell(row).chars().count());
            match widths.max().unwrap_or(0) {
                0 => 0,
                widest => widest.max(title.len()),
            }
        });
        line(f, ' ', &COLUMNS.map(|(title, _)| title), &widths)?;
        for row in &rows {
            let cells = COLUMNS.map(|(_, cell)| cell(row));
            line(f, row.symbol.char(), &cells, &widths)?;
        }
        f.write_str("\n")?;
        for symbol in Symbol::ALL {
            if rows.iter().any(|row| row.symbol == symbol) {
                writeln!(f, "{} {}", symbol.char(), symbol.meaning())?;
            }
        }
        if table.nodes().any(|node| is_stale_for_ever(table, node)) {
            f.write_str(
                "\nWithout `expire`, a stale response is served however old it is, while the next \
                 one is rendered.\n",
            )?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, symbol: char, cells: &[&str], widths: &[usize]) -> fmt::Result {
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
        let handler = |method| node.handler(method).map(|id| table.handler(id));
        let methods: Vec<_> = Method::ALL
            .into_iter()
            .filter(|&method| handler(method).is_some())
            .map(Method::as_str)
            .collect();
        let row = Self {
            path: node.pattern.clone(),
            methods: methods.join(", "),
            ..Self::default()
        };
        let Some(get) = handler(Method::Get) else {
            return Self {
                why: "answers no GET".into(),
                ..row
            };
        };
        let config = &get.descriptor.config;
        let mut why = get.rendering.to_string();
        if !get.rendering.is_cached() {
            if let Some(ignored) = ignored(config) {
                why.push_str(&format!("; it makes {ignored} ineffective"));
            }
            return Self { why, ..row };
        }
        let seconds =
            |seconds: Option<u32>| seconds.map_or_else(String::new, |it| format!("{it}s"));
        let revalidate = match config.revalidate {
            Some(Revalidate::After(after)) => Some(after),
            Some(Revalidate::Never) | None => None,
        };
        Self {
            symbol: match revalidate {
                Some(_) => Symbol::Revalidated,
                None if config.static_params.is_some() => Symbol::Ahead,
                None => Symbol::Static,
            },
            revalidate: seconds(revalidate),
            expire: seconds(config.expire),
            tags: tags(config, &get.segments).collect::<Vec<_>>().join(" "),
            cdn: match config.cdn_under(cdn) {
                Cdn::No => "",
                Cdn::Yes => "yes",
                Cdn::Public => "public",
            },
            why,
            ..row
        }
    }
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
    // It still says which paths there are.
    let static_params = config.static_params.filter(|_| config.dynamic_params);
    match (config.revalidate, static_params) {
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
    let get = node.handler(Method::Get).map(|id| table.handler(id));
    get.is_some_and(|get| {
        let config = &get.descriptor.config;
        matches!(get.rendering, Rendering::Cached(_))
            && matches!(config.revalidate, Some(Revalidate::After(_)))
            && config.expire.is_none()
    })
}
