//! actix-web's extractors, behind a trait of ours so that the compiler's error is ours too.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_core::future::LocalBoxFuture;

/// An argument on its way from the request.
pub(crate) type Extraction<T> = LocalBoxFuture<'static, actix_web::Result<T>>;

/// What an argument that is no parameter must be: any actix-web extractor.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an argument of a route",
    label = "neither a parameter of the pattern nor an extractor",
    note = "an argument is bound to the pattern's parameter of the same name, or is an actix-web \
            extractor: `HttpRequest`, `web::Json<T>`, `web::Data<T>`, anything that implements \
            `FromRequest`"
)]
pub trait Extractor: Sized + 'static {
    /// `FromRequest::from_request`, its error made actix-web's.
    fn extract(request: &HttpRequest, payload: &mut Payload) -> Extraction<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: FromRequest + 'static> Extractor for T {
    fn extract(request: &HttpRequest, payload: &mut Payload) -> Extraction<Self> {
        let future = T::from_request(request, payload);
        Box::pin(async move { future.await.map_err(Into::into) })
    }
}
