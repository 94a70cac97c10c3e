//! The messages of caught panics.

use std::any::Any;

/// Returns the message of a caught panic. Only a panic with a text, as of `panic!`, has one.
pub(crate) fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
