//! Tools to test routes with their cache, without a socket and without waiting.
//!
//! A [`TestApp`] is the whole app with a clock that the test moves: the hour of `revalidate = 3600`
//! takes no time.
//!
//! ```
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use std::time::Duration;
//! use route_runtime::testing::{Outcome, TestApp};
//! use route_runtime::{Mode, Routes, route};
//!
//! static RENDERS: AtomicU32 = AtomicU32::new(0);
//!
//! #[route("/news", revalidate = 3600)]
//! async fn news() -> String {
//!     RENDERS.fetch_add(1, Ordering::Relaxed).to_string()
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), route_runtime::RoutesError> {
//! let routes = Routes::from_iter([news::ROUTE])?.mode(Mode::Production);
//! let app = TestApp::new(routes).await?;
//!
//! let first = app.get("/news").await;
//! assert_eq!((first.outcome(), first.text()), (Some(Outcome::Hit), "0"));
//!
//! app.advance(Duration::from_secs(3600));
//! let stale = app.get("/news").await;
//! assert_eq!((stale.outcome(), stale.text()), (Some(Outcome::Stale), "0"));
//!
//! app.settled().await;
//! assert_eq!(app.get("/news").await.text(), "1");
//! # Ok(())
//! # }
//! ```

pub mod store;

use std::fmt;
use std::time::Duration;

use actix_http::Request;
use actix_service::Service as _;
use actix_service::boxed::{self, BoxService};
use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::Bytes;
use actix_web::{App, Error, HttpResponse};

use crate::engine::{Clock, ManualClock};
use crate::routes::{self, AppFactory, Given, Routes};
use crate::table::RoutesError;

/// An app of routes to which a test sends requests, with a clock that only the test moves.
pub struct TestApp {
    app: BoxService<Request, ServiceResponse<BoxBody>, Error>,
    routes: Routes,
    clock: ManualClock,
}

impl TestApp {
    /// Makes an app of these routes and nothing else, as ready as a server would be. The routes are
    /// checked, and in production everything that can be rendered ahead is.
    ///
    /// # Errors
    ///
    /// The errors of [`Routes::ready`].
    pub async fn new(routes: Routes) -> Result<Self, RoutesError> {
        Self::with(routes, routes::app).await
    }

    /// Makes an app of these routes with middleware and other services, as ready as the app of
    /// [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// The errors of [`Routes::ready`].
    pub async fn with<T, B>(
        routes: Routes,
        app: impl FnOnce(Routes) -> App<T>,
    ) -> Result<Self, RoutesError>
    where
        T: AppFactory<B>,
        B: MessageBody + 'static,
    {
        Self::on(Clock::manual().1, routes, app).await
    }

    /// Makes another instance, or the next run of the program, on the clock of this app. Moving the
    /// clock of either app moves both. Otherwise they share the store that their routes are given.
    ///
    /// # Errors
    ///
    /// The errors of [`Routes::ready`].
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use route_runtime::testing::{Outcome, TestApp};
    /// use route_runtime::{Mode, Routes, RoutesError, route, store::MemoryStore};
    ///
    /// #[route("/news/[id]", revalidate = 3600)]
    /// async fn news(id: u64) -> String {
    ///     id.to_string()
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), RoutesError> {
    /// let store = Arc::new(MemoryStore::new(1_000_000));
    /// let routes = || {
    ///     let routes = Routes::from_iter([news::ROUTE])?.mode(Mode::Production);
    ///     Ok::<_, RoutesError>(routes.store(Arc::clone(&store)))
    /// };
    /// let one = TestApp::new(routes()?).await?;
    /// assert_eq!(one.get("/news/7").await.outcome(), Some(Outcome::Miss));
    /// one.settled().await;
    ///
    /// let two = one.beside(routes()?).await?;
    /// assert_eq!(two.get("/news/7").await.outcome(), Some(Outcome::Hit));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn beside(&self, routes: Routes) -> Result<Self, RoutesError> {
        Self::on(self.clock.clone(), routes, routes::app).await
    }

    async fn on<T, B>(
        clock: ManualClock,
        mut routes: Routes,
        app: impl FnOnce(Routes) -> App<T>,
    ) -> Result<Self, RoutesError>
    where
        T: AppFactory<B>,
        B: MessageBody + 'static,
    {
        routes = routes.with_clock(clock.clock());
        routes.ready().await?;
        let given = Given::of(&routes);
        given.give();
        let app = init_service(app(routes.clone())).await;
        given.check()?;
        Ok(Self {
            app: boxed::service(BoxedApp { app }),
            routes,
            clock,
        })
    }

    /// Sends a `GET` request for this path.
    pub async fn get(&self, path: &str) -> TestResponse {
        self.send(TestRequest::get().uri(path)).await
    }

    /// Sends any request.
    ///
    /// # Panics
    ///
    /// If the response's body fails.
    pub async fn send(&self, request: TestRequest) -> TestResponse {
        let response = match self.app.call(request.to_request()).await {
            Ok(response) => response.into_parts().1,
            // A server answers like this when a middleware fails instead of responding.
            Err(error) => HttpResponse::from_error(error),
        };
        let (head, body) = response.into_parts();
        let body = match to_bytes(body).await {
            Ok(body) => body,
            Err(error) => panic!("the body failed: {error}"),
        };
        TestResponse {
            status: head.status(),
            headers: head.headers().clone(),
            body,
        }
    }

    /// Moves the clock forward.
    pub fn advance(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Waits until no render and no refresh is under way.
    pub async fn settled(&self) {
        self.routes.cache().settled().await;
    }

    /// Asks the store behind memory for the invalidations of other instances. This also happens by
    /// itself, while time passes and when the store reports a change. Returns whether the store
    /// answered, which is `true` without a store, where there is nothing to ask.
    ///
    /// A test that shares a store should call this after [`advance`](Self::advance): by the clock,
    /// the store has not answered for that long.
    pub async fn caught_up(&self) -> bool {
        self.routes.cache().catch_up().await
    }

    /// Returns the routes, to invalidate their responses and to read their counts.
    #[must_use]
    pub fn routes(&self) -> &Routes {
        &self.routes
    }
}

impl fmt::Debug for TestApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestApp")
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}

/// An app whose responses have boxed bodies.
struct BoxedApp<S> {
    app: S,
}

impl<S, B> actix_service::Service<Request> for BoxedApp<S>
where
    S: actix_service::Service<Request, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = futures_core::future::LocalBoxFuture<'static, Result<Self::Response, Error>>;

    actix_service::forward_ready!(app);

    fn call(&self, request: Request) -> Self::Future {
        let response = self.app.call(request);
        Box::pin(async move { Ok(response.await?.map_into_boxed_body()) })
    }
}

/// A whole response.
#[derive(Clone, Debug)]
pub struct TestResponse {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl TestResponse {
    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns all headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the first value of a header, if there is one and it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the body as text.
    ///
    /// # Panics
    ///
    /// If the body is not UTF-8.
    #[must_use]
    pub fn text(&self) -> &str {
        match std::str::from_utf8(&self.body) {
            Ok(text) => text,
            Err(error) => panic!("the body is no text: {error}"),
        }
    }

    /// Returns how the response came about, by its `Cache-Status`, or `None` if no route answered.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        let mut all = self.headers.get_all("cache-status");
        let ours = all.find_map(|value| value.to_str().ok()?.strip_prefix("route; "))?;
        Some(if ours.starts_with("hit; ttl=-") {
            Outcome::Stale
        } else if ours.starts_with("hit") {
            Outcome::Hit
        } else if ours.starts_with("fwd=bypass") {
            Outcome::Bypass
        } else {
            Outcome::Miss
        })
    }
}

/// The way in which a response came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The response is from a fresh entry.
    Hit,
    /// The response is from a stale entry, which is being refreshed.
    Stale,
    /// The response is from a render that this request waited for, whether or not this request
    /// started it.
    Miss,
    /// The response is from a run of the handler for this request alone.
    Bypass,
}

#[cfg(test)]
mod tests {
    use actix_web::error::ErrorForbidden;
    use actix_web::middleware::from_fn;

    use super::*;

    #[actix_web::test]
    async fn a_failing_middleware_is_answered_as_a_server_would() {
        let routes = Routes::from_iter([]).unwrap();
        let app = TestApp::with(routes, |routes| {
            let refuse = async |_, _| Err::<ServiceResponse, _>(ErrorForbidden("no"));
            App::new().service(routes).wrap(from_fn(refuse))
        });
        let response = app.await.unwrap().get("/").await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(response.text(), "no");
    }
}
