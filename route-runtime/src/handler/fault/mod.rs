//! Responses that the framework makes itself, when something went wrong.

mod foreign;
mod message;
mod mistake;
#[cfg(feature = "multipart")]
mod multipart;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{Error, HttpResponse, ResponseError};

use self::foreign::foreign_status;
pub(super) use self::mistake::size_limit;
use self::mistake::{Mistake, has_custom_response};
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
/// A [foreign] error says nothing to clients. An error of an extractor that the handler called
/// itself says the same as that of an [argument].
///
/// [foreign]: foreign_status
/// [argument]: of_argument
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
        Some(_) => answer,
        None => match Mistake::of(error) {
            Some(mistake) => with_headers_of(&answer, response(&mistake.problem(mode), route.kind)),
            None => answer,
        },
    }
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

/// Makes the response to an argument that could not be read: the status and the headers of its
/// error, with our body. Clients are told their own [mistake](Mistake); only developers see the text
/// of any other error. An error that redirects the client is no fault, and is sent as it is.
pub(crate) fn of_argument(error: &Error, route: &RouteDescriptor, mode: Mode) -> HttpResponse {
    if let Some(problem) = problem_of(error) {
        return response(&problem, route.kind);
    }
    if let Some(mistake) = Mistake::of(error) {
        return response(&mistake.problem(mode), route.kind);
    }
    if let Some(status) = foreign_status(error) {
        return without_detail(status, error, route.pattern, route.kind, mode);
    }
    let theirs = error.error_response();
    if theirs.status().is_redirection() || has_custom_response(error) {
        return theirs;
    }
    with_headers_of(
        &theirs,
        without_detail(theirs.status(), error, route.pattern, route.kind, mode),
    )
}

/// Adds the headers of a response to ours, except those that describe its body.
fn with_headers_of(theirs: &HttpResponse, mut ours: HttpResponse) -> HttpResponse {
    for (name, value) in theirs.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            ours.headers_mut().append(name.clone(), value.clone());
        }
    }
    ours
}

/// Makes the response to an error that a middleware returned instead of a response.
pub(crate) fn of_middleware(error: &Error, pattern: &str, kind: Kind, mode: Mode) -> HttpResponse {
    if let Some(status) = foreign_status(error) {
        return without_detail(status, error, pattern, kind, mode);
    }
    let mistake = || Some(Mistake::of(error)?.problem(mode));
    match problem_of(error).or_else(mistake) {
        Some(problem) => response(&problem, kind),
        None => error.error_response(),
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
