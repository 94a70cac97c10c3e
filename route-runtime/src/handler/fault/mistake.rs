//! Mistakes of clients, as the extractors of actix-web report them.

use std::fmt::Display;

use actix_web::error::{
    ContentTypeError, InternalError, JsonPayloadError, ParseError, PathError, PayloadError,
    QueryPayloadError, UrlencodedError,
};
use actix_web::http::StatusCode;
use actix_web::{Error, ResponseError};

use super::message;
use crate::mode::Mode;
use crate::respond::Problem;

/// A mistake in a client's request.
pub(super) struct Mistake {
    status: StatusCode,
    /// The explanation for the client.
    told: String,
    /// The text of the error, for developers.
    full: String,
}

impl Mistake {
    /// Returns the mistake that an error reports. `None` if the fault is not the client's, and if
    /// the error is not of an extractor that we know.
    pub(super) fn of(error: &Error) -> Option<Self> {
        EXTRACTORS.iter().find_map(|it| (it.mistake)(error))
    }

    pub(super) fn problem(self, mode: Mode) -> Problem {
        Problem::new(self.status).detail(match mode {
            Mode::Production => self.told,
            Mode::Development => self.full,
        })
    }
}

/// Returns whether the user chose the response to this error, in the error handler of an extractor.
pub(super) fn has_custom_response(error: &Error) -> bool {
    EXTRACTORS.iter().any(|it| (it.is_handled)(error))
}

/// An error of an extractor, which can be explained to the client.
pub(super) trait Explain: ResponseError + Sized + 'static {
    fn status(&self) -> StatusCode {
        self.status_code()
    }

    /// Returns a sentence about the client's mistake. It names things and places, and never repeats
    /// what the client has sent, nor the name of a type, nor a cause that is the server's. `None`
    /// if the fault is the server's.
    fn explain(&self) -> Option<String>;

    /// Returns everything that is known of the error.
    fn full_text(&self) -> String {
        self.to_string()
    }
}

/// The two questions about an error, for one type that it may have.
struct ExtractorError {
    mistake: fn(&Error) -> Option<Mistake>,
    is_handled: fn(&Error) -> bool,
}

impl ExtractorError {
    const fn of<T: Explain>() -> Self {
        Self {
            mistake: |error| {
                let error = error.as_error::<T>()?;
                Some(Mistake {
                    status: error.status(),
                    told: error.explain()?,
                    full: error.full_text(),
                })
            },
            is_handled: |error| error.as_error::<InternalError<T>>().is_some(),
        }
    }
}

const EXTRACTORS: &[ExtractorError] = &[
    ExtractorError::of::<JsonPayloadError>(),
    ExtractorError::of::<UrlencodedError>(),
    ExtractorError::of::<QueryPayloadError>(),
    ExtractorError::of::<PathError>(),
    ExtractorError::of::<PayloadError>(),
    ExtractorError::of::<InternalError<&'static str>>(),
    ExtractorError::of::<ContentTypeError>(),
    ExtractorError::of::<ParseError>(),
    #[cfg(feature = "multipart")]
    ExtractorError::of::<actix_multipart::MultipartError>(),
];

/// Says how large a body may be.
pub(in crate::handler) fn size_limit(bytes: impl Display) -> String {
    format!("the body may have {bytes} bytes")
}

/// Says which `Content-Type` was expected.
pub(super) fn content_type(expected: &str) -> String {
    format!("the header `Content-Type` must be `{expected}`")
}

impl Explain for JsonPayloadError {
    fn explain(&self) -> Option<String> {
        match self {
            Self::OverflowKnownLength { limit, .. } | Self::Overflow { limit } => {
                Some(size_limit(limit))
            }
            Self::ContentType => Some(content_type("application/json")),
            Self::Deserialize(error) => Some(format!("in the body: {}", message::of_json(error))),
            Self::Serialize(_) => None,
            Self::Payload(error) => error.explain(),
            _ => Some(UNREADABLE.into()),
        }
    }
}

impl Explain for UrlencodedError {
    fn explain(&self) -> Option<String> {
        match self {
            Self::Overflow { limit, .. } => Some(size_limit(limit)),
            Self::UnknownLength => PayloadError::UnknownLength.explain(),
            Self::ContentType => Some(content_type("application/x-www-form-urlencoded")),
            Self::Parse(error) => Some(format!("in the body: {}", message::of_text(error))),
            Self::Encoding => Some(UNDECODABLE.into()),
            Self::Serialize(_) => None,
            Self::Payload(error) => error.explain(),
            _ => Some(UNREADABLE.into()),
        }
    }
}

impl Explain for QueryPayloadError {
    fn explain(&self) -> Option<String> {
        match self {
            Self::Deserialize(error) => Some(format!("in the query: {}", message::of_text(error))),
            _ => Some("the query cannot be read".into()),
        }
    }
}

/// An app has this error only if it has a `PathConfig` that returns it. Otherwise a `Path` that
/// cannot be read is a 404.
impl Explain for PathError {
    fn explain(&self) -> Option<String> {
        match self {
            Self::Deserialize(error) => Some(format!("in the path: {}", message::of_text(error))),
            _ => Some("the path cannot be read".into()),
        }
    }
}

const UNREADABLE: &str = "the body could not be read";
const UNDECODABLE: &str = "the body is not text in the charset of the header `Content-Type`";

impl Explain for PayloadError {
    fn explain(&self) -> Option<String> {
        let told = match self {
            Self::Incomplete(None) => "the body ended too early",
            Self::EncodingCorrupted => {
                "the body is not encoded as the header `Content-Encoding` says"
            }
            Self::Overflow => "the body is too large",
            Self::UnknownLength => "the header `Content-Length` must be the length of the body",
            // The rest are failures of the connection or of decompression, in the system's words.
            _ => UNREADABLE,
        };
        Some(told.into())
    }
}

/// The errors of `String` and `Bytes` are texts. Any other text is the user's own.
impl Explain for InternalError<&'static str> {
    fn explain(&self) -> Option<String> {
        let told = match &*self.to_string() {
            "Can not decode body" => UNDECODABLE,
            "Unexpected Content-Type" => {
                "the header `Content-Type` names a type that is not accepted"
            }
            "Content-Type is expected" => "the header `Content-Type` is missing",
            _ => return None,
        };
        Some(told.into())
    }
}

impl Explain for ContentTypeError {
    fn explain(&self) -> Option<String> {
        let told = match self {
            Self::UnknownEncoding => "the charset of the header `Content-Type` is unknown",
            _ => "the header `Content-Type` cannot be read",
        };
        Some(told.into())
    }
}

/// The error of `web::Header`. It does not say which header it is about.
impl Explain for ParseError {
    fn explain(&self) -> Option<String> {
        match self {
            Self::Io(_) => None,
            _ => Some("a header is missing or cannot be read".into()),
        }
    }
}
