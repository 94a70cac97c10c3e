//! A trait for actix-web's extractors. It is our own, so that the compiler's error about a type
//! that does not implement it has our words.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_core::future::LocalBoxFuture;

/// The future of an argument that is extracted from a request.
pub(crate) type Extraction<T> = LocalBoxFuture<'static, actix_web::Result<T>>;

/// An argument that is not bound to a parameter. Every actix-web extractor implements this trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an argument of a route",
    label = "neither a parameter of the pattern nor an extractor",
    note = "an argument is bound to the pattern's parameter of the same name, or is an actix-web \
            extractor: `HttpRequest`, `web::Json<T>`, `web::Data<T>`, anything that implements \
            `FromRequest`"
)]
pub trait Extractor: Sized + 'static {
    /// Calls `FromRequest::from_request`, and converts its error to actix-web's.
    fn extract(request: &HttpRequest, payload: &mut Payload) -> Extraction<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: FromRequest + 'static> Extractor for T {
    fn extract(request: &HttpRequest, payload: &mut Payload) -> Extraction<Self> {
        let future = T::from_request(request, payload);
        Box::pin(async move { future.await.map_err(Into::into) })
    }
}
