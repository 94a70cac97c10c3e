//! The response that a test reads piece by piece.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;

use actix_web::body::{BoxBody, MessageBody as _};
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::web::{Bytes, BytesMut};

use super::response::{Outcome, ResponseHead, TestResponse};

/// A response whose body a test reads piece by piece; see [`TestApp::open`](super::TestApp::open).
///
/// The body makes its next piece when the test asks for it. Dropping the stream drops the body, as a
/// server does when its client hangs up.
#[must_use = "dropping a stream hangs up"]
pub struct TestStream {
    head: ResponseHead,
    body: BoxBody,
}

impl TestStream {
    pub(super) fn new(head: ResponseHead, body: BoxBody) -> Self {
        Self { head, body }
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status()
    }

    /// Returns all headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// Returns the first value of a header, if there is one and it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// Returns how the response came about, by its `Cache-Status`, or `None` if no route answered.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.head.outcome()
    }

    /// Waits for the next piece of the body, as it was made. Returns `None` after the last one.
    ///
    /// # Panics
    ///
    /// If the body fails.
    pub async fn next_chunk(&mut self) -> Option<Bytes> {
        let chunk = poll_fn(|context| Pin::new(&mut self.body).poll_next(context)).await?;
        match chunk {
            Ok(chunk) => Some(chunk),
            Err(error) => panic!("the body failed: {error}"),
        }
    }

    /// Waits for the next piece of the body, and returns it as text.
    ///
    /// # Panics
    ///
    /// If the body fails, or if the piece is not UTF-8.
    pub async fn next_text(&mut self) -> Option<String> {
        let chunk = self.next_chunk().await?;
        match String::from_utf8(chunk.into()) {
            Ok(text) => Some(text),
            Err(error) => panic!("the piece is no text: {error}"),
        }
    }

    /// Reads the rest of the body.
    pub(super) async fn into_response(mut self) -> TestResponse {
        let mut body = BytesMut::new();
        while let Some(chunk) = self.next_chunk().await {
            body.extend_from_slice(&chunk);
        }
        TestResponse::new(self.head, body.freeze())
    }
}

impl fmt::Debug for TestStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestStream")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}
