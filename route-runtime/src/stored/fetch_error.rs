//! Why there is no response.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use actix_web::http::StatusCode;

/// Why a [`fetch`](super::fetch()) came to nothing, and of which URL.
///
/// As the error of a handler it is 502, or 504 where there was no time left, and in production tells
/// the client no more than that. It is cheap to clone: everyone who waited for the same request is
/// given the same error.
#[derive(Clone)]
pub struct FetchError(Arc<What>);

struct What {
    kind: ErrorKind,
    /// Method and URL, without credentials.
    request: String,
    cause: Option<Cause>,
}

type Cause = Box<dyn Error + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// It cannot be sent as it is.
    Request,
    Connection,
    Timeout,
    Redirect,
    Body,
    /// The body has more bytes than this.
    TooLarge(u64),
    /// What `error_for_status` makes of an answer.
    Status(StatusCode),
    Json,
    Tag,
    Refused(&'static str),
    /// The route may not use what is not cached, and why this is not.
    Uncached(&'static str),
    Cycle,
    Unavailable,
}

impl FetchError {
    pub(crate) fn new(kind: ErrorKind, request: impl Into<String>) -> Self {
        Self::of(kind, request, None)
    }

    pub(crate) fn caused(
        kind: ErrorKind,
        request: impl Into<String>,
        cause: impl Into<Cause>,
    ) -> Self {
        Self::of(kind, request, Some(cause.into()))
    }

    fn of(kind: ErrorKind, request: impl Into<String>, cause: Option<Cause>) -> Self {
        Self(Arc::new(What {
            kind,
            request: request.into(),
            cause,
        }))
    }

    /// Whether there was no time left.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// Whether no connection could be made, or it broke.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Connection | ErrorKind::Body)
    }

    /// Whether the body is longer than [`body_limit`](super::Fetch::body_limit) allows.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self.0.kind, ErrorKind::TooLarge(_))
    }

    /// The status that [`error_for_status`](super::FetchResponse::error_for_status) made an error.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self.0.kind {
            ErrorKind::Status(status) => Some(status),
            _ => None,
        }
    }
}

impl FetchError {
    /// Returns the status of a response that is made of this error: where the fault lies.
    pub(crate) fn response_status(&self) -> StatusCode {
        match self.0.kind {
            ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
            ErrorKind::Request
            | ErrorKind::Tag
            | ErrorKind::Refused(_)
            | ErrorKind::Uncached(_)
            | ErrorKind::Cycle => StatusCode::INTERNAL_SERVER_ERROR,
            ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_GATEWAY,
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let What {
            kind,
            request,
            cause,
        } = &*self.0;
        write!(f, "{request}: ")?;
        match kind {
            ErrorKind::Request => f.write_str("cannot be sent"),
            ErrorKind::Connection => f.write_str("the connection failed"),
            ErrorKind::Timeout => f.write_str("no answer in time"),
            ErrorKind::Redirect => f.write_str("redirected too often"),
            ErrorKind::Body => f.write_str("the body ended early or is damaged"),
            ErrorKind::TooLarge(limit) => {
                write!(
                    f,
                    "the body has more than the {limit} bytes of its `body_limit`"
                )
            }
            ErrorKind::Status(status) => write!(f, "answered {status}"),
            ErrorKind::Json => f.write_str("the body is not the JSON that is asked for"),
            ErrorKind::Tag => f.write_str("a tag is not empty and has no control characters"),
            ErrorKind::Refused(why) => f.write_str(why),
            ErrorKind::Uncached(why) => write!(
                f,
                "`dynamic = \"error\"` forbids what is not cached ({why}); write \
                 `.revalidate(seconds)` or `.force_cache()` at the call"
            ),
            ErrorKind::Cycle => f.write_str("needs its own result"),
            ErrorKind::Unavailable => f.write_str("was given up, because the server ends"),
        }?;
        let mut cause = cause.as_deref().map(|cause| cause as &dyn Error);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// The same words as [`Display`](fmt::Display), for `unwrap` and logs.
impl fmt::Debug for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Its causes are in its words.
impl Error for FetchError {}
