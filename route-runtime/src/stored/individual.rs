//! Responses as a render makes them, and responses that are for one request alone.

use std::fmt;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::body::MessageBody as _;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Bytes;
use tokio::sync::mpsc;

/// A response that can cross threads.
pub(crate) struct RenderedResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: RenderedBody,
}

impl RenderedResponse {
    /// Takes a response whose body is whole.
    pub(crate) fn of(response: HttpResponse) -> Self {
        let (head, body) = response.into_parts();
        Self {
            status: head.status(),
            headers: head.headers().clone(),
            body: RenderedBody::Full(body.try_into_bytes().unwrap_or_default()),
        }
    }
}

/// The body of a rendered response.
pub(crate) enum RenderedBody {
    /// The whole body.
    Full(Bytes),
    /// The chunks of a body that is longer than the limit, or endless, as they come. The last is an
    /// error if the handler's own stream fails or panics.
    Stream {
        chunks: mpsc::Receiver<Result<Bytes, BrokenBody>>,
        /// The length of the body, if it is known in advance.
        length: Option<u64>,
    },
}

/// The error of a body that ended too early: the handler's stream failed, or its renderer did.
#[derive(Debug)]
pub(crate) struct BrokenBody;

impl fmt::Display for BrokenBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body of a render ended early")
    }
}

impl std::error::Error for BrokenBody {}

/// A response for the one request that it was rendered for, and the reason for that.
pub(crate) struct Individual {
    pub(crate) response: RenderedResponse,
    pub(crate) reason: Reason,
}

/// The reason why a response of a cached route is not shared. It is decided once, at the render.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The response is made of data that is not cached, which the text names.
    Data(Arc<str>),
    SetCookie,
    /// The `Cache-Control` says `private` or `no-store`, or cannot be read.
    Private,
    /// The response never ends.
    EventStream,
    /// The body is larger than an entry may be.
    TooLarge,
}

impl Reason {
    /// Returns the word for `Cache-Status`.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Data(_) => "data",
            Self::SetCookie => "set-cookie",
            Self::Private => "private",
            Self::EventStream | Self::TooLarge => "stream",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(what) => write!(f, "it uses {what}"),
            Self::SetCookie => {
                f.write_str("its response is for one request only: it sets a cookie")
            }
            Self::Private => {
                f.write_str("its response is for one request only: it is `private` or `no-store`")
            }
            Self::EventStream => f.write_str("its response is an event stream, which never ends"),
            Self::TooLarge => f.write_str("its body is too large to be kept, or endless"),
        }
    }
}

/// Returns whether a body never ends. Nothing of such a body is kept or waited for.
pub(crate) fn is_event_stream(headers: &HeaderMap) -> bool {
    const NAME: &str = "text/event-stream";
    let content_type = headers.get(header::CONTENT_TYPE);
    let named = content_type.and_then(|value| value.to_str().ok());
    let named = named.and_then(|value| value.split(';').next());
    named.is_some_and(|name| name.trim().eq_ignore_ascii_case(NAME))
}
