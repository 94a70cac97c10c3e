//! The table as text for people: one line per path, like the output of `next build`.

use std::fmt;
use std::time::Duration;

use super::warning::FOR_EVER;
use super::{Route, Routes};
use crate::declaration::{Config, Method, OPTIONS, Rendering, Revalidate, ShowFn, declared_tags};
use crate::mode::Mode;
use crate::table::{Node, Place, Table};

/// A line of the table. A cell that is empty says nothing.
#[derive(Default)]
struct Row {
    symbol: Symbol,
    path: String,
    methods: String,
    /// The cells of the options that have a column.
    options: Vec<String>,
    why: String,
}

/// Returns the title and the cell of each option that has a column, in the order of the columns.
fn columns() -> impl Iterator<Item = (&'static str, ShowFn<String>)> {
    OPTIONS.iter().filter_map(|option| option.column)
}

impl Row {
    /// Returns the cells from left to right.
    fn cells(&self) -> Vec<&str> {
        let mut cells = vec![&*self.path, &*self.methods];
        for (index, _) in columns().enumerate() {
            cells.push(self.options.get(index).map_or("", |cell| cell));
        }
        cells.push(&self.why);
        cells
    }
}

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

    fn meaning(self, mode: Mode) -> &'static str {
        match (self, mode) {
            (Self::Static, Mode::Production) => "static: rendered once, with a blank request",
            (Self::Static, Mode::Development) => {
                "static: rendered for each request, with a blank one; in production, once"
            }
            (Self::Ahead, Mode::Production) => "rendered ahead, from `static_params`",
            (Self::Ahead, Mode::Development) => {
                "rendered for each request; in production, ahead, from `static_params`"
            }
            (Self::Revalidated, Mode::Production) => "revalidated: rendered again when stale",
            (Self::Revalidated, Mode::Development) => {
                "revalidated: rendered for each request; in production, again when stale"
            }
            (Self::Dynamic, _) => "dynamic: rendered for each request",
        }
    }
}

impl fmt::Display for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.served.setup.table;
        let mode = self.served.setup.mode;
        let rows: Vec<_> = table
            .nodes()
            .map(|node| Row::new(table, node, self.served.setup.cdn))
            .collect();
        let titles: Vec<_> = ["Path", "Methods"]
            .into_iter()
            .chain(columns().map(|(title, _)| title))
            .chain(["Why"])
            .collect();
        let cells: Vec<_> = rows.iter().map(Row::cells).collect();
        // An empty column is left out. The columns of paths, methods and reasons are never empty.
        let widths = titles.iter().enumerate().map(|(column, title)| {
            let widths = cells.iter().map(|cells| cells[column].chars().count());
            match widths.max().unwrap_or(0) {
                0 => 0,
                widest => widest.max(title.len()),
            }
        });
        let widths: Vec<_> = widths.collect();
        line(f, ' ', &titles, &widths)?;
        for (row, cells) in rows.iter().zip(&cells) {
            line(f, row.symbol.char(), cells, &widths)?;
        }
        f.write_str("\n")?;
        for symbol in Symbol::ALL {
            if rows.iter().any(|row| row.symbol == symbol) {
                writeln!(f, "{} {}", symbol.char(), symbol.meaning(mode))?;
            }
        }
        let everywhere: Vec<_> = table
            .sections_everywhere()
            .map(|section| section.to_string())
            .collect();
        if !everywhere.is_empty() {
            writeln!(f, "\nEvery route is in {}.", everywhere.join(", "))?;
        }
        if table.nodes().any(|node| is_stale_for_ever(table, node)) {
            f.write_str(match mode {
                Mode::Production => "\nWithout `expire`, a",
                Mode::Development => "\nIn production, without `expire`, a",
            })?;
            f.write_str(
                " stale response is served however old it is, while the next one is rendered.\n",
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
        let handlers: Vec<_> = Method::ALL
            .into_iter()
            .filter_map(|method| node.handler(method))
            .map(|id| Route {
                table,
                handler: table.handler(id),
            })
            .collect();
        let methods: Vec<_> = handlers.iter().map(|it| it.method().as_str()).collect();
        let row = Self {
            path: node.pattern.clone(),
            methods: methods.join(", "),
            options: OPTIONS
                .iter()
                .filter_map(|option| Some(cell(option.column?.1, option.is_of_any, &handlers, cdn)))
                .collect(),
            ..Self::default()
        };
        let Some(get) = handlers.iter().find(|it| it.method() == Method::Get) else {
            return Self {
                why: "answers no GET".into(),
                ..row
            };
        };
        let config = &get.descriptor().config;
        let mut why = get.rendering().to_string();
        if !get.rendering().is_cached() {
            if let Some(ignored) = ignored(config) {
                why.push_str(&format!("; it makes {ignored} ineffective"));
            }
            return Self { why, ..row };
        }
        if get.is_for_ever() {
            why.push_str(&format!("; {FOR_EVER}"));
        }
        Self {
            symbol: match config.revalidate {
                Some(Revalidate::After(_)) => Symbol::Revalidated,
                Some(Revalidate::Never) | None if config.static_params.is_some() => Symbol::Ahead,
                Some(Revalidate::Never) | None => Symbol::Static,
            },
            why,
            ..row
        }
    }
}

/// Returns the cell of an option for the handlers of one path. An option that only a cached GET can
/// have shows GET's value. Any other shows the value of all, or of each method where they differ.
fn cell(show: ShowFn<String>, is_of_any: bool, handlers: &[Route<'_>], cdn: bool) -> String {
    if !is_of_any {
        let mut cached = handlers.iter().filter(|it| it.rendering().is_cached());
        return cached
            .next()
            .map_or_else(String::new, |it| show(&it.shown(cdn)));
    }
    let cells: Vec<_> = handlers.iter().map(|it| show(&it.shown(cdn))).collect();
    if cells.windows(2).all(|pair| pair[0] == pair[1]) {
        return cells.into_iter().next().unwrap_or_default();
    }
    let cells = handlers
        .iter()
        .zip(&cells)
        .filter(|(_, cell)| !cell.is_empty());
    let cells: Vec<_> = cells
        .map(|(it, cell)| format!("{}: {cell}", it.method()))
        .collect();
    cells.join("; ")
}

impl Route<'_> {
    /// Returns how long the responses are fresh, or `None` if nothing is cached.
    #[must_use]
    pub fn revalidate(&self) -> Option<Revalidate> {
        let declared = self.descriptor().config.revalidate;
        self.rendering()
            .is_cached()
            .then(|| declared.unwrap_or(Revalidate::Never))
    }

    /// Returns the age from which the responses are no longer served. Returns `None` if there is no
    /// such age, or if nothing is cached.
    #[must_use]
    pub fn expire(&self) -> Option<Duration> {
        let declared = self.descriptor().config.expire;
        let expire = declared.filter(|_| self.rendering().is_cached());
        expire.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// Returns the tags by which the responses can be invalidated, as declared: `post:{id}`. There
    /// are none if nothing is cached.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        if self.rendering().is_cached() {
            declared_tags(&self.shown(false))
        } else {
            Vec::new()
        }
    }

    /// Returns the place of the declaration, as an error shows it.
    pub(crate) fn place(&self) -> Place {
        Place::from(self.descriptor())
    }
}

/// Returns the options that have no effect on a dynamic route.
fn ignored(config: &Config) -> Option<&'static str> {
    // With `dynamic_params = false`, `static_params` still says which paths exist.
    let static_params = config.static_params.filter(|_| config.dynamic_params);
    match (config.revalidate, static_params) {
        (Some(Revalidate::After(0)) | None, None) => None,
        (Some(Revalidate::After(0)) | None, Some(_)) => Some("`static_params`"),
        (Some(_), None) => Some("`revalidate`"),
        (Some(_), Some(_)) => Some("`revalidate` and `static_params`"),
    }
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
