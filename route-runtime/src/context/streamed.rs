//! Bodies that are made while they are read: the handler's code runs on while its stream is polled.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context as Waker, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::web::Bytes;

use super::Context;

/// Makes a response in a context. Both the handler and its stream, which is polled later, run in
/// it.
pub(crate) async fn in_context(
    context: Context,
    answer: impl Future<Output = ServiceResponse>,
) -> ServiceResponse {
    let response = context.clone().scope(answer).await;
    response
        .map_body(|_, body| map_streamed(body, |body| BoxBody::new(Belonging { body, context })))
}

/// Changes a body that is not complete yet. Its size does not tell, because a stream may have
/// stated its size in advance.
pub(crate) fn map_streamed(body: BoxBody, change: impl FnOnce(BoxBody) -> BoxBody) -> BoxBody {
    if body.size() == BodySize::None {
        return body;
    }
    match body.try_into_bytes() {
        Ok(bytes) => BoxBody::new(bytes),
        Err(body) => change(body),
    }
}

/// A body whose code runs in its handler's context.
struct Belonging {
    body: BoxBody,
    context: Context,
}

impl MessageBody for Belonging {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        waker: &mut Waker<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let context = self.context.clone();
        context.sync_scope(|| Pin::new(&mut self.body).poll_next(waker))
    }
}
