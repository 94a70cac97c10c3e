//! The error that reports every problem of a table of routes at once.

use std::fmt;
use std::panic::Location;

use super::{HandlerId, Table};
use crate::declaration::{Method, RouteDescriptor, Source};
use crate::section::SectionPlace;

/// The error of a table of routes that cannot be served. It holds every problem.
///
/// Its text names each problem, the places in the source, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutesError {
    problems: Vec<RouteProblem>,
}

impl RoutesError {
    pub(crate) fn new(problems: Vec<RouteProblem>) -> Self {
        Self { problems }
    }

    pub(crate) fn mode(found: String) -> Self {
        Self::new(vec![RouteProblem::Mode(found)])
    }

    pub(crate) fn missing(missing: Vec<MissingData>, table: &Table) -> Self {
        let problems = missing
            .into_iter()
            .map(|missing| RouteProblem::MissingData {
                route: Place::from(&table.handler(missing.handler).descriptor),
                argument: missing.argument,
                data: missing.data,
            });
        Self::new(problems.collect())
    }

    pub(crate) fn other_table(made: &'static Location<'static>) -> Self {
        Self::new(vec![RouteProblem::OtherTable { made }])
    }

    pub(crate) fn table_per_worker(made: &'static Location<'static>) -> Self {
        Self::new(vec![RouteProblem::TablePerWorker { made }])
    }

    pub(crate) fn renderers() -> Self {
        Self::new(vec![RouteProblem::Renderers])
    }

    /// Returns every problem. Problems of one kind are in the order of the patterns.
    #[must_use]
    pub fn problems(&self) -> &[RouteProblem] {
        &self.problems
    }
}

/// A problem of a table of routes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteProblem {
    /// A page and a route at one path.
    PageAndRoute {
        /// The page.
        page: Place,
        /// The route.
        route: Place,
    },
    /// Two handlers for one method and path.
    Twice {
        /// The handler that comes first, by pattern and then by place in the source.
        first: Place,
        /// The other handler.
        second: Place,
    },
    /// Two names for the parameter at one position.
    Names {
        /// A route, and its name for the parameter.
        first: (Place, &'static str),
        /// Another route, and its other name for the parameter.
        second: (Place, &'static str),
    },
    /// `[...x]` and `[[...x]]` at one position.
    CatchAlls {
        /// The route with `[...x]`.
        required: Place,
        /// The route with `[[...x]]`.
        optional: Place,
    },
    /// `[[...x]]` beside a route at its prefix, the path that it matches with no segments.
    Prefix {
        /// The route with `[[...x]]`.
        optional: Place,
        /// The route at its prefix.
        prefix: Place,
    },
    /// App data that a cached handler needs and that is not registered.
    MissingData {
        /// The route.
        route: Place,
        /// The argument, as it was written.
        argument: &'static str,
        /// The name of the missing data.
        data: String,
    },
    /// The threads that render cached routes could not start, or could not build their app.
    Renderers,
    /// The argument of [`Routes::at`](crate::Routes::at) is not a prefix.
    BadPrefix(String),
    /// The pattern of a section, as `wrap` and `wrap_open` of [`Routes`](crate::Routes) and
    /// [`Server`](crate::Server) take it, cannot be read.
    BadSection {
        /// The section.
        section: SectionPlace,
        /// What is wrong with its pattern.
        what: String,
        /// What to write instead.
        instead: String,
    },
    /// A section that covers no route: there is none all of whose paths match its pattern.
    EmptySection(SectionPlace),
    /// `cdn = true` on a route all of whose paths are in a section that may decide who reads them.
    SharedBehindSection {
        /// The route.
        route: Place,
        /// The outermost such section.
        section: SectionPlace,
    },
    /// A middleware of a section that a worker could not make. actix-web gives no reason.
    SectionNotMade(SectionPlace),
    /// A middleware of a route's own `wrap` that a worker could not make.
    WrapNotMade {
        /// The route.
        route: Place,
        /// The expression, as it was written.
        middleware: &'static str,
    },
    /// The app that [`Server::app`](crate::Server::app) or a test made mounts other routes than it
    /// was given: ones that a method such as `at` or `data` made of them.
    OtherTable {
        /// The place of the call that made the mounted routes.
        made: &'static Location<'static>,
    },
    /// Two workers of a server mount routes that each has made itself, so that each has a cache of its
    /// own.
    TablePerWorker {
        /// The place of the call that made the routes.
        made: &'static Location<'static>,
    },
    /// The environment variable `ROUTE_MODE` is not a mode.
    Mode(String),
}

/// An argument of a cached handler, and the app data that it needs and that is not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MissingData {
    pub(crate) handler: HandlerId,
    pub(crate) argument: &'static str,
    pub(crate) data: String,
}

/// The place of a declaration, as an error shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The method that the handler answers.
    pub method: Method,
    /// The pattern, as declared.
    pub pattern: &'static str,
    /// The place in the source code.
    pub source: Source,
}

impl From<&RouteDescriptor> for Place {
    fn from(route: &RouteDescriptor) -> Self {
        Self {
            method: route.method,
            pattern: route.pattern,
            source: route.source,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Source {
            file, line, column, ..
        } = self.source;
        write!(
            f,
            "{} {} at {file}:{line}:{column} (crate `{}`)",
            self.method,
            self.pattern,
            self.source.crate_name()
        )
    }
}

impl fmt::Display for RoutesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => f.write_str("1 problem with the routes")?,
            count => write!(f, "{count} problems with the routes")?,
        }
        for problem in &self.problems {
            write!(f, "\n\n{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for RouteProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PageAndRoute { page, route } => write!(
                f,
                "a page and a route at one path\n  page:  {page}\n  route: {route}\n  help: move \
                 one of the two to another path"
            ),
            Self::Twice { first, second } if first.source == second.source => write!(
                f,
                "one declaration, twice\n  {first}\n  help: this crate is linked twice, in two \
                 versions or from two paths: see `cargo tree --duplicates`"
            ),
            Self::Twice { first, second } => write!(
                f,
                "two handlers for {} {}\n  {first}\n  {second}\n  help: remove one of the two, or \
                 change its method or path",
                first.method, first.pattern
            ),
            Self::Names { first, second } => write!(
                f,
                "two names for one parameter: `{}` and `{}`\n  {}\n  {}\n  help: use one name at \
                 this position",
                first.1, second.1, first.0, second.0
            ),
            Self::CatchAlls { required, optional } => write!(
                f,
                "a catch-all beside an optional one\n  {required}\n  {optional}\n  help: keep the \
                 optional one: it matches all that the other does"
            ),
            Self::Prefix { optional, prefix } => write!(
                f,
                "an optional catch-all beside a route at its own prefix\n  {optional}\n  \
                 {prefix}\n  help: write `[...name]` instead of `[[...name]]`: then the prefix \
                 belongs to the other route alone"
            ),
            Self::MissingData {
                route,
                argument,
                data,
            } => write!(
                f,
                "a cached route needs app data that is not registered\n  {route}\n  `{argument}` \
                 finds no `{data}`\n  help: register it with `.data(…)` on `Server` or `Routes`, \
                 or in their `.configure(…)`; what only your `App` has, cached handlers do not \
                 see, as they run in an app of their own"
            ),
            Self::Renderers => f.write_str(
                "the threads that render cached routes could not start\n  help: the log says why; \
                 a closure given to `.configure(…)` that panics is one reason",
            ),
            Self::BadPrefix(prefix) => write!(
                f,
                "`{prefix}` is no prefix for routes\n  help: write literal segments, as in \
                 `/v1` or `/api/v1`, without a trailing slash"
            ),
            Self::BadSection {
                section,
                what,
                instead,
            } => write!(
                f,
                "the pattern of a section cannot be read: {what}\n  {section}\n  help: {instead}"
            ),
            Self::EmptySection(section) => write!(
                f,
                "a section covers no route\n  {section}\n  help: write the pattern as the routes \
                 are declared, without the prefix of `at`; a section covers a route if its pattern \
                 matches every path of the route: `/admin/[[...rest]]` covers `/admin` and \
                 `/admin/users/[id]`; to guard a part of `/[...slug]`, declare a route for that part"
            ),
            Self::SharedBehindSection { route, section } => write!(
                f,
                "`cdn = true` in a section\n  {route}\n  {section}\n  help: a shared cache outside \
                 answers without asking the section; remove `cdn`; or, if the section does not decide \
                 who may read the response, declare the section with `wrap_open`, or write `cdn = \
                 \"public\"`"
            ),
            Self::SectionNotMade(section) => write!(
                f,
                "the middleware of a section could not be made on a worker\n  {section}\n  help: \
                 its `new_transform` failed, and the log may say why"
            ),
            Self::WrapNotMade { route, middleware } => write!(
                f,
                "the middleware of a route could not be made on a worker\n  {route}\n  \
                 `{middleware}`\n  help: its `new_transform` failed, and the log may say why"
            ),
            Self::OtherTable { made } => write!(
                f,
                "the app mounts other routes than it was given\n  made at {made}\n  help: each \
                 worker calls this code, and would have a cache of its own, which no other \
                 worker's `revalidate_*` reaches; call `at`, `data` and the like on `Server`, or on \
                 the routes before they are given to an app"
            ),
            Self::TablePerWorker { made } => write!(
                f,
                "routes that each worker makes for itself\n  made at {made}\n  help: each \
                 worker would have a cache of its own, which no other worker's `revalidate_*` \
                 reaches; make the routes before `HttpServer::new`, and mount `routes.clone()` in \
                 its closure"
            ),
            Self::Mode(found) => write!(
                f,
                "ROUTE_MODE is `{found}`\n  help: expected `development` or `production`"
            ),
        }
    }
}

impl std::error::Error for RoutesError {}
