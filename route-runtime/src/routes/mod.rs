//! From declarations to a checked table. The only reader of `inventory`.

mod ahead;
mod builder;
mod json;
mod listing;
mod mount;
mod route;
mod sharing;

use std::fmt;
use std::sync::Arc;

pub(crate) use self::ahead::{AT_ONCE, Ahead, KnownPath, NotAhead, Step, Watch, known_paths};
pub use self::mount::AppFactory;
pub(crate) use self::mount::app;
pub use self::route::Route;
use crate::context::Context;
use crate::declaration::RouteDescriptor;
use crate::engine::{CAPACITY, Clock, Stats};
use crate::mode::Mode;
use crate::pattern::Match;
use crate::responses::{ResponseCache, Served};
use crate::revalidate::{Revalidation, Scope, Target};
use crate::store::MemoryOptions;
use crate::table::{RoutesError, Setup, SharedData, Sharing, Table};
use crate::target;

/// The checked table of routes: what a server serves.
///
/// Cheap to clone. Mounted in an actix-web [`App`](actix_web::App) with
/// [`service`](actix_web::App::service); what it does not know falls through to the app's other
/// services and `default_service`. Displayed, it is a table of every route with how and why it is
/// rendered as it is.
///
/// Clones share one cache. What makes another table of one (`at`, `data`, `mode`, `store`, …) gives
/// it a cache of its own: say it all before you clone it for the workers.
///
/// # Example
///
/// ```
/// use actix_web::{App, test};
/// use route_runtime::{Routes, route};
///
/// #[route("/api/books/[id]")]
/// async fn book(id: u64) -> String {
///     format!("book {id}")
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), route_runtime::RoutesError> {
/// let routes = Routes::from_iter([book::ROUTE])?;
/// let app = test::init_service(App::new().service(routes)).await;
/// let request = test::TestRequest::get().uri(&book::path(7)).to_request();
/// assert_eq!(test::call_and_read_body(&app, request).await, "book 7");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Routes {
    pub(crate) served: Served,
}

impl Routes {
    /// The routes of this program: every `#[route]` and `#[page]` of every crate linked into it.
    ///
    /// A crate that is a dependency but that nothing names is not linked; see
    /// [`link!`](crate::link).
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the table, at once, with the places in the source: a page and
    /// a route at one path, two handlers for one method and path, different parameter names at one
    /// position, `[...x]` beside `[[...x]]`, `[[...x]]` beside a route at its own prefix.
    ///
    /// # Example
    ///
    /// ```
    /// use route_runtime::{Routes, RoutesError, page};
    ///
    /// #[page("/imprint")]
    /// async fn imprint() -> &'static str {
    ///     "<h1>Imprint</h1>"
    /// }
    ///
    /// # fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::collect()?; // Nobody has registered it.
    /// assert!(routes.iter().any(|route| route.pattern() == imprint::PATTERN));
    /// # Ok(())
    /// # }
    /// ```
    pub fn collect() -> Result<Self, RoutesError> {
        Self::from_iter(inventory::iter::<RouteDescriptor>.into_iter().copied())
    }

    /// These routes and no others, for tests and for a second app in one program.
    ///
    /// # Errors
    ///
    /// As [`collect`](Self::collect).
    ///
    /// # Example: What is wrong with a table
    ///
    /// ```
    /// use route_runtime::{RouteProblem, Routes, route};
    ///
    /// #[route("/teams/[id]")]
    /// async fn team(id: u64) -> String {
    ///     id.to_string()
    /// }
    ///
    /// #[route("/teams/[name]/members")]
    /// async fn members(name: String) -> String {
    ///     name
    /// }
    ///
    /// let error = Routes::from_iter([team::ROUTE, members::ROUTE]).err().unwrap();
    /// assert!(matches!(error.problems(), [RouteProblem::Names { .. }]));
    /// ```
    #[expect(clippy::should_implement_trait, reason = "it can fail")]
    pub fn from_iter(
        routes: impl IntoIterator<Item = RouteDescriptor>,
    ) -> Result<Self, RoutesError> {
        let table = Table::build(routes.into_iter().collect(), "")?;
        let (mode, no_mode) = match Mode::from_env() {
            Ok(mode) => (mode, None),
            // Something else may decide yet.
            Err(found) => (Mode::of_profile(), Some(found)),
        };
        Ok(Self::of(Setup {
            table: Arc::new(table),
            data: SharedData::default(),
            configure: Vec::new(),
            mode,
            no_mode,
            memory: MemoryOptions::with_capacity(CAPACITY),
            cdn: false,
            clock: Clock::system(),
            sharing: Sharing::default(),
        }))
    }

    /// Puts the whole table behind a prefix, such as `/v1`.
    ///
    /// Use it instead of a `web::scope`. What a handle's `path` builds stays without the prefix. A
    /// second prefix replaces the first.
    ///
    /// # Errors
    ///
    /// If the prefix is not `/`-separated literals, decoded, without a trailing slash.
    ///
    /// # Example
    ///
    /// ```
    /// # use route_runtime::{Routes, RoutesError, route};
    /// #[route("/books/[id]")]
    /// async fn book(id: u64) -> String {
    ///     format!("book {id}")
    /// }
    ///
    /// # fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::from_iter([book::ROUTE])?.at("/v1")?;
    /// assert_eq!(routes.pattern_of("/v1/books/7"), Some("/v1/books/[id]"));
    /// assert_eq!(book::path(7), "/books/7");
    ///
    /// let routes = routes.at("/v2")?;
    /// assert_eq!(routes.pattern_of("/v2/books/7"), Some("/v2/books/[id]"));
    /// assert_eq!(routes.pattern_of("/v1/books/7"), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn at(self, prefix: &str) -> Result<Self, RoutesError> {
        let handlers = self.served.setup.table.handlers();
        let routes = handlers.map(|(_, handler)| handler.descriptor);
        let table = Table::build(routes.collect(), prefix)?;
        Ok(Self::of(Setup {
            table: Arc::new(table),
            ..self.served.setup
        }))
    }

    /// Does what should be done before the first request: starts the renderers, checks that the
    /// app data of every cached handler is there, and in production renders ahead.
    ///
    /// Rendered ahead is every cached route without parameters, and every path that a
    /// `static_params` names, unless a [`store`](Self::store) has it. What fails is logged and left
    /// to the first request.
    ///
    /// [`Server::run`](crate::Server::run) does it by itself; call it before you run an
    /// `HttpServer` of your own.
    ///
    /// # Errors
    ///
    /// App data that a cached handler needs and that was registered neither with
    /// [`data`](Self::data) nor in [`configure`](Self::configure). Data that only a hand-written
    /// `App` has is not there: cached handlers do not run in it. Also a `ROUTE_MODE` that is no mode,
    /// unless [`mode`](Self::mode) says one.
    ///
    /// # Example
    ///
    /// ```
    /// use route_runtime::{Mode, Routes, RoutesError, route};
    ///
    /// #[route("/countries/[code]", static_params = codes)]
    /// async fn country(code: String) -> String {
    ///     format!("country {code}")
    /// }
    ///
    /// /// Asked once per process.
    /// async fn codes() -> [&'static str; 3] {
    ///     ["at", "ch", "de"]
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::from_iter([country::ROUTE])?.mode(Mode::Production);
    /// routes.ready().await?;
    /// assert_eq!(routes.stats().renders, 3);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self) -> Result<(), RoutesError> {
        for failure in self.prepare(&Watch::default()).await? {
            tracing::warn!(target: target::ROUTES, path = failure.path, "{failure}");
        }
        Ok(())
    }

    /// Checks what [`ready`](Self::ready) checks, and renders nothing.
    ///
    /// # Errors
    ///
    /// As [`ready`](Self::ready).
    ///
    /// # Example
    ///
    /// ```
    /// use actix_web::web::Data;
    /// use route_runtime::{RouteProblem, Routes, RoutesError, route};
    ///
    /// #[route("/greeting")]
    /// async fn greeting(greeting: Data<String>) -> String {
    ///     greeting.to_string()
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::from_iter([greeting::ROUTE])?;
    /// let error = routes.check().await.unwrap_err();
    /// assert!(matches!(error.problems(), [RouteProblem::MissingData { .. }]));
    /// routes.data(String::from("hello")).check().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check(&self) -> Result<(), RoutesError> {
        self.has_mode()?;
        if !self.has_cached() {
            return Ok(());
        }
        let missing = self.cache().renderers().missing().await;
        let missing = missing.map_err(|_| RoutesError::renderers())?;
        if missing.is_empty() {
            return Ok(());
        }
        Err(RoutesError::missing(missing, &self.served.setup.table))
    }

    /// Whether it is known how to serve.
    pub(crate) fn has_mode(&self) -> Result<(), RoutesError> {
        match &self.served.setup.no_mode {
            Some(found) => Err(RoutesError::mode(found.clone())),
            None => Ok(()),
        }
    }

    fn has_cached(&self) -> bool {
        self.iter().any(|route| route.rendering().is_cached())
    }

    /// [`ready`](Self::ready), with what was not rendered ahead.
    pub(crate) async fn prepare(&self, watch: &Watch) -> Result<Vec<NotAhead>, RoutesError> {
        self.check().await?;
        if !self.has_cached() {
            return Ok(Vec::new());
        }
        self.tell_what_cdn_leaves_out();
        // What others have thrown away, before anything is taken from them.
        self.cache().catch_up().await;
        match self.served.setup.mode {
            Mode::Development => Ok(Vec::new()),
            Mode::Production => {
                let failures = ahead::render_ahead(self, watch).await;
                if self.served.setup.sharing.has_store() {
                    // Written, too: this may be all that the program was run for.
                    self.cache().settled().await;
                }
                let Stats {
                    pinned, capacity, ..
                } = self.stats();
                if pinned > capacity / 2 {
                    tracing::warn!(
                        target: target::ROUTES,
                        pinned,
                        capacity,
                        "routes without parameters, which are never evicted, take more than half \
                         of the cache"
                    );
                }
                Ok(failures)
            }
        }
    }

    /// Tells the log which routes the setting [`cdn`](Self::cdn) does not hold for.
    fn tell_what_cdn_leaves_out(&self) {
        let handlers = self.served.setup.table.handlers();
        for (_, route) in handlers.filter(|(_, it)| it.rendering.is_cached()) {
            let config = &route.descriptor.config;
            if self.served.setup.cdn && config.cdn.is_none() && !config.wrap.is_empty() {
                tracing::warn!(
                    target: target::ROUTES,
                    { http.route = route.descriptor.pattern },
                    "shared caches are not told to keep this route, because its `wrap` may decide who \
                     reads it; write `cdn = \"public\"` if it does not, or `cdn = false`"
                );
            }
        }
    }

    /// Throws away the response of one path, from anywhere; see [`revalidate_path`].
    ///
    /// [`revalidate_path`]: crate::revalidate_path
    ///
    /// # Example
    ///
    /// ```
    /// use route_runtime::{Mode, Routes, route};
    ///
    /// #[route("/prices", revalidate = false, tags = ["prices"])]
    /// async fn prices() -> &'static str {
    ///     "computed for a long time"
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let routes = Routes::from_iter([prices::ROUTE])?.mode(Mode::Production);
    /// routes.revalidate_path("/prices").await?;
    /// routes.revalidate_pattern("/prices").stale().await?;
    /// routes.revalidate_tag("prices").await?;
    /// assert!(routes.revalidate_path("/nowhere").await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn revalidate_path(&self, path: impl Into<String>) -> Revalidation {
        self.revalidate(Target::Path(path.into()))
    }

    /// Throws away the responses of a pattern, from anywhere; see [`revalidate_pattern`].
    ///
    /// [`revalidate_pattern`]: crate::revalidate_pattern
    pub fn revalidate_pattern(&self, pattern: impl Into<String>) -> Revalidation {
        self.revalidate(Target::Pattern(pattern.into()))
    }

    /// Throws away every response with this tag, from anywhere; see [`revalidate_tag`].
    ///
    /// [`revalidate_tag`]: crate::revalidate_tag
    pub fn revalidate_tag(&self, tag: impl Into<String>) -> Revalidation {
        self.revalidate(Target::Tag(tag.into()))
    }

    fn revalidate(&self, target: Target) -> Revalidation {
        Revalidation::new(target, Some(Scope::of(self.context())))
    }

    /// What the cache has done since it was started; all zero before.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.served
            .started()
            .map_or_else(Stats::default, |cache| cache.stats())
    }

    #[cfg(feature = "testing")]
    pub(crate) fn with_clock(mut self, clock: Clock) -> Self {
        self.served.setup.clock = clock;
        Self::of(self.served.setup)
    }

    /// What was built from another setup would not fit.
    fn of(setup: Setup) -> Self {
        Self {
            served: Served::of(setup),
        }
    }

    pub(crate) fn cache(&self) -> &Arc<ResponseCache> {
        self.served.cache()
    }

    /// What code in a handler of these routes is part of.
    pub(crate) fn context(&self) -> Context {
        self.served.context()
    }

    /// Every handler, sorted by pattern and method.
    ///
    /// # Example
    ///
    /// ```
    /// # use route_runtime::{Method, Routes, RoutesError, route};
    /// #[route("/votes")]
    /// mod votes {
    ///     pub async fn GET() -> &'static str {
    ///         "17"
    ///     }
    ///
    ///     pub async fn POST() -> &'static str {
    ///         "thank you"
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::from_iter([votes::POST::ROUTE, votes::GET::ROUTE])?;
    /// let methods: Vec<_> = routes.iter().map(|route| route.method()).collect();
    /// assert_eq!(methods, [Method::Get, Method::Post]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Route<'_>> {
        let table = &self.served.setup.table;
        table.handlers().map(|(_, handler)| Route {
            pattern: &table.node(handler.node).pattern,
            descriptor: &handler.descriptor,
            rendering: handler.rendering,
        })
    }

    /// The pattern that a path matches, as it would be served or redirected.
    ///
    /// # Example
    ///
    /// ```
    /// # use route_runtime::{Routes, route};
    /// #[route("/books/[id]")]
    /// async fn book(id: u64) -> String {
    ///     id.to_string()
    /// }
    ///
    /// # fn main() -> Result<(), route_runtime::RoutesError> {
    /// let routes = Routes::from_iter([book::ROUTE])?;
    /// assert_eq!(routes.pattern_of("/books/7"), Some("/books/[id]"));
    /// assert_eq!(routes.pattern_of("/books"), None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn pattern_of(&self, path: &str) -> Option<&str> {
        let (Match::Clean { value, .. }
        | Match::Unclean { value, .. }
        | Match::Malformed { value }) = self.served.setup.table.trie.lookup(path)?;
        Some(&self.served.setup.table.node(*value).pattern)
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(
                self.served
                    .setup
                    .table
                    .handlers()
                    .map(|(_, it)| it.descriptor),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{App, test};

    use super::*;

    /// As where `ROUTE_MODE` is `fast`.
    fn without_a_mode() -> Routes {
        let mut routes = Routes::from_iter([]).unwrap();
        routes.served.setup.no_mode = Some("fast".into());
        routes
    }

    #[actix_web::test]
    async fn a_mode_that_is_none_is_an_error_unless_something_else_decides() {
        let error = without_a_mode().ready().await.unwrap_err();
        assert!(
            error.to_string().contains("ROUTE_MODE is `fast`"),
            "{error}"
        );
        assert!(without_a_mode().at("/v1").unwrap().check().await.is_err());
        assert_eq!(
            without_a_mode().mode(Mode::Production).ready().await,
            Ok(())
        );
        assert_eq!(without_a_mode().to_be_exported().check().await, Ok(()));
    }

    #[actix_web::test]
    #[should_panic(expected = "ROUTE_MODE is `fast`")]
    async fn nothing_is_served_in_a_mode_that_is_none() {
        test::init_service(App::new().service(without_a_mode())).await;
    }
}
