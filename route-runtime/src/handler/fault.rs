//! Responses that the framework makes itself, when something went wrong.

use actix_web::error::{
    BlockingError, HttpError, InternalError, JsonPayloadError, ParseError, PathError, PayloadError,
    QueryPayloadError, UrlGenerationError, UrlencodedError,
};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue, InvalidHeaderValue};
use actix_web::{Error, HttpResponse, ResponseError};

use crate::context::Context;
use crate::declaration::{Kind, RouteDescriptor};
use crate::mode::Mode;
use crate::respond::{Problem, Redirect};
use crate::revalidate::RevalidateError;
#[cfg(feature = "fetch")]
use crate::stored::FetchError;
use crate::target;

/// Returns the problem that an error is, or that a redirect without a valid target became.
fn problem_of(error: &Error) -> Option<Problem> {
    if let Some(error) = error.as_error::<RevalidateError>() {
        return Some(in_mode(error));
    }
    #[cfg(feature = "fetch")]
    if let Some(error) = error.as_error::<FetchError>() {
        return Some(in_mode(error));
    }
    error
        .as_error::<Problem>()
        .or_else(|| error.as_error::<Redirect>()?.problem())
        .cloned()
}

/// Makes the problem that a client sees of one of our own errors: in production, only its status.
fn in_mode(error: &impl ResponseError) -> Problem {
    let problem = Problem::new(error.status_code());
    match Context::mode() {
        Some(Mode::Development) => problem.detail(error.to_string()),
        _ => problem,
    }
}

/// A failed invalidation is the server's fault: the response is 500, and in production says no
/// more.
impl ResponseError for RevalidateError {
    fn error_response(&self) -> HttpResponse {
        in_mode(self).error_response()
    }
}

#[cfg(feature = "fetch")]
impl ResponseError for FetchError {
    fn status_code(&self) -> StatusCode {
        self.response_status()
    }

    fn error_response(&self) -> HttpResponse {
        in_mode(self).error_response()
    }
}

/// Makes the response of a problem in the form of its route: JSON, or HTML if the route is a page.
pub(crate) fn response(problem: &Problem, kind: Kind) -> HttpResponse {
    match kind {
        Kind::Route => problem.error_response(),
        Kind::Page => problem.html_response(),
    }
}

/// Puts a handler's response into the form of its route.
///
/// In a page, the text of a response and a `Problem` become HTML. Errors of the user's own types
/// stay as they are: their messages were never meant to be HTML, and repeat what a client has sent.
/// A [foreign] error says nothing to clients.
///
/// [foreign]: foreign_status
pub(crate) fn as_answered(
    answer: HttpResponse,
    route: &RouteDescriptor,
    mode: Mode,
) -> HttpResponse {
    let Some(error) = answer.error() else {
        return match route.kind {
            Kind::Route => answer,
            Kind::Page => as_page(answer),
        };
    };
    if let Some(status) = foreign_status(error) {
        return without_detail(status, error, route.pattern, route.kind, mode);
    }
    match problem_of(error) {
        Some(problem) if route.kind == Kind::Page => problem.in_html(answer),
        _ => answer,
    }
}

/// Returns the status of an error that was not made for clients: an error of the standard library,
/// of serde, or of actix-web's own insides, which `?` turns into an `actix_web::Error`. actix-web
/// would send the error's text, and would call a file that is missing on the server a 404.
fn foreign_status(error: &Error) -> Option<StatusCode> {
    fn is<T: ResponseError + 'static>(error: &Error) -> bool {
        error.as_error::<T>().is_some()
    }
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
    is_of_the_client.then_some(StatusCode::BAD_REQUEST)
}

/// Returns whether a `Json` or `Form` that a handler returned could not be written.
fn is_unwritable(error: &Error) -> bool {
    let json = error.as_error::<JsonPayloadError>();
    let form = error.as_error::<UrlencodedError>();
    matches!(json, Some(JsonPayloadError::Serialize(_)))
        || matches!(form, Some(UrlencodedError::Serialize(_)))
}

/// Makes a response that says no more than its status. Only developers see the error in it; the log
/// has the error if it is the server's.
fn without_detail(
    status: StatusCode,
    error: &Error,
    pattern: &str,
    kind: Kind,
    mode: Mode,
) -> HttpResponse {
    let mut problem = Problem::new(status);
    if mode == Mode::Development {
        problem = problem.detail(error.to_string());
    }
    let mut response = response(&problem, kind);
    if status.is_server_error() {
        log(error, pattern, &mut response);
    }
    response
}

/// Logs an error that the client does not see, and marks the response, so that the error is logged
/// only once.
fn log(error: &Error, pattern: &str, response: &mut HttpResponse) {
    tracing::error!(
        target: target::HANDLER,
        { http.route = pattern, http.response.status_code = response.status().as_u16(), error = %error },
        "a handler failed"
    );
    response.extensions_mut().insert(Logged);
}

/// Logs a handler's own error, if it is a fault of the server. The framework's errors are left out:
/// they are logged where they arise, or tell the client everything there is to say.
pub(crate) fn log_own(response: &HttpResponse, route: &RouteDescriptor) {
    let is_logged = response.extensions().contains::<Logged>();
    if response.status().is_server_error()
        && !is_logged
        && let Some(error) = response.error()
        && problem_of(error).is_none()
    {
        tracing::warn!(
            target: target::HANDLER,
            { http.route = route.pattern, http.response.status_code = response.status().as_u16(), error = %error },
            "a handler failed"
        );
    }
}

/// Marks the text that a page returns as HTML. actix-web marks it as plain text by default.
fn as_page(mut answer: HttpResponse) -> HttpResponse {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    if answer.headers().get(header::CONTENT_TYPE) == Some(&plain) {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        answer.headers_mut().insert(header::CONTENT_TYPE, html);
    }
    answer
}

/// Makes the response to an argument that could not be read: status and headers of its error, with
/// our body. Only developers see what actix-web says of the cause. An error that redirects the
/// client is no fault, and is sent as it is.
pub(crate) fn of_argument(error: &Error, route: &RouteDescriptor, mode: Mode) -> HttpResponse {
    if let Some(problem) = problem_of(error) {
        return response(&problem, route.kind);
    }
    let foreign = foreign_status(error);
    if let Some(status) = foreign {
        return without_detail(status, error, route.pattern, route.kind, mode);
    }
    let theirs = error.error_response();
    if theirs.status().is_redirection() || has_custom_response(error) {
        return theirs;
    }
    let mut ours = without_detail(theirs.status(), error, route.pattern, route.kind, mode);
    for (name, value) in theirs.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            ours.headers_mut().append(name.clone(), value.clone());
        }
    }
    ours
}

/// Makes the response to an error that a middleware returned instead of a response.
pub(crate) fn of_middleware(error: &Error, pattern: &str, kind: Kind, mode: Mode) -> HttpResponse {
    match (foreign_status(error), problem_of(error)) {
        (Some(status), _) => without_detail(status, error, pattern, kind, mode),
        (None, Some(problem)) => response(&problem, kind),
        (None, None) => error.error_response(),
    }
}

/// Makes the response of a render that failed, whether its handler ran or not.
pub(crate) fn unrenderable(kind: Kind, why: Option<&str>) -> HttpResponse {
    let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR);
    let problem = match why {
        Some(why) => problem.detail(why),
        None => problem,
    };
    response(&problem, kind)
}

/// Returns whether the user chose the response to this error, in the error handler of an actix-web
/// extractor.
fn has_custom_response(error: &Error) -> bool {
    fn is<T: std::fmt::Debug + std::fmt::Display + 'static>(error: &Error) -> bool {
        error.as_error::<InternalError<T>>().is_some()
    }
    is::<JsonPayloadError>(error)
        || is::<UrlencodedError>(error)
        || is::<QueryPayloadError>(error)
        || is::<PathError>(error)
        || is::<PayloadError>(error)
}

/// The mark in a response's extensions that its cause has been logged.
pub(crate) struct Logged;

/// Makes the response to a panic anywhere between the first middleware and the response. `whose`
/// tells developers what panicked.
pub(crate) fn of_panic(whose: &str, message: &str, kind: Kind, mode: Mode) -> HttpResponse {
    let mut problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR);
    if mode == Mode::Development {
        problem = problem.detail(format!("{whose} panicked: {message}"));
    }
    let mut response = response(&problem, kind);
    response.extensions_mut().insert(Logged);
    response
}
