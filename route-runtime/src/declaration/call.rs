//! One call of a handler: what generated code is given, and what it gives back.

use actix_web::dev::Payload;
use actix_web::{HttpRequest, HttpResponse, Responder};
use futures_core::future::LocalBoxFuture;

use crate::extract::{Extraction, Texts};
use crate::pattern::Params;
use crate::respond::not_found;

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
}

/// How one argument is read.
///
/// What reads it is a value, so that a bound the user's type does not keep is named where that type
/// stands, and nothing else is.
pub enum Reader<T> {
    /// The parameter `[id]` of this index. A value that cannot be read is a path that does not
    /// exist.
    Single(usize, fn(&str) -> Option<T>),
    /// The parameter `[...slug]` or `[[...slug]]` of this index; so, too.
    Many(usize, fn(Texts<'_, '_>) -> Option<T>),
    /// Any other argument.
    Extract(fn(&HttpRequest, &mut Payload) -> Extraction<T>),
}

impl<T> Reader<T> {
    async fn read(self, call: &mut Call) -> actix_web::Result<T> {
        let Call {
            request,
            payload,
            params,
        } = call;
        let path = request.path();
        let read = match self {
            Self::Single(index, read) => params.value(path, index).and_then(|text| read(&text)),
            Self::Many(index, read) => read(&mut params.values(path, index)),
            Self::Extract(extract) => return extract(request, payload).await,
        };
        read.ok_or_else(|| not_found().into())
    }
}

/// The arguments of a handler: `(first, (second, ()))`, each a [`Reader`].
pub trait Readers: 'static {
    /// What they read: `(first, (second, ()))`.
    type Values: 'static;

    /// Reads one after the other. The first that fails is the error.
    fn read(self, call: &mut Call) -> impl Future<Output = actix_web::Result<Self::Values>>;
}

impl Readers for () {
    type Values = ();

    async fn read(self, _call: &mut Call) -> actix_web::Result<()> {
        Ok(())
    }
}

impl<T: 'static, R: Readers> Readers for (Reader<T>, R) {
    type Values = (T, R::Values);

    async fn read(self, call: &mut Call) -> actix_web::Result<Self::Values> {
        let (first, rest) = self;
        Ok((first.read(call).await?, rest.read(call).await?))
    }
}

/// Reads the arguments, calls the handler, makes a response of what it returns.
pub fn call<R: Readers, F: Future + 'static>(
    mut call: Call,
    readers: R,
    handler: fn(R::Values) -> F,
    response: fn(F::Output, &Call) -> HttpResponse,
) -> CallFuture {
    Box::pin(async move {
        let values = readers.read(&mut call).await?;
        Ok(response(handler(values).await, &call))
    })
}

/// What a handler may return: any actix-web responder.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a response",
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
