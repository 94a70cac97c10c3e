//! What a handler can answer beside actix-web's own responders.

use actix_web::Error;

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
pub(crate) fn problem_of(error: &Error) -> Option<&Problem> {
    error
        .as_error::<Problem>()
        .or_else(|| error.as_error::<Redirect>()?.problem())
}
