//! Any `Transform` of actix-web as middleware.

use actix_service::boxed::rc_service;
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use futures_core::future::LocalBoxFuture;

use super::{ByTransform, Endpoint, Middleware, MiddlewareName, Wrapped};

#[diagnostic::do_not_recommend]
impl<M, B> Middleware<ByTransform> for M
where
    M: Transform<
            Endpoint,
            ServiceRequest,
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    M::Transform: 'static,
    B: MessageBody + 'static,
{
    fn wrap(self, inner: Endpoint) -> Wrapped {
        Box::pin(async move {
            let service = self.new_transform(inner).await?;
            Ok(rc_service(BoxedBodies { service }))
        })
    }

    fn name() -> MiddlewareName {
        MiddlewareName::of_transform::<M>()
    }
}

/// A service that boxes the bodies of another service's responses.
struct BoxedBodies<S> {
    service: S,
}

impl<S, B> Service<ServiceRequest> for BoxedBodies<S>
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
