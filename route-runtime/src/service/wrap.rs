//! Per-route middleware, its type erased.

use actix_service::boxed::{RcService, rc_service};
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use futures_core::future::LocalBoxFuture;

/// What a request goes through once its route and method are known.
pub(crate) type Endpoint = RcService<ServiceRequest, ServiceResponse, Error>;

/// One `wrap = path`: puts the middleware round an endpoint.
pub(crate) type Wrap = fn(Endpoint) -> LocalBoxFuture<'static, Endpoint>;

/// Puts `actix_web::middleware::from_fn(path)` round `inner`.
pub fn wrap<M, T, B>(middleware: M, inner: Endpoint) -> LocalBoxFuture<'static, Endpoint>
where
    M: Transform<
            Endpoint,
            ServiceRequest,
            Response = ServiceResponse<B>,
            Error = Error,
            Transform = T,
            InitError = (),
        > + 'static,
    T: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    Box::pin(async move {
        let Ok(service) = middleware.new_transform(inner).await else {
            unreachable!("`from_fn` is always ready")
        };
        rc_service(Boxed { service })
    })
}

/// Boxes the body of what a service answers.
struct Boxed<S> {
    service: S,
}

impl<S, B> Service<ServiceRequest> for Boxed<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<ServiceResponse, Error>>;

    actix_service::forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let response = self.service.call(request);
        Box::pin(async move { Ok(response.await?.map_into_boxed_body()) })
    }
}
