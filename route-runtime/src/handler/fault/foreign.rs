//! Errors that were not made for clients.

use actix_web::error::{
    BlockingError, HttpError, InternalError, JsonPayloadError, ParseError, UrlGenerationError,
    UrlencodedError,
};
use actix_web::http::StatusCode;
use actix_web::http::header::InvalidHeaderValue;
use actix_web::{Error, ResponseError};

/// Returns the status of an error that was not made for clients: an error of the standard library,
/// of serde, or of actix-web's own insides, which `?` turns into an `actix_web::Error`. actix-web
/// would send the error's text, and would call a file that is missing on the server a 404.
pub(super) fn foreign_status(error: &Error) -> Option<StatusCode> {
    let is_of_the_server = is::<Box<dyn std::error::Error>>(error)
        || is::<std::io::Error>(error)
        || is::<serde_json::Error>(error)
        || is::<InvalidHeaderValue>(error)
        || is::<HttpError>(error)
        || is::<ParseError>(error)
        || is::<actix_http::Error>(error)
        || is::<BlockingError>(error)
        || is::<UrlGenerationError>(error)
        || is_unwritable(error);
    if is_of_the_server {
        return Some(StatusCode::INTERNAL_SERVER_ERROR);
    }
    // Errors of text and queries are the client's fault more often than not.
    let is_of_the_client = is::<std::str::Utf8Error>(error) || is::<serde::de::value::Error>(error);
    if is_of_the_client {
        return Some(StatusCode::BAD_REQUEST);
    }
    is_of_the_path(error).then_some(StatusCode::NOT_FOUND)
}

fn is<T: ResponseError + 'static>(error: &Error) -> bool {
    error.as_error::<T>().is_some()
}

/// Returns whether a `Json` or `Form` that a handler returned could not be written.
fn is_unwritable(error: &Error) -> bool {
    let json = error.as_error::<JsonPayloadError>();
    let form = error.as_error::<UrlencodedError>();
    matches!(json, Some(JsonPayloadError::Serialize(_)))
        || matches!(form, Some(UrlencodedError::Serialize(_)))
}

/// Returns whether this is actix-web's own error of a `Path`, whose text repeats the path. Like any
/// parameter that does not parse, it means that there is nothing at the path.
fn is_of_the_path(error: &Error) -> bool {
    let path = error.as_error::<InternalError<serde::de::value::Error>>();
    path.is_some_and(|it| it.status_code() == StatusCode::NOT_FOUND)
}
