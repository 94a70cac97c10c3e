//! Middleware with its type erased: of one route, and of a section of paths.

mod applied;
mod factory;
mod function;
mod name;
mod transform;

use actix_service::boxed::RcService;
use actix_web::Error;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use futures_core::future::LocalBoxFuture;

pub use self::applied::AppliedMiddleware;
pub use self::factory::MiddlewareFactory;
pub(crate) use self::factory::{Maker, maker};
pub(crate) use self::name::MiddlewareName;

/// The service that a request goes through once its route and method are known.
pub(crate) type Endpoint = RcService<ServiceRequest, ServiceResponse, Error>;

/// An endpoint inside its middleware, once that is ready. The error is that of a middleware that
/// could not be made, which actix-web gives no reason for.
pub(crate) type Wrapped = LocalBoxFuture<'static, Result<Endpoint, ()>>;

/// The middleware of one route: one `wrap = …`.
#[derive(Clone, Copy)]
pub struct Wrap {
    /// The expression as it was written, or the place of a closure.
    pub name: &'static str,
    /// Set if the expression is a closure, which has no name.
    pub is_closure: bool,
    /// Puts the middleware round an endpoint. It is called once on each worker.
    pub put: fn(Endpoint) -> Wrapped,
}

impl Wrap {
    /// Returns the middleware as it is shown.
    pub(crate) fn applied(&self) -> AppliedMiddleware {
        AppliedMiddleware {
            name: self.name.into(),
            lasting_name: match self.is_closure {
                true => MiddlewareName::Closure.lasting().into(),
                false => self.name.into(),
            },
            section: None,
            is_open: false,
            is_sometimes: false,
            is_everywhere: false,
        }
    }
}

impl std::fmt::Debug for Wrap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A middleware: a function for `actix_web::middleware::from_fn`, or a `Transform`.
///
/// `Kind` tells the two apart. It is always inferred.
#[diagnostic::on_unimplemented(
    message = "this is no middleware: `{Self}`",
    label = "no middleware",
    note = "expected a value that an actix-web `App` takes in `wrap`, such as `Logger::default()`: a \
            `Transform` with `Error = actix_web::Error` and `InitError = ()`",
    note = "or an `async fn(request: ServiceRequest, next: Next<impl MessageBody>) -> \
            actix_web::Result<ServiceResponse<impl MessageBody>>`, as for \
            `actix_web::middleware::from_fn`; extractors may stand before `request`"
)]
pub trait Middleware<Kind> {
    /// Puts the middleware round `inner`.
    #[doc(hidden)]
    fn wrap(self, inner: Endpoint) -> Wrapped;

    /// Returns the name of the middleware's type.
    #[doc(hidden)]
    fn name() -> MiddlewareName;
}

/// The [kind](Middleware) of middleware that is a function with these extractors.
pub struct ByFunction<Extractors>(std::marker::PhantomData<Extractors>);

/// The [kind](Middleware) of middleware that is a `Transform`.
pub enum ByTransform {}
