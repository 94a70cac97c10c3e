//! The call of a handler by generated code: how its arguments are read, and its response made.

use actix_web::dev::Payload;
use actix_web::{HttpRequest, HttpResponse, Responder};
use futures_core::future::LocalBoxFuture;

use crate::extract::{Extraction, Texts};
use crate::pattern::Params;
use crate::respond::not_found;

/// The generated function of a route, which reads the arguments and calls the handler.
pub(crate) type Thunk = fn(HandlerCall) -> CallFuture;

/// The future of a call. Its `Err` means that an argument could not be read. A response that the
/// handler makes is always `Ok`, whatever its status.
pub(crate) type CallFuture = LocalBoxFuture<'static, actix_web::Result<HttpResponse>>;

/// A request that matched a route, on its way to the handler.
pub struct HandlerCall {
    request: HttpRequest,
    payload: Payload,
    params: Params,
}

impl HandlerCall {
    pub(crate) fn new(request: HttpRequest, payload: Payload, params: Params) -> Self {
        Self {
            request,
            payload,
            params,
        }
    }
}

/// The way in which one argument is read.
///
/// The function that reads the argument is a value. So if the user's type does not meet the bound
/// of that function, the compiler reports this at the type, and reports nothing else.
pub enum Reader<T> {
    /// The parameter `[id]` of this index. If its value cannot be read, the path does not exist.
    Single(usize, fn(&str) -> Option<T>),
    /// The parameter `[...slug]` or `[[...slug]]` of this index. If its values cannot be read, the
    /// path does not exist.
    Many(usize, fn(Texts<'_, '_>) -> Option<T>),
    /// Any other argument, which is extracted from the request.
    Extract(fn(&HttpRequest, &mut Payload) -> Extraction<T>),
}

impl<T> Reader<T> {
    async fn read(self, call: &mut HandlerCall) -> actix_web::Result<T> {
        let HandlerCall {
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

/// The readers of a handler's arguments, nested as `(first, (second, ()))`. Each is a [`Reader`].
pub trait Readers: 'static {
    /// The values of the arguments, nested in the same way.
    type Values: 'static;

    /// Reads one argument after the other. The first that fails is the error.
    fn read(self, call: &mut HandlerCall) -> impl Future<Output = actix_web::Result<Self::Values>>;
}

impl Readers for () {
    type Values = ();

    async fn read(self, _call: &mut HandlerCall) -> actix_web::Result<()> {
        Ok(())
    }
}

impl<T: 'static, R: Readers> Readers for (Reader<T>, R) {
    type Values = (T, R::Values);

    async fn read(self, call: &mut HandlerCall) -> actix_web::Result<Self::Values> {
        let (first, rest) = self;
        Ok((first.read(call).await?, rest.read(call).await?))
    }
}

/// Reads the arguments, calls the handler, and makes a response of what it returns.
pub fn call<R: Readers, F: HandlerFuture>(
    mut call: HandlerCall,
    readers: R,
    handler: fn(R::Values) -> F,
    response: fn(F::Output, &HandlerCall) -> HttpResponse,
) -> CallFuture {
    Box::pin(async move {
        let values = readers.read(&mut call).await?;
        Ok(response(handler(values).run().await, &call))
    })
}

/// The future of a handler. Every handler is an `async fn`, so if its name stands for something that
/// returns anything else, the name is taken.
#[diagnostic::on_unimplemented(
    message = "the name of this handler stands for something else here",
    label = "the name is taken by an import or another item, which returns `{Self}`",
    note = "rename the handler, or import the other item under another name, as in \
            `use route_runtime::fetch as get`"
)]
pub trait HandlerFuture: 'static {
    /// The value that the handler returns.
    type Output;
    /// Runs the handler.
    fn run(self) -> impl Future<Output = Self::Output>;
}

#[diagnostic::do_not_recommend]
impl<F: Future + 'static> HandlerFuture for F {
    type Output = F::Output;

    fn run(self) -> impl Future<Output = F::Output> {
        self
    }
}

/// A type that a handler may return: any actix-web responder.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a response",
    label = "does not implement `Responder`",
    note = "a handler returns what actix-web can send: `impl Responder`, `HttpResponse`, \
            `web::Json<T>`, `String`, or a `Result` of one whose error implements `ResponseError`"
)]
pub trait Response {
    /// Calls `Responder::respond_to`, and boxes the body.
    fn into_response(self, call: &HandlerCall) -> HttpResponse;
}

#[diagnostic::do_not_recommend]
impl<T: Responder> Response for T {
    fn into_response(self, call: &HandlerCall) -> HttpResponse {
        self.respond_to(&call.request).map_into_boxed_body()
    }
}
