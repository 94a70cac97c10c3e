//! What `#[route]` and `#[page]` leave behind: const data, no behaviour.

use std::fmt;

use actix_web::HttpRequest;

use super::{Config, Thunk};
use crate::pattern::Segment;

/// One handler of one path: what an attribute declared, as const data.
///
/// The handle of a route carries it: `post::ROUTE` for a function `post`. It is what
/// [`Routes::from_iter`](crate::Routes) takes, and what [`Routes::collect`](crate::Routes::collect)
/// finds by itself.
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

/// Which of the two attributes declared it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `#[route]`
    Route,
    /// `#[page]`
    Page,
}

/// The methods a route can answer.
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
    /// Every method, in alphabetical order, which is that of an `Allow` header.
    pub const ALL: [Self; 7] = [
        Self::Delete,
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Patch,
        Self::Post,
        Self::Put,
    ];

    /// The method's name, in upper case.
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

    /// The method of a request, if it is one a route can answer.
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

/// An argument that is an extractor, with what its type tells.
#[derive(Clone, Copy)]
pub struct Argument {
    /// As it was written: `req: HttpRequest`.
    pub source: &'static str,
    /// Its type is no [`StaticExtractor`](crate::StaticExtractor).
    pub reads_request: bool,
    /// [`StaticExtractor::missing`](crate::StaticExtractor::missing).
    pub missing: fn(&HttpRequest) -> Option<String>,
}

/// Where a declaration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The module, whose first part is the crate.
    pub module: &'static str,
    /// The file, as the compiler was given it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl Source {
    /// The crate's name, with underscores.
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
