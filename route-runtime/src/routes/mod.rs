//! The public `Routes`, made from declarations. This is the only module that reads `inventory`.

mod ahead;
mod builder;
mod closed;
mod json;
mod listing;
mod mount;
mod outside;
mod route;
mod section;
mod selection;
mod sharing;
mod warning;

use std::fmt;
use std::sync::Arc;

pub(crate) use self::ahead::{AT_ONCE, Ahead, KnownPath, NotAhead, Step, Watch, known_paths};
pub use self::mount::AppFactory;
pub(crate) use self::mount::{Given, app};
pub use self::route::Route;
pub(crate) use self::selection::Selection;
pub use self::warning::RouteWarning;
use crate::context::Context;
use crate::declaration::{RouteDescriptor, TagHeader};
use crate::engine::{CAPACITY, Clock, RenderPlaces, Stats};
use crate::mode::Mode;
use crate::pattern::Match;
use crate::responses::{ResponseCache, Served};
use crate::revalidate::{Revalidation, Scope, Target};
use crate::store::MemoryOptions;
use crate::table::{RoutesError, Setup, SharedData, Sharing, Table};
use crate::target;

/// The checked table of routes, which a server serves.
///
/// Mount it in an actix-web [`App`](actix_web::App) with [`service`](actix_web::App::service).
/// Requests for paths that it does not know go on to the app's other services and its
/// `default_service`. Its text, as `Display` writes it, lists every route with how and why it is
/// rendered.
///
/// Cloning is cheap, and clones share one cache. A method that returns changed routes (`at`,
/// `data`, `mode`, `store`, …) gives them a new cache. So make the routes, and all their settings,
/// before `HttpServer::new`, and mount clones of them in its closure. If each worker makes its own,
/// the second one panics with a message that says so.
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
    /// Collects the routes of this program: every `#[route]` and `#[page]` of every crate that is
    /// linked into it.
    ///
    /// A dependency is not linked if no code names it; see [`link!`](crate::link).
    ///
    /// # Errors
    ///
    /// Fails if the table has problems. The error reports all of them, with the places in the
    /// source: a page and a route at one path, two handlers for one method and path, different
    /// parameter names at one position, `[...x]` beside `[[...x]]`, `[[...x]]` beside a route at
    /// its own prefix.
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
    /// let routes = Routes::collect()?; // The page need not be registered.
    /// assert!(routes.iter().any(|route| route.pattern() == imprint::PATTERN));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn collect() -> Result<Self, RoutesError> {
        Self::from_iter(inventory::iter::<RouteDescriptor>.into_iter().copied())
    }

    /// Makes a table of these routes and no others, for tests and for a second app in one program.
    ///
    /// # Errors
    ///
    /// Fails for the same reasons as [`collect`](Self::collect).
    ///
    /// # Example: A table with a problem
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
    #[track_caller]
    pub fn from_iter(
        routes: impl IntoIterator<Item = RouteDescriptor>,
    ) -> Result<Self, RoutesError> {
        let table = Table::build(routes.into_iter().collect())?;
        let (mode, no_mode) = match Mode::from_env() {
            Ok(mode) => (mode, None),
            // Not an error yet: a later call or option may still set the mode.
            Err(found) => (Mode::of_profile(), Some(found)),
        };
        Ok(Self::of(Setup {
            table: Arc::new(table),
            origin: Arc::default(),
            data: SharedData::default(),
            configure: Vec::new(),
            mode,
            no_mode,
            memory: MemoryOptions::with_capacity(CAPACITY),
            places: RenderPlaces::default(),
            cdn: false,
            tag_header: TagHeader::default(),
            purge: None,
            clock: Clock::system(),
            sharing: Sharing::default(),
        }))
    }

    /// Puts the whole table behind a prefix, such as `/v1`.
    ///
    /// Use it instead of a `web::scope`. The paths that a handle's `path` builds do not get the
    /// prefix. A second prefix replaces the first.
    ///
    /// # Errors
    ///
    /// Fails if the prefix is anything but literal segments, decoded, each after a `/`, without a
    /// trailing slash.
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
    #[track_caller]
    pub fn at(self, prefix: &str) -> Result<Self, RoutesError> {
        let table = self.served.setup.table.at(prefix)?;
        Ok(Self::of(Setup {
            table: Arc::new(table),
            ..self.served.setup
        }))
    }

    /// Prepares the routes for the first request: starts the renderers, checks that the app data of
    /// every cached handler is registered, and in production renders ahead.
    ///
    /// Rendering ahead covers every cached route without parameters, and every path that a
    /// `static_params` lists, unless a [`store`](Self::store) has the response. A failure is
    /// logged, and the first request for the path renders it then. A route with
    /// `dynamic_params = false` whose `static_params` gives nothing is logged, too: each of its
    /// paths is 404.
    ///
    /// [`Server::run`](crate::Server::run) calls `ready` by itself. Call it yourself before you run
    /// an `HttpServer` of your own.
    ///
    /// # Errors
    ///
    /// Fails if a cached handler needs app data that was registered neither with
    /// [`data`](Self::data) nor in [`configure`](Self::configure). Data that only a hand-written
    /// `App` has does not count, because cached handlers do not run in that `App`. Also fails if
    /// `ROUTE_MODE` is not a mode and [`mode`](Self::mode) was not called, or if the renderers
    /// cannot start.
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
    /// /// Called once per process.
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

    /// Runs the checks of [`ready`](Self::ready), and renders nothing.
    ///
    /// # Errors
    ///
    /// Fails for the same reasons as [`ready`](Self::ready).
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
        self.can_be_served()?;
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

    /// Checks the settings that could not be refused when they were made: the mode and the sections.
    pub(crate) fn can_be_served(&self) -> Result<(), RoutesError> {
        let Setup { table, no_mode, .. } = &self.served.setup;
        if let Some(found) = no_mode {
            return Err(RoutesError::mode(found.clone()));
        }
        match table.section_problems() {
            [] => Ok(()),
            problems => Err(RoutesError::new(problems.to_vec())),
        }
    }

    fn has_cached(&self) -> bool {
        self.iter().any(|route| route.rendering().is_cached())
    }

    /// Does the work of [`ready`](Self::ready), and returns the paths that were not rendered ahead.
    pub(crate) async fn prepare(&self, watch: &Watch) -> Result<Vec<NotAhead>, RoutesError> {
        self.check().await?;
        let failures = match self.has_cached() {
            true => self.fill_cache(watch).await,
            false => Vec::new(),
        };
        if self.served.setup.mode == Mode::Production {
            self.tell_which_have_no_paths().await;
        }
        Ok(failures)
    }

    /// Brings the cache up to date with the store, and in production renders ahead. Returns the
    /// paths that were not rendered.
    async fn fill_cache(&self, watch: &Watch) -> Vec<NotAhead> {
        self.tell_what_cdn_leaves_out();
        // Learns what other instances have invalidated, before a response is taken from the store.
        self.cache().catch_up().await;
        match self.served.setup.mode {
            Mode::Development => Vec::new(),
            Mode::Production => {
                let failures = ahead::render_ahead(self, watch).await;
                if self.served.setup.sharing.has_store() {
                    // Waits until the store has everything: this may be all that the program was
                    // run for.
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
                failures
            }
        }
    }

    /// Logs the routes for which the setting [`cdn`](Self::cdn) does not hold.
    fn tell_what_cdn_leaves_out(&self) {
        let handlers = self.served.setup.table.handlers();
        for (_, route) in handlers.filter(|(_, it)| it.rendering.is_cached()) {
            let config = &route.descriptor.config;
            if !self.served.setup.cdn || config.cdn.is_some() {
                continue;
            }
            let table = &self.served.setup.table;
            if !config.wrap.is_empty() || table.is_guarded(table.node(route.node)) {
                tracing::warn!(
                    target: target::ROUTES,
                    { http.route = route.descriptor.pattern },
                    "shared caches are not told to keep this route, because its middleware may decide \
                     who reads it; write `cdn = \"public\"` if it does not, or `cdn = false`; a \
                     section that decides nothing is declared by `wrap_open`"
                );
            }
        }
    }

    /// Invalidates the response of one path, also outside any handler; see [`revalidate_path`].
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
        self.revalidate(vec![Target::Path(path.into())])
    }

    /// Invalidates the responses of a pattern, also outside any handler; see
    /// [`revalidate_pattern`].
    ///
    /// [`revalidate_pattern`]: crate::revalidate_pattern
    pub fn revalidate_pattern(&self, pattern: impl Into<String>) -> Revalidation {
        self.revalidate(vec![Target::Pattern(pattern.into())])
    }

    /// Invalidates everything cached with this tag, also outside any handler; see
    /// [`revalidate_tag`].
    ///
    /// [`revalidate_tag`]: crate::revalidate_tag
    pub fn revalidate_tag(&self, tag: impl Into<String>) -> Revalidation {
        self.revalidate(vec![Target::Tag(tag.into())])
    }

    fn revalidate(&self, targets: Vec<Target>) -> Revalidation {
        Revalidation::new(targets, Some(Scope::of(self.context())))
    }

    /// Returns the counts of what the cache has done since it was started. Before, all are zero.
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

    /// Makes routes with a new cache, because a cache that was built from another setup would not
    /// fit.
    #[track_caller]
    fn of(setup: Setup) -> Self {
        Self {
            served: Served::of(setup),
        }
    }

    pub(crate) fn cache(&self) -> &Arc<ResponseCache> {
        self.served.cache()
    }

    /// Makes the context of code that runs in a handler of these routes.
    pub(crate) fn context(&self) -> Context {
        self.served.context()
    }

    /// Returns every handler, sorted by path and method. The order of paths leaves out groups and
    /// the names of parameters.
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
        let handlers = table.handlers();
        handlers.map(|(_, handler)| Route { table, handler })
    }

    /// Returns the pattern that a path matches, also if the path would be redirected or is
    /// malformed.
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

    /// Makes routes as they are if `ROUTE_MODE` is `fast`.
    fn in_an_unknown_mode() -> Routes {
        let mut routes = Routes::from_iter([]).unwrap();
        routes.served.setup.no_mode = Some("fast".into());
        routes
    }

    #[actix_web::test]
    async fn an_unknown_route_mode_is_an_error_unless_a_mode_is_set() {
        let error = in_an_unknown_mode().ready().await.unwrap_err();
        assert!(
            error.to_string().contains("ROUTE_MODE is `fast`"),
            "{error}"
        );
        assert!(
            in_an_unknown_mode()
                .at("/v1")
                .unwrap()
                .check()
                .await
                .is_err()
        );
        assert_eq!(
            in_an_unknown_mode().mode(Mode::Production).ready().await,
            Ok(())
        );
        assert_eq!(in_an_unknown_mode().to_be_exported().check().await, Ok(()));
    }

    #[actix_web::test]
    #[should_panic(expected = "ROUTE_MODE is `fast`")]
    async fn mounting_panics_if_route_mode_is_unknown() {
        test::init_service(App::new().service(in_an_unknown_mode())).await;
    }
}
