//! The const data that `#[route]` and `#[page]` generate. It has no behaviour.

use std::fmt;

use super::{Config, Thunk};
use crate::extract::AppData;
use crate::pattern::Segment;

/// The declaration of one handler of one path, as const data.
///
/// The handle of a route has it as a constant: `post::ROUTE` for a function `post`.
/// [`Routes::from_iter`](crate::Routes) takes such descriptors, and
/// [`Routes::collect`](crate::Routes::collect) finds them by itself.
#[derive(Clone, Copy)]
pub struct RouteDescriptor {
    #[doc(hidden)]
    pub kind: Kind,
    #[doc(hidden)]
    pub method: Method,
    #[doc(hidden)]
    pub pattern: &'static str,
    #[doc(hidden)]
    pub segments: &'static [Segment],
    #[doc(hidden)]
    pub arguments: &'static [Argument],
    #[doc(hidden)]
    pub config: Config,
    #[doc(hidden)]
    pub handler: &'static str,
    #[doc(hidden)]
    pub source: Source,
    #[doc(hidden)]
    pub call: Thunk,
}

inventory::collect!(RouteDescriptor);

impl fmt::Debug for RouteDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.method, self.pattern, self.source)
    }
}

/// The attribute that declared a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `#[route]`
    Route,
    /// `#[page]`
    Page,
}

/// A method that a route can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// `DELETE`
    Delete,
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `OPTIONS`
    Options,
    /// `PATCH`
    Patch,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

impl Method {
    /// Every method, in alphabetical order, which is also the order in an `Allow` header.
    pub const ALL: [Self; 7] = [
        Self::Delete,
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Patch,
        Self::Post,
        Self::Put,
    ];

    /// Returns the method's name in upper case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }

    /// Returns the method of a request, if a route can answer it.
    pub(crate) fn of(method: &actix_web::http::Method) -> Option<Self> {
        use actix_web::http::Method as Http;
        Some(match *method {
            Http::DELETE => Self::Delete,
            Http::GET => Self::Get,
            Http::HEAD => Self::Head,
            Http::OPTIONS => Self::Options,
            Http::PATCH => Self::Patch,
            Http::POST => Self::Post,
            Http::PUT => Self::Put,
            _ => return None,
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An argument that is an extractor, with the facts that its type tells.
#[derive(Clone, Copy)]
pub struct Argument {
    /// The argument as it was written: `req: HttpRequest`.
    pub source: &'static str,
    /// Set if the argument's type is not a [`StaticExtractor`](crate::StaticExtractor).
    pub reads_request: bool,
    /// The app data that the argument needs.
    pub app_data: AppData,
}

/// The place of a declaration in the source code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The path of the module, whose first part is the crate.
    pub module: &'static str,
    /// The path of the file, as it was given to the compiler.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl Source {
    /// Returns the crate's name, with underscores.
    #[must_use]
    pub fn crate_name(&self) -> &'static str {
        self.module.split("::").next().unwrap_or(self.module)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
