//! The middleware of one route, with its type erased.

use actix_service::boxed::{RcService, rc_service};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, FromRequest};
use futures_core::future::LocalBoxFuture;

/// The service that a request goes through once its route and method are known.
pub(crate) type Endpoint = RcService<ServiceRequest, ServiceResponse, Error>;

/// The function made of one `wrap = path`. It puts the middleware round an endpoint.
pub(crate) type Wrap = fn(Endpoint) -> LocalBoxFuture<'static, Endpoint>;

/// A function that can be given to `actix_web::middleware::from_fn`.
#[diagnostic::on_unimplemented(
    message = "`wrap` names no middleware: `{Self}`",
    label = "no middleware function",
    note = "expected `async fn(request: ServiceRequest, next: Next<BoxBody>) -> \
            actix_web::Result<ServiceResponse>`, as for `actix_web::middleware::from_fn`; extractors \
            may stand before `request`"
)]
pub trait Middleware<Args> {
    /// Puts the middleware round `inner`.
    fn wrap(self, inner: Endpoint) -> LocalBoxFuture<'static, Endpoint>;
}

macro_rules! middleware {
    ($($extractor:ident),*) => {
        #[diagnostic::do_not_recommend]
        impl<F, Fut, B, $($extractor),*> Middleware<($($extractor,)*)> for F
        where
            F: Fn($($extractor,)* ServiceRequest, Next<BoxBody>) -> Fut + 'static,
            Fut: Future<Output = Result<ServiceResponse<B>, Error>> + 'static,
            B: MessageBody + 'static,
            $($extractor: FromRequest + 'static,)*
        {
            fn wrap(self, inner: Endpoint) -> LocalBoxFuture<'static, Endpoint> {
                transform::<_, _, B>(from_fn::<F, ($($extractor,)*)>(self), inner)
            }
        }
    };
}

middleware!();
middleware!(A);
middleware!(A, C);
middleware!(A, C, D);
middleware!(A, C, D, E);
middleware!(A, C, D, E, G);
middleware!(A, C, D, E, G, H);
middleware!(A, C, D, E, G, H, I);
middleware!(A, C, D, E, G, H, I, J);
middleware!(A, C, D, E, G, H, I, J, K);

fn transform<M, T, B>(middleware: M, inner: Endpoint) -> LocalBoxFuture<'static, Endpoint>
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
        rc_service(BoxedBodies { service })
    })
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
