//! Middleware for sections of paths.

use std::panic::Location;
use std::sync::Arc;

use super::Routes;
use crate::middleware::MiddlewareFactory;
use crate::section::SectionDeclaration;
use crate::table::Setup;

impl Routes {
    /// Puts middleware round a section: everything that is answered under a pattern.
    ///
    /// The pattern is written as those of routes are, without the prefix of [`at`](Self::at):
    /// `/admin/[[...rest]]` covers `/admin` and every path below it. It is matched with the decoded
    /// path, so no spelling of a path escapes it.
    ///
    /// The middleware is any that [`App::wrap`](actix_web::App::wrap) takes, made by a closure that
    /// is called once on each worker, or a function as for
    /// [`from_fn`](actix_web::middleware::from_fn). It runs before the cache, for hits too, and for
    /// what no handler answers: redirects to the canonical path, 400, 405 and `OPTIONS`. So it sees
    /// every request that reaches a route of the section, whatever the method. A route's own `wrap`
    /// runs inside it. The section that is declared first is the outermost.
    ///
    /// The section does not cover services of the `App` that are not routes of this table, and not
    /// the `App`'s 404. Those are behind `App::wrap` alone.
    ///
    /// # What the middleware can change
    ///
    /// - The route, the path's parameters and the key of a cached response are those of the path
    ///   and the method that the client sent, whatever the middleware makes of them.
    /// - A response with a `Set-Cookie`, or without a `Cache-Control`, is sent as `private,
    ///   no-store`. A hit is sent as `private, no-cache`, so that no shared cache has it.
    /// - An error or a panic is answered, as one of a handler is. Sections outside get the error as an
    ///   `Err` of its own type, and middleware of the `App` as an `Err` whose response is decided. So
    ///   middleware that adds headers to responses adds none to it.
    /// - A body is limited before the section: a section may read it and put it back. For methods
    ///   without a body the limit, 1 MiB, holds for sections alone.
    ///
    /// `ROUTE_CDN` and [`cdn`](Self::cdn) do not hold under a section, because it may decide who
    /// reads its responses; see [`wrap_open`](Self::wrap_open).
    ///
    /// # Errors
    ///
    /// [`ready`](Self::ready) and [`check`](Self::check) fail if the pattern cannot be read, if it
    /// covers no route, or if it covers one with `cdn = true`.
    ///
    /// # Panics
    ///
    /// Mounting the routes panics for the same reasons.
    ///
    /// # Example
    ///
    /// ```
    /// use actix_web::body::BoxBody;
    /// use actix_web::dev::{ServiceRequest, ServiceResponse};
    /// use actix_web::{App, Error, ResponseError, middleware::Next, test};
    /// use route_runtime::{Routes, RoutesError, route, unauthorized};
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
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::from_iter([stats::ROUTE])?.wrap("/admin/[[...rest]]", guard);
    /// let app = test::init_service(App::new().service(routes)).await;
    /// for (path, status) in [("/admin/stats", 401), ("/%61dmin//stats", 401)] {
    ///     let request = test::TestRequest::with_uri(path).to_request();
    ///     assert_eq!(test::call_service(&app, request).await.status(), status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn wrap<F, Kind>(self, pattern: &str, middleware: F) -> Self
    where
        F: MiddlewareFactory<Kind>,
    {
        let at = Location::caller();
        self.with_section(SectionDeclaration::new(pattern, middleware, false, at))
    }

    /// Puts middleware round a section that decides nothing about who may read it, such as a logger
    /// or `Cors`. Otherwise it is as [`wrap`](Self::wrap).
    ///
    /// [`cdn`](Self::cdn) and `cdn = true` hold in such a section. A shared cache outside answers
    /// without asking the middleware.
    ///
    /// # Example
    ///
    /// ```
    /// use actix_web::{App, middleware::DefaultHeaders, test};
    /// use route_runtime::{Routes, RoutesError, route};
    ///
    /// #[route("/api/time")]
    /// async fn time() -> &'static str {
    ///     "noon"
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::from_iter([time::ROUTE])?
    ///     .wrap_open("/api/[[...rest]]", || DefaultHeaders::new().add(("x-api", "1")));
    /// let app = test::init_service(App::new().service(routes)).await;
    /// let request = test::TestRequest::with_uri("/api/time").to_request();
    /// let response = test::call_service(&app, request).await;
    /// assert_eq!(response.headers().get("x-api").unwrap(), "1");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn wrap_open<F, Kind>(self, pattern: &str, middleware: F) -> Self
    where
        F: MiddlewareFactory<Kind>,
    {
        let at = Location::caller();
        self.with_section(SectionDeclaration::new(pattern, middleware, true, at))
    }

    #[track_caller]
    pub(crate) fn with_section(self, section: SectionDeclaration) -> Self {
        let table = self.served.setup.table.with_section(Arc::new(section));
        Self::of(Setup {
            table: Arc::new(table),
            ..self.served.setup
        })
    }
}
