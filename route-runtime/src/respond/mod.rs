//! What a handler can answer beside actix-web's own responders.

use actix_web::{Error, ResponseError};

use crate::context::Context;
#[cfg(feature = "fetch")]
use crate::fetch::FetchError;
use crate::mode::Mode;
use crate::revalidate::RevalidateError;

mod after;
mod problem;
mod redirect;
mod streamed;

pub use after::after;
pub(crate) use after::{settled, when_sent};
pub use problem::{Problem, forbidden, not_found, unauthorized};
pub use redirect::{Redirect, permanent_redirect, redirect};
pub(crate) use streamed::in_context;

/// The problem that an error is, or that a redirect to nowhere became.
pub(crate) fn problem_of(error: &Error) -> Option<Problem> {
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

/// What a client is told of an error of ours: in production no more than its status.
pub(crate) fn in_mode(error: &impl ResponseError) -> Problem {
    let problem = Problem::new(error.status_code());
    match Context::mode() {
        Some(Mode::Development) => problem.detail(error.to_string()),
        _ => problem,
    }
}
