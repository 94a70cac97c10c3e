//! The responses the framework makes itself, when something went wrong.

use actix_web::error::{
    InternalError, JsonPayloadError, PathError, PayloadError, QueryPayloadError, UrlencodedError,
};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{Error, HttpResponse, ResponseError as _};

use crate::descriptor::Kind;
use crate::mode::Mode;
use crate::respond::{Problem, problem_of};

/// A problem as its route shows it: JSON, or HTML where a page would have been.
pub(super) fn response(problem: &Problem, kind: Kind) -> HttpResponse {
    match kind {
        Kind::Route => problem.error_response(),
        Kind::Page => problem.html_response(),
    }
}

/// What a handler answered, where the text of a page and a `Problem` become HTML. Errors of the
/// user's own stay as they are: their messages were never meant to be HTML, and repeat what a client
/// has sent.
pub(super) fn as_answered(answer: HttpResponse, kind: Kind) -> HttpResponse {
    if kind == Kind::Route {
        return answer;
    }
    match answer.error().map(problem_of) {
        Some(Some(problem)) => problem.in_html(answer),
        Some(None) => answer,
        None => as_page(answer),
    }
}

/// The text that a page returns is HTML: what actix-web calls plain text by default is not.
fn as_page(mut answer: HttpResponse) -> HttpResponse {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    if answer.headers().get(header::CONTENT_TYPE) == Some(&plain) {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        answer.headers_mut().insert(header::CONTENT_TYPE, html);
    }
    answer
}

/// An argument that could not be read: its status and headers, our body. What actix-web says of
/// the cause is for developers. One that sends the client elsewhere is no fault.
pub(super) fn of_argument(error: &Error, kind: Kind, mode: Mode) -> HttpResponse {
    if let Some(problem) = problem_of(error) {
        return response(&problem, kind);
    }
    let theirs = error.error_response();
    if theirs.status().is_redirection() || is_answered(error) {
        return theirs;
    }
    let mut problem = Problem::new(theirs.status());
    if mode == Mode::Development {
        problem = problem.detail(error.to_string());
    }
    let mut ours = response(&problem, kind);
    for (name, value) in theirs.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            ours.headers_mut().append(name.clone(), value.clone());
        }
    }
    ours
}

/// A render that came to nothing, after its handler or without it.
pub(crate) fn unrenderable(kind: Kind, why: Option<&str>) -> HttpResponse {
    let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR);
    let problem = match why {
        Some(why) => problem.detail(why),
        None => problem,
    };
    response(&problem, kind)
}

/// The user says, by the error handler of an actix-web extractor, what its error is answered with.
fn is_answered(error: &Error) -> bool {
    fn is<T: std::fmt::Debug + std::fmt::Display + 'static>(error: &Error) -> bool {
        error.as_error::<InternalError<T>>().is_some()
    }
    is::<JsonPayloadError>(error)
        || is::<UrlencodedError>(error)
        || is::<QueryPayloadError>(error)
        || is::<PathError>(error)
        || is::<PayloadError>(error)
}

/// In a response's extensions: the log says what its cause was.
pub(crate) struct Logged;

/// A panic, anywhere between the first middleware and the response. `whose` is for developers.
pub(super) fn of_panic(whose: &str, message: &str, kind: Kind, mode: Mode) -> HttpResponse {
    let mut problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR);
    if mode == Mode::Development {
        problem = problem.detail(format!("{whose} panicked: {message}"));
    }
    let mut response = response(&problem, kind);
    response.extensions_mut().insert(Logged);
    response
}
