//! What is wrong with a table of routes, all at once.

use std::fmt;

use super::{HandlerId, Table};
use crate::declaration::{Method, RouteDescriptor, Source};

/// Everything that keeps a table of routes from being served.
///
/// Displayed, it names each problem, both places in the source, and what to do about it.
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

    pub(crate) fn renderers() -> Self {
        Self::new(vec![RouteProblem::Renderers])
    }

    /// Each problem, in the order of the patterns.
    #[must_use]
    pub fn problems(&self) -> &[RouteProblem] {
        &self.problems
    }
}

/// One problem of a table of routes.
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
        /// The first, in the order of files and lines.
        first: Place,
        /// The second.
        second: Place,
    },
    /// Two names for the parameter at one position.
    Names {
        /// A route and the name it uses.
        first: (Place, &'static str),
        /// Another route, with another name.
        second: (Place, &'static str),
    },
    /// `[...x]` and `[[...x]]` at one position.
    CatchAlls {
        /// The route with `[...x]`.
        required: Place,
        /// The route with `[[...x]]`.
        optional: Place,
    },
    /// `[[...x]]` beside a route at the path it matches when it matches nothing.
    Prefix {
        /// The route with `[[...x]]`.
        optional: Place,
        /// The route at its prefix.
        prefix: Place,
    },
    /// App data that a cached handler needs and nobody registered.
    MissingData {
        /// The route.
        route: Place,
        /// The argument, as it was written.
        argument: &'static str,
        /// What is missing.
        data: String,
    },
    /// The threads that render could not be started, or their app could not be built.
    Renderers,
    /// [`Routes::at`](crate::Routes::at) was given what is no prefix.
    BadPrefix(String),
    /// The environment variable `ROUTE_MODE` is no mode.
    Mode(String),
}

/// A cached handler's argument needs app data that nobody registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MissingData {
    pub(crate) handler: HandlerId,
    pub(crate) argument: &'static str,
    pub(crate) data: String,
}

/// A declaration, as an error names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The method it answers.
    pub method: Method,
    /// The pattern, as declared.
    pub pattern: &'static str,
    /// Where it is declared.
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
            Self::Mode(found) => write!(
                f,
                "ROUTE_MODE is `{found}`\n  help: expected `development` or `production`"
            ),
        }
    }
}

impl std::error::Error for RoutesError {}
