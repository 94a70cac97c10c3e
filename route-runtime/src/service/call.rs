//! One call of a handler: what generated code is given, and what it gives back.

use actix_web::dev::Payload;
use actix_web::{HttpRequest, HttpResponse, Responder};
use futures_core::future::LocalBoxFuture;

use crate::extract::{Extraction, Texts};
use crate::respond::not_found;
use crate::trie::Params;

/// The generated function of a route: reads the arguments, calls the handler.
pub(crate) type Thunk = fn(Call) -> CallFuture;

/// `Err` is an argument that could not be read; what the handler says is always `Ok`.
pub(crate) type CallFuture = LocalBoxFuture<'static, actix_web::Result<HttpResponse>>;

/// A request that matched, on its way to the handler.
pub struct Call {
    request: HttpRequest,
    payload: Payload,
    params: Params,
}

impl Call {
    pub(crate) fn new(request: HttpRequest, payload: Payload, params: Params) -> Self {
        Self {
            request,
            payload,
            params,
        }
    }

    /// The parameter `[id]` of this index. A value that cannot be read is a path that does not
    /// exist.
    ///
    /// What reads it is an argument, here and below, so that a bound the user's type does not keep
    /// is named where that type stands, and nothing else is.
    #[inline]
    pub fn single<T>(&self, index: usize, read: fn(&str) -> Option<T>) -> actix_web::Result<T> {
        self.params
            .value(self.request.path(), index)
            .and_then(|text| read(&text))
            .ok_or_else(|| not_found().into())
    }

    /// The parameter `[...slug]` or `[[...slug]]` of this index.
    #[inline]
    pub fn many<T>(
        &self,
        index: usize,
        read: fn(Texts<'_, '_>) -> Option<T>,
    ) -> actix_web::Result<T> {
        read(&mut self.params.values(self.request.path(), index)).ok_or_else(|| not_found().into())
    }

    /// Any other argument.
    #[inline]
    pub fn extract<T>(
        &mut self,
        extract: fn(&HttpRequest, &mut Payload) -> Extraction<T>,
    ) -> Extraction<T> {
        extract(&self.request, &mut self.payload)
    }
}

/// Boxes a call, so that every route has the same type.
pub fn handle(
    future: impl Future<Output = actix_web::Result<HttpResponse>> + 'static,
) -> CallFuture {
    Box::pin(future)
}

/// What a handler may return: any actix-web responder.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no response",
    label = "does not implement `Responder`",
    note = "a handler returns what actix-web can send: `impl Responder`, `HttpResponse`, \
            `web::Json<T>`, `String`, or a `Result` of one whose error implements `ResponseError`"
)]
pub trait Response {
    /// `Responder::respond_to`, its body boxed.
    fn into_response(self, call: &Call) -> HttpResponse;
}

#[diagnostic::do_not_recommend]
impl<T: Responder> Response for T {
    fn into_response(self, call: &Call) -> HttpResponse {
        self.respond_to(&call.request).map_into_boxed_body()
    }
}
