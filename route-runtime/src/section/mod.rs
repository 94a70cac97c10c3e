//! Sections: middleware for everything that is answered under a pattern.

mod cover;
mod parse;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub(crate) use self::cover::Coverage;
use crate::middleware::{AppliedMiddleware, Maker, MiddlewareFactory, MiddlewareName, maker};
use crate::pattern::Segment;

/// A section as it was declared, by `wrap` or `wrap_open` of `Server` or `Routes`.
pub(crate) struct SectionDeclaration {
    /// The pattern as it was given, without the prefix of the routes.
    pub(crate) pattern: String,
    name: MiddlewareName,
    /// Set if the section decides nothing about who may read what it covers.
    pub(crate) is_open: bool,
    at: &'static Location<'static>,
    pub(crate) make: Maker,
}

impl SectionDeclaration {
    pub(crate) fn new<Kind>(
        pattern: &str,
        middleware: impl MiddlewareFactory<Kind>,
        is_open: bool,
        at: &'static Location<'static>,
    ) -> Self {
        Self {
            pattern: pattern.into(),
            name: middleware.name(),
            is_open,
            at,
            make: maker(middleware),
        }
    }

    /// Returns the place of the declaration, as an error shows it.
    pub(crate) fn place(&self) -> SectionPlace {
        SectionPlace {
            pattern: self.pattern.clone(),
            middleware: self.name.short().into(),
            is_open: self.is_open,
            file: self.at.file(),
            line: self.at.line(),
            column: self.at.column(),
        }
    }
}

/// A section of a table, behind the table's prefix.
pub(crate) struct Section {
    pub(crate) declared: Arc<SectionDeclaration>,
    /// The pattern, behind the prefix.
    pub(crate) pattern: String,
    segments: Vec<Segment>,
    /// Set if it covers every path of every route.
    pub(crate) is_everywhere: bool,
    /// Set once the log has said that a response with a cookie asked shared caches to keep it.
    pub(crate) is_cookie_told: AtomicBool,
}

impl Section {
    /// Puts a section behind a prefix, where its pattern is `pattern`. The error says what is wrong
    /// with the pattern, and what to write instead.
    pub(crate) fn behind(
        prefix: &[Segment],
        pattern: String,
        declared: &Arc<SectionDeclaration>,
    ) -> Result<Self, (String, String)> {
        let own = parse::parse(&declared.pattern)?;
        Ok(Self {
            pattern,
            declared: Arc::clone(declared),
            segments: prefix.iter().copied().chain(own).collect(),
            is_everywhere: false,
            is_cookie_told: AtomicBool::new(false),
        })
    }

    /// Returns how many of the paths that match a route's pattern the section covers.
    pub(crate) fn coverage(&self, route: &[Segment]) -> Coverage {
        cover::coverage(route, &self.segments)
    }

    /// Returns whether the section covers a path, which is canonical but for malformed segments.
    pub(crate) fn covers(&self, path: &str) -> bool {
        cover::matches(path, &self.segments)
    }

    /// Returns whether a route whose pattern is this answers every path of the section.
    pub(crate) fn is_within(&self, route: &[Segment]) -> bool {
        cover::coverage(&self.segments, route) == Coverage::Always
    }

    /// Returns the middleware as it is shown for a route.
    pub(crate) fn applied(&self, is_sometimes: bool) -> AppliedMiddleware {
        let SectionDeclaration {
            name, at, is_open, ..
        } = &*self.declared;
        AppliedMiddleware {
            name: match name {
                MiddlewareName::Known { short, .. } => short.clone(),
                MiddlewareName::Closure => format!("{}:{}", at.file(), at.line()),
            },
            lasting_name: name.lasting().into(),
            section: Some(self.pattern.clone()),
            is_open: *is_open,
            is_sometimes,
            is_everywhere: *is_open && self.is_everywhere,
        }
    }
}

/// The place of a section's declaration, as an error shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionPlace {
    /// The pattern, as given, without the prefix of the routes.
    pub pattern: String,
    /// The name of the middleware's type or function, or `closure`.
    pub middleware: String,
    /// Set if the section was declared by `wrap_open`.
    pub is_open: bool,
    /// The file of the call of `wrap`.
    pub file: &'static str,
    /// The line of the call.
    pub line: u32,
    /// The column of the call.
    pub column: u32,
}

impl fmt::Display for SectionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.is_open {
            true => "wrap_open",
            false => "wrap",
        };
        let Self {
            pattern,
            middleware,
            file,
            line,
            column,
            ..
        } = self;
        write!(
            f,
            "{method}({pattern:?}, …) of {middleware} at {file}:{line}:{column}"
        )
    }
}
