//! The body of a response to HEAD.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

/// Removes the bytes of a body and keeps its length. An endless stream is not even begun.
pub(super) fn without_bytes(body: BoxBody) -> BoxBody {
    match body.size() {
        BodySize::Sized(length) => BoxBody::new(HeadBody(length)),
        // A length of 0 would be one that the response to GET does not have.
        BodySize::None | BodySize::Stream => BoxBody::new(actix_web::body::None::new()),
    }
}

/// A body that states its length and has no bytes.
pub(super) struct HeadBody(pub(super) u64);

impl MessageBody for HeadBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}
