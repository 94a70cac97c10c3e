//! Printing the results of commands.

use std::io::{self, Write as _};

use crate::server::ServeError;

/// The text about a route that answers no path, because of its `static_params`.
pub(super) const NO_PATHS: &str = "every path is 404, because `static_params` gives none";

/// Prints a text on stdout. A reader that closes the pipe early, as `head` does, is no error.
pub(super) fn print(text: &str) -> Result<(), ServeError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(ServeError::Io(error)),
        _ => Ok(()),
    }
}

/// Returns a number with its noun: `1 route`, `2 routes`.
pub(super) fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}
