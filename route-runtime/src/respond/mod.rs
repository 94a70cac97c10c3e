//! Responses for handlers, in addition to actix-web's own responders.

mod problem;
mod redirect;

pub use self::problem::{Problem, forbidden, not_found, unauthorized};
pub use self::redirect::{Redirect, permanent_redirect, redirect};
