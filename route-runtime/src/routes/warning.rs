//! Warnings of declarations that are allowed, but probably not meant.

use std::fmt;

use super::closed::Closed;
use super::{Route, Routes};
use crate::declaration::{CachedReason, Rendering};
use crate::table::Place;

/// Something about a route that is allowed, but is probably not meant.
///
/// Its text says what it is, where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteWarning {
    /// The responses are cached for ever in production, although the handler reads app data, which
    /// may change: the declaration has neither `revalidate` nor `tags`.
    ///
    /// An explicit `revalidate = false`, `dynamic = "force-static"` or `dynamic = "error"` is the
    /// author's decision, and is no warning. `static_params` is no such decision: it says which
    /// paths there are, and not how long their responses hold. Cached data and the functions of
    /// [`cache`](crate::cache) may give a response a lifetime or tags while it is rendered. That is
    /// not known here: write `revalidate = false`, and theirs still count.
    ForEver(Place),
    /// Every path of the route is 404: with `dynamic_params = false` it answers the paths that its
    /// `static_params` gives, and that gives none.
    NoPaths(Place),
    /// Every path of the route is 503 for as long as its `static_params` fails.
    NotListed {
        /// The route.
        route: Place,
        /// The reason why `static_params` failed.
        reason: String,
    },
}

/// The words of the table and of its JSON for [`RouteWarning::ForEver`].
pub(super) const FOR_EVER: &str = "for ever: reads app data, has neither `revalidate` nor `tags`";

impl Route<'_> {
    /// Returns whether [`RouteWarning::ForEver`] holds for the handler.
    pub(super) fn is_for_ever(&self) -> bool {
        let is_by_default = matches!(
            self.rendering(),
            Rendering::Cached(CachedReason::ReadsNothing | CachedReason::StaticParams)
        );
        let descriptor = self.descriptor();
        let mut arguments = descriptor.arguments.iter();
        is_by_default
            && descriptor.config.tags.is_empty()
            && arguments.any(|argument| argument.app_data.is_read)
    }

    /// Returns the warnings that the declaration alone tells, in the words of the table.
    pub(super) fn warnings(&self) -> Vec<&'static str> {
        self.is_for_ever().then_some(FOR_EVER).into_iter().collect()
    }
}

impl Routes {
    /// Returns what is allowed in these routes but is probably not meant. The command `check` prints
    /// it.
    ///
    /// The `static_params` of each route with `dynamic_params = false` is called for this.
    ///
    /// # Example
    ///
    /// ```
    /// use actix_web::web::Data;
    /// use route_runtime::{RouteWarning, Routes, RoutesError, route};
    ///
    /// #[route("/motto")] // In production: the motto of the first request, for ever.
    /// async fn motto(motto: Data<String>) -> String {
    ///     motto.to_string()
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::from_iter([motto::ROUTE])?;
    /// let warnings = routes.warnings().await;
    /// assert!(matches!(warnings.as_slice(), [RouteWarning::ForEver(place)] if place.pattern == "/motto"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn warnings(&self) -> Vec<RouteWarning> {
        let for_ever = self
            .iter()
            .filter(Route::is_for_ever)
            .map(|route| RouteWarning::ForEver(route.place()));
        let mut warnings: Vec<_> = for_ever.collect();
        for Closed { route, paths } in self.list_closed().await {
            match paths {
                Ok(0) => warnings.push(RouteWarning::NoPaths(route)),
                Ok(_) => {}
                Err(reason) => warnings.push(RouteWarning::NotListed { route, reason }),
            }
        }
        warnings
    }
}

impl fmt::Display for RouteWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForEver(route) => write!(
                f,
                "a route that reads app data is cached for ever in production, unless what it fetches \
                 says otherwise\n  {route}\n  it has neither `revalidate` nor `tags`\n  help: write `revalidate = N` to render it \
                 again after N seconds, `tags = […]` to invalidate it, `dynamic = \
                 \"force-dynamic\"` to render it for each request, or `revalidate = false` if it \
                 is meant to be kept"
            ),
            Self::NoPaths(route) => write!(
                f,
                "every path of a route is 404\n  {route}\n  its `static_params` gives no path, and \
                 `dynamic_params = false` allows no others\n  help: give a path, or remove \
                 `dynamic_params = false`"
            ),
            Self::NotListed { route, reason } => write!(
                f,
                "every path of a route is 503 as long as its `static_params` fails\n  {route}\n  it \
                 failed: {reason}\n  help: correct it, or ignore this if it needs something that \
                 is not there now, such as a database"
            ),
        }
    }
}
