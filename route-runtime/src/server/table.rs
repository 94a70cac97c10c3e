//! The settings of the table of routes: one method for each of `Routes` that has no setting of the
//! environment.

use std::panic::Location;
use std::time::Duration;

use super::Server;
use crate::engine::OnPartition;
use crate::middleware::MiddlewareFactory;
use crate::purge::Purge;
use crate::routes::Routes;
use crate::section::SectionDeclaration;
use crate::target;

/// Logs the sections that leave paths under their pattern to the app's other services, where the
/// middleware does not run.
pub(super) fn tell_what_sections_leave_out(routes: &Routes) {
    for section in routes.served.setup.table.guards_with_gaps() {
        tracing::warn!(
            target: target::ROUTES,
            "paths under the pattern of a section that no route answers go to the app's other \
             services, which are not guarded by it: {section}"
        );
    }
}

impl Server {
    /// Puts all routes behind a prefix, such as `/v1`; see [`Routes::at`]. A prefix that is none is
    /// an error of [`run`](Self::run).
    pub fn at(mut self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        self.changes
            .push(Box::new(move |routes| routes.at(&prefix)));
        self
    }

    /// Puts middleware round a section: everything that the server answers under a pattern; see
    /// [`Routes::wrap`].
    ///
    /// A section of a server without an [`app`](Self::app) also covers the 404s under its pattern.
    ///
    /// With an app of your own, it does not cover the app's other services, nor the app's 404. The
    /// start warns if there are paths under the pattern that reach them.
    ///
    /// # Example: A token for everything below `/admin`
    ///
    /// ```no_run
    /// use actix_web::body::BoxBody;
    /// use actix_web::dev::{ServiceRequest, ServiceResponse};
    /// use actix_web::middleware::{Logger, Next};
    /// use actix_web::{Error, ResponseError};
    /// use route_runtime::{ServeError, Server, route, unauthorized};
    ///
    /// #[route("/admin/stats")]
    /// async fn stats() -> &'static str {
    ///     "17 visitors"
    /// }
    ///
    /// async fn guard(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    ///     match request.headers().contains_key("x-key") {
    ///         true => next.call(request).await,
    ///         false => Ok(request.into_response(unauthorized().error_response())),
    ///     }
    /// }
    ///
    /// #[actix_web::main]
    /// async fn main() -> Result<(), ServeError> {
    ///     Server::new()
    ///         .wrap_open("/[[...rest]]", || Logger::default())
    ///         .wrap("/admin/[[...rest]]", guard)
    ///         .run()
    ///         .await
    /// }
    /// ```
    #[track_caller]
    pub fn wrap<F, Kind>(self, pattern: &str, middleware: F) -> Self
    where
        F: MiddlewareFactory<Kind>,
    {
        let at = Location::caller();
        let section = SectionDeclaration::new(pattern, middleware, false, at);
        self.changed(|routes| routes.with_section(section))
    }

    /// Puts middleware round a section that decides nothing about who may read it, such as a logger
    /// or `Cors`; see [`Routes::wrap_open`] and [`wrap`](Self::wrap).
    #[track_caller]
    pub fn wrap_open<F, Kind>(self, pattern: &str, middleware: F) -> Self
    where
        F: MiddlewareFactory<Kind>,
    {
        let at = Location::caller();
        let section = SectionDeclaration::new(pattern, middleware, true, at);
        self.changed(|routes| routes.with_section(section))
    }

    /// Purges whatever is invalidated from a shared cache outside, such as a CDN, too; see
    /// [`Routes::purge`].
    pub fn purge(self, cache: impl Purge) -> Self {
        self.changed(|routes| routes.purge(cache))
    }

    /// Names the build of the program, instead of `ROUTE_BUILD_ID`; see [`Routes::build_id`].
    pub fn build_id(self, build_id: impl Into<String>) -> Self {
        let build_id = build_id.into();
        self.changed(|routes| routes.build_id(build_id))
    }

    /// Sets how long other instances may still answer with invalidated content; see
    /// [`Routes::staleness_bound`].
    pub fn staleness_bound(self, bound: Duration) -> Self {
        self.changed(move |routes| routes.staleness_bound(bound))
    }

    /// Sets what happens to content in memory while the store cannot be asked; see
    /// [`Routes::on_partition`].
    pub fn on_partition(self, on_partition: OnPartition) -> Self {
        self.changed(move |routes| routes.on_partition(on_partition))
    }

    /// Sets how long a request waits for the store; see [`Routes::store_limit`].
    pub fn store_limit(self, limit: Duration) -> Self {
        self.changed(move |routes| routes.store_limit(limit))
    }

    /// Changes the routes before they are served.
    pub(super) fn changed(mut self, change: impl FnOnce(Routes) -> Routes + 'static) -> Self {
        self.changes.push(Box::new(|routes| Ok(change(routes))));
        self
    }
}
