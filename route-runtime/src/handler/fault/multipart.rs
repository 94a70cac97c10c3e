//! Mistakes in forms with files, which `MultipartForm` of actix-multipart reports.

use actix_multipart::MultipartError;
use actix_multipart::form::json::JsonFieldError;
use actix_multipart::form::text::TextError;
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::{Error, ResponseError as _};

use super::message;
use super::mistake::{Explain, content_type};

impl Explain for MultipartError {
    fn status(&self) -> StatusCode {
        match self {
            // actix-multipart calls a form that is too large a bad request.
            Self::Payload(error) => error.status(),
            _ => self.status_code(),
        }
    }

    /// Explains the mistake. A name is told only if the program has a field of that name.
    fn explain(&self) -> Option<String> {
        let told = match self {
            Self::ContentTypeMissing => "the header `Content-Type` is missing",
            Self::ContentTypeParse => "the header `Content-Type` cannot be read",
            Self::ContentTypeIncompatible => {
                "the header `Content-Type` must be `multipart/form-data`"
            }
            Self::BoundaryMissing => "the header `Content-Type` has no `boundary`",
            Self::ContentDispositionMissing => "a field has no header `Content-Disposition`",
            Self::ContentDispositionNameMissing => {
                "a field has no `name` in its header `Content-Disposition`"
            }
            Self::Nested => "a field must not be multipart itself",
            Self::Incomplete => "the body ended too early",
            Self::Parse(_) => "a field's headers cannot be read",
            Self::Payload(PayloadError::Overflow) => "the form or one of its fields is too large",
            Self::Payload(error) => return error.explain(),
            // The program has stopped reading, or has failed.
            Self::NotConsumed => return None,
            Self::Field { name, source } => return of_field(name, source),
            Self::DuplicateField(name) => return Some(format!("duplicate field `{name}`")),
            Self::MissingField(name) => return Some(format!("missing field `{name}`")),
            Self::UnknownField(_) => "unknown field",
            _ => "the form cannot be read",
        };
        Some(told.into())
    }

    fn full_text(&self) -> String {
        match self {
            Self::Field { source, .. } => format!("{self}: {source}"),
            _ => self.to_string(),
        }
    }
}

/// Explains the mistake in a field. `None` if the fault is the server's, such as a file that could
/// not be written.
fn of_field(name: &str, source: &Error) -> Option<String> {
    let error = source.as_response_error();
    if error.status_code().is_server_error() {
        return None;
    }
    let told = if let Some(error) = source.as_error::<TextError>() {
        of_text(error)
    } else if let Some(error) = source.as_error::<JsonFieldError>() {
        of_json(error)
    } else {
        message::WRONG.into()
    };
    Some(format!("in the field `{name}`: {told}"))
}

fn of_text(error: &TextError) -> String {
    match error {
        TextError::Utf8Error(_) => "it is not UTF-8".into(),
        TextError::ContentType => content_type("text/plain"),
        TextError::Deserialize(error) => message::of_text(error),
        _ => message::WRONG.into(),
    }
}

fn of_json(error: &JsonFieldError) -> String {
    match error {
        JsonFieldError::Deserialize(error) => message::of_json(error),
        JsonFieldError::ContentType => content_type("application/json"),
        _ => message::WRONG.into(),
    }
}
