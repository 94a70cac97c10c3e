//! The app of a test.

use std::fmt;
use std::time::Duration;

use actix_http::Request;
use actix_service::Service as _;
use actix_service::boxed::{self, BoxService};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, HttpResponse};

use super::response::{ResponseHead, TestResponse};
use super::stream::TestStream;
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

    /// Sends a `GET` request for this path, and reads the whole response.
    ///
    /// Of a response that does not end, such as a stream of events, read the pieces with
    /// [`open`](Self::open): this call would wait for ever.
    ///
    /// # Panics
    ///
    /// If the response's body fails.
    pub async fn get(&self, path: &str) -> TestResponse {
        self.send(TestRequest::get().uri(path)).await
    }

    /// Sends any request, and reads the whole response.
    ///
    /// # Panics
    ///
    /// If the response's body fails.
    pub async fn send(&self, request: TestRequest) -> TestResponse {
        self.open(request).await.into_response().await
    }

    /// Sends any request, and returns as soon as the head of the response is there. The body is read
    /// piece by piece.
    ///
    /// # Example: A stream of events
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use actix_web::test::TestRequest;
    /// use actix_web::{HttpResponse, web::Bytes};
    /// use futures_util::{StreamExt, stream};
    /// use route_runtime::testing::TestApp;
    /// use route_runtime::{Routes, route};
    ///
    /// #[route("/ticks", dynamic = "force-dynamic")]
    /// async fn ticks() -> HttpResponse {
    ///     let events = stream::iter(1..).map(|n| Bytes::from(format!("data: {n}\n\n")));
    ///     HttpResponse::Ok()
    ///         .content_type("text/event-stream")
    ///         .streaming(events.map(Ok::<_, Infallible>)) // It does not end.
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), route_runtime::RoutesError> {
    /// let app = TestApp::new(Routes::from_iter([ticks::ROUTE])?).await?;
    /// let mut stream = app.open(TestRequest::get().uri("/ticks")).await;
    /// assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    /// assert_eq!(stream.next_text().await.as_deref(), Some("data: 1\n\n"));
    /// assert_eq!(stream.next_text().await.as_deref(), Some("data: 2\n\n"));
    /// drop(stream); // The client hangs up.
    /// # Ok(())
    /// # }
    /// ```
    pub async fn open(&self, request: TestRequest) -> TestStream {
        let response = match self.app.call(request.to_request()).await {
            Ok(response) => response.into_parts().1,
            // A server answers like this when a middleware fails instead of responding.
            Err(error) => HttpResponse::from_error(error),
        };
        let (head, body) = response.into_parts();
        TestStream::new(ResponseHead::of(&head), body)
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

#[cfg(test)]
mod tests {
    use actix_web::error::ErrorForbidden;
    use actix_web::http::StatusCode;
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
