//! The identity of values: the one text under which something made from a value is kept.
//!
//! Two rules hold for every text written here:
//!
//! 1. The text is canonical. Equal values have equal texts (except for the sign of a zero): the
//!    entries of a map are sorted, and every number has one spelling.
//! 2. The text is lossless, or there is none. A value that JSON would write like another one (`NaN`
//!    and an infinity like `null`, `Some(None)` like `None`) has no text.
//!
//! Two faults cannot be seen while a value is written: a type may leave out something that it then
//! misses, or write equal values in a random order. [`check`] finds them by reading the text back.

mod canonical;

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The number of times that a short text is read and written again before it counts as stable. A
/// set of two has two orders, so a random order is mistaken for a stable one once in 256 times.
const ROUNDS: usize = 8;

/// The length from which two rounds suffice. A text that long holds many values, and a random order
/// of many hardly ever repeats.
const LONG: usize = 4096;

/// The reason why a value has no identity, in words that complete "it …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoIdentity(String);

impl NoIdentity {
    fn new(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl fmt::Display for NoIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes the canonical text of a value, which is JSON.
///
/// # Errors
///
/// If the value cannot be written as JSON, or would be mistaken for another value.
pub(crate) fn text<T: Serialize + ?Sized>(value: &T) -> Result<String, NoIdentity> {
    let mut bytes = Vec::new();
    value
        .serialize(canonical::Writer::new(&mut bytes))
        .map_err(NoIdentity::new)?;
    String::from_utf8(bytes).map_err(NoIdentity::new)
}

/// Writes a value that is kept to be read again. The value that is read need not have the same
/// text.
///
/// # Errors
///
/// If the value cannot be written, or its type does not read what it writes.
pub(crate) fn readable<T: Serialize + DeserializeOwned>(value: &T) -> Result<String, NoIdentity> {
    let text = self::text(value)?;
    read::<T>(&text).map(|_| text)
}

/// Reads a value back from its text.
///
/// # Errors
///
/// If its type does not read what it writes.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, NoIdentity> {
    serde_json::from_str(text)
        .map_err(|error| NoIdentity::new(format_args!("cannot be read back: {error}")))
}

/// Checks that a value's text stays the same when the value is read back and written again.
///
/// # Errors
///
/// If the text does not stay the same. Then equal values may have different texts, or different
/// values one text.
pub(crate) fn check<T: Serialize + DeserializeOwned>(text: &str) -> Result<(), NoIdentity> {
    let again = || self::text(&read::<T>(text)?);
    let rounds = if text.len() < LONG { ROUNDS } else { 2 };
    let mut texts = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        texts.push(again()?);
    }
    if texts.iter().all(|it| it == text) {
        return Ok(());
    }
    let is_random = texts.iter().any(|it| *it != texts[0]);
    Err(NoIdentity::new(if is_random {
        "is written in another order each time, as a `HashSet` is: use a `BTreeSet`"
    } else {
        "is another value when it is read back: use a type that serde reads as it writes it"
    }))
}

#[cfg(test)]
mod tests;
