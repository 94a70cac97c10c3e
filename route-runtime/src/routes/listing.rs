//! The table, as a person reads it: one line per path, like `next build`'s.

use std::fmt;

use super::{Node, Routes, Table};
use crate::config::{Config, Revalidate, TagPart};
use crate::descriptor::{Method, Segment};
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
        row.cells[4] = tags(config, &get.segments);
        row.cells[5] = if config.cdn.unwrap_or(cdn) { "yes" } else { "" }.into();
        row
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

fn tags(config: &Config, segments: &[Segment]) -> String {
    let names: Vec<_> = segments
        .iter()
        .filter_map(|segment| match segment {
            Segment::Param(name) | Segment::CatchAll(name) | Segment::OptionalCatchAll(name) => {
                Some(*name)
            }
            Segment::Literal(_) | Segment::Group(_) => None,
        })
        .collect();
    let tags = config.tags.iter().map(|parts| {
        let parts = parts.iter().map(|part| match part {
            TagPart::Literal(text) => (*text).to_owned(),
            TagPart::Param(index) => format!("{{{}}}", names.get(*index).unwrap_or(&"?")),
        });
        parts.collect::<String>()
    });
    tags.collect::<Vec<_>>().join(" ")
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
