//! The error of a fetch that has no response.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use actix_web::http::StatusCode;

/// The reason why a [`fetch`](crate::fetch()) failed, with its method and URL.
///
/// A handler that returns this error responds with 502, or with 504 if there was no time left. The
/// status is 500 if the program itself is at fault, and 503 if the server is ending. In production
/// the client sees no more than that status. The error is cheap to clone: all calls that waited for
/// the same request get the same error.
#[derive(Clone)]
pub struct FetchError(Arc<What>);

struct What {
    kind: ErrorKind,
    /// The method and the URL, without credentials.
    request: String,
    cause: Option<Cause>,
}

type Cause = Box<dyn Error + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The request cannot be sent as it is.
    Request,
    Connection,
    Timeout,
    Redirect,
    Body,
    /// The body has more bytes than this.
    TooLarge(u64),
    /// `error_for_status` made an error of this status.
    Status(StatusCode),
    Json,
    Tag,
    Refused(&'static str),
    /// The route may use only what is cached, and this is not, for this reason.
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

    /// Returns whether there was no time left.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// Returns whether no connection could be made, or the connection broke.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Connection | ErrorKind::Body)
    }

    /// Returns whether the body is longer than [`body_limit`](crate::Fetch::body_limit) allows.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self.0.kind, ErrorKind::TooLarge(_))
    }

    /// Returns the status that [`error_for_status`](super::FetchResponse::error_for_status) made an
    /// error.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self.0.kind {
            ErrorKind::Status(status) => Some(status),
            _ => None,
        }
    }
}

impl FetchError {
    /// Returns the status of a response that is made of this error. It shows where the fault lies.
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

/// Writes the same words as [`Display`](fmt::Display), for `unwrap` and logs.
impl fmt::Debug for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error has no `source`, because its own words contain those of its causes.
impl Error for FetchError {}
