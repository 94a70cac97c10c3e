//! What a handler can answer beside actix-web's own responders.

mod problem;

pub use problem::{Problem, not_found};
