//! The middleware of a handler, as the table of routes, its JSON and its lock show it.

use std::fmt;

/// A middleware that requests for a handler pass: of the handler's own `wrap`, or of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedMiddleware {
    pub(crate) name: String,
    /// The name without anything that other code could change.
    pub(crate) lasting_name: String,
    pub(crate) section: Option<String>,
    pub(crate) is_open: bool,
    pub(crate) is_sometimes: bool,
    /// Set if the section is open and covers every route, so that the table shows it once.
    pub(crate) is_everywhere: bool,
}

impl AppliedMiddleware {
    /// Returns the name: the expression of a `wrap = …` as it was written, or the type or function of
    /// a section's middleware, without modules and generic arguments. A closure has the place where it is wrapped.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the pattern of the section, behind the prefix of the routes, or `None` if the
    /// middleware is of the route's own `wrap`.
    #[must_use]
    pub fn section(&self) -> Option<&str> {
        self.section.as_deref()
    }

    /// Returns whether the section was declared by `wrap_open`: it decides nothing about who may read
    /// the response.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Returns whether the section covers only some of the route's paths.
    #[must_use]
    pub fn is_sometimes(&self) -> bool {
        self.is_sometimes
    }

    /// Returns the middleware as the lock records it.
    pub(crate) fn lasting(&self) -> String {
        let mut text = self.lasting_name.clone();
        if let Some(section) = &self.section {
            text.push('@');
            text.push_str(section);
        }
        for (word, holds) in [(",open", self.is_open), (",sometimes", self.is_sometimes)] {
            if holds {
                text.push_str(word);
            }
        }
        text
    }
}

/// Writes the middleware as the table shows it: the expression of a `wrap = …`, or for a section
/// `Type (/pattern)`.
impl fmt::Display for AppliedMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(section) = &self.section else {
            return f.write_str(&self.name);
        };
        let name = &self.name;
        match self.is_sometimes {
            true => write!(f, "{name} (some of {section})"),
            false => write!(f, "{name} ({section})"),
        }
    }
}
