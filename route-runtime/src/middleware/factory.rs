//! Factories of a section's middleware, called once on each worker.

use std::marker::PhantomData;
use std::sync::Arc;

use super::{ByFunction, Endpoint, Middleware, MiddlewareName, Wrapped};

/// The argument of `Server::wrap` and `Routes::wrap`: a closure that makes a middleware, or a
/// middleware function itself.
///
/// The closure is called once on each worker, as the closure of `HttpServer::new` is. So a value
/// made in it exists once for each worker, and a value made outside it and captured exists once. It
/// is sent to the workers: what it captures is `Send` and `Sync`.
///
/// `Kind` tells the two apart. It is always inferred.
#[diagnostic::on_unimplemented(
    message = "this makes no middleware: `{Self}`",
    label = "makes no middleware",
    note = "expected a closure that makes one, such as `|| Logger::default()`; what it makes is a \
            `Transform` with `Error = actix_web::Error` and `InitError = ()`, as `App::wrap` takes \
            it",
    note = "or a function, as for `actix_web::middleware::from_fn`: `async fn(request: \
            ServiceRequest, next: Next<impl MessageBody>) -> \
            actix_web::Result<ServiceResponse<impl MessageBody>>`; extractors may stand before \
            `request`",
    note = "it is called on every worker, so all that it captures is `Send` and `Sync`; make what \
            is not inside the closure"
)]
pub trait MiddlewareFactory<Kind>: Send + Sync + 'static {
    /// Makes the middleware, and puts it round `inner`.
    #[doc(hidden)]
    fn wrap(&self, inner: Endpoint) -> Wrapped;

    /// Returns the name of the middleware's type.
    #[doc(hidden)]
    fn name(&self) -> MiddlewareName;
}

/// The [kind](MiddlewareFactory) of factory that makes middleware of this kind.
pub struct Makes<Kind>(PhantomData<Kind>);

#[diagnostic::do_not_recommend]
impl<F, M, Kind> MiddlewareFactory<Makes<Kind>> for F
where
    F: Fn() -> M + Send + Sync + 'static,
    M: Middleware<Kind>,
{
    fn wrap(&self, inner: Endpoint) -> Wrapped {
        self().wrap(inner)
    }

    fn name(&self) -> MiddlewareName {
        M::name()
    }
}

#[diagnostic::do_not_recommend]
impl<F, Extractors> MiddlewareFactory<ByFunction<Extractors>> for F
where
    F: Middleware<ByFunction<Extractors>> + Clone + Send + Sync + 'static,
{
    fn wrap(&self, inner: Endpoint) -> Wrapped {
        self.clone().wrap(inner)
    }

    fn name(&self) -> MiddlewareName {
        F::name()
    }
}

/// A factory of a section's middleware, with its type erased.
pub(crate) type Maker = Arc<dyn Fn(Endpoint) -> Wrapped + Send + Sync>;

/// Erases the type of a factory.
pub(crate) fn maker<Kind>(factory: impl MiddlewareFactory<Kind>) -> Maker {
    Arc::new(move |inner| factory.wrap(inner))
}
