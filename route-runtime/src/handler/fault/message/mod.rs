//! Messages of serde about data that does not fit a type, without that data.
//!
//! serde makes a text of every error, and the text quotes what the client has sent. So a message is
//! made anew from the forms that serde and its derive macros write. What a type says in words of
//! its own, such as in `Error::custom`, may quote anything, and is left out.
//!
//! Where a message quotes the client and then says what was expected, the last `, expected ` is
//! serde's, whatever the client has sent: what follows is text of the program.

mod words;

use std::fmt::Display;

use self::words::{DECLARED, EXPECTED, FIXED, KINDS};

/// Says what is wrong with JSON, and where.
pub(super) fn of_json(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let (text, place) = match text.strip_suffix(&place) {
        Some(text) => (text, &*place),
        None => (&*text, ""),
    };
    if error.is_syntax() || error.is_eof() {
        return format!("{text}{place}");
    }
    let text = without_values(text);
    format!("{}{place}", text.as_deref().unwrap_or(WRONG))
}

/// Says what is wrong with a query, a form or the like.
pub(super) fn of_text(error: &impl Display) -> String {
    without_values(&error.to_string()).unwrap_or_else(|| WRONG.into())
}

/// The message of an error that says nothing else which a client may be told.
pub(super) const WRONG: &str = "a value is not accepted";

/// Returns the message without the values in it and without names of types. `None` if it is not in
/// a form of serde's.
fn without_values(message: &str) -> Option<String> {
    if FIXED.contains(&message) {
        return Some(message.into());
    }
    let (what, rest) = FORMS.iter().find_map(|&(prefix, what)| {
        let rest = message.strip_prefix(prefix)?;
        Some((what, rest))
    })?;
    match what {
        Form::Found(what) => {
            let (found, expected) = rest.rsplit_once(", expected ").unwrap_or((rest, ""));
            let found = kind(found).map_or(String::new(), |kind| format!(": {kind}"));
            Some(format!("{what}{found}{}", expecting(expected)))
        }
        Form::Length => {
            let (length, expected) = rest.split_once(", expected ")?;
            let length: usize = length.parse().ok()?;
            Some(format!("invalid length {length}{}", expecting(expected)))
        }
        // With `flatten`, serde writes no list, and a client can write one into the name that it
        // sends. So a list has words only, or a link could put a sentence on a page of errors.
        Form::Unknown(what) => {
            let expected = rest
                .rsplit_once("`, expected ")
                .map_or("", |(_, list)| list);
            let expected = Some(expected).filter(|list| is_list_of_names(list));
            Some(format!("{what}{}", expecting(expected.unwrap_or_default())))
        }
        Form::Named => is_list_of_names(rest).then(|| message.into()),
        Form::Unmatched(what) => Some(what.into()),
        Form::Unparsed => {
            let (_, ty) = rest.rsplit_once(" to a ")?;
            Some(format!("invalid value, expected {}", expectation(ty)?))
        }
        Form::Parsed => {
            let (_, why) = rest.split_once(": ")?;
            FIXED.contains(&why).then(|| why.into())
        }
    }
}

/// A form of message, by what follows its prefix.
#[derive(Clone, Copy)]
enum Form {
    /// The value that was found, and what was expected.
    Found(&'static str),
    /// The number of elements that were found, and what was expected.
    Length,
    /// The name that was found, and the names that were expected.
    Unknown(&'static str),
    /// The name that the program has.
    Named,
    /// The name of a type.
    Unmatched(&'static str),
    /// The value that was found, and the type that it does not parse to; from actix-web.
    Unparsed,
    /// A type, and why a value does not parse to it; from serde_plain.
    Parsed,
}

const FORMS: [(&str, Form); 11] = [
    ("invalid type: ", Form::Found("invalid type")),
    ("invalid value: ", Form::Found("invalid value")),
    ("invalid length ", Form::Length),
    ("unknown variant `", Form::Unknown("unknown variant")),
    ("unknown field `", Form::Unknown("unknown field")),
    ("missing field ", Form::Named),
    ("duplicate field ", Form::Named),
    (
        "data did not match any variant of untagged enum ",
        Form::Unmatched("data did not match any variant"),
    ),
    (
        "no variant of enum ",
        Form::Unmatched("no variant found in flattened data"),
    ),
    ("can not parse ", Form::Unparsed),
    ("cannot parse ", Form::Parsed),
];

/// Returns the kind of a value that serde describes. The value itself may follow in quotes.
fn kind(found: &str) -> Option<&'static str> {
    let is_kind = |kind: &&&str| {
        let value = found.strip_prefix(**kind);
        value.is_some_and(|it| it.is_empty() || it.starts_with(" `") || it.starts_with(" \""))
    };
    KINDS.iter().find(is_kind).copied()
}

fn expecting(expected: &str) -> String {
    expectation(expected).map_or(String::new(), |it| format!(", expected {it}"))
}

/// Returns what serde expected, without the name of a type. `None` if a type says it in words of its
/// own.
fn expectation(expected: &str) -> Option<String> {
    let known = expected.strip_prefix("a nonzero ").unwrap_or(expected);
    if EXPECTED.contains(&known) || is_count(expected) || is_list_of_names(expected) {
        return Some(expected.into());
    }
    let is_declared = |(prefix, _): &&(&str, &str)| expected.starts_with(prefix);
    let (_, shape) = DECLARED.iter().find(is_declared)?;
    let count = expected.rsplit_once(" with ").map(|(_, count)| count);
    Some(match count.filter(|count| is_elements(count)) {
        Some(count) => format!("{shape} with {count}"),
        None => (*shape).into(),
    })
}

/// Returns whether something is expected in a number.
fn is_count(expected: &str) -> bool {
    let number = expected
        .strip_prefix("a tuple of size ")
        .or_else(|| expected.strip_prefix("an array of length "));
    let elements = expected
        .strip_suffix(" in sequence")
        .or_else(|| expected.strip_suffix(" in map"));
    number.is_some_and(is_number) || elements.is_some_and(is_elements)
}

fn is_elements(text: &str) -> bool {
    let (count, noun) = text.split_once(' ').unwrap_or_default();
    is_number(count) && matches!(noun, "element" | "elements")
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether a name is a single word, as names of members and variants are.
fn is_word(name: &str) -> bool {
    let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    name.len() <= 64 && name.bytes().all(is_of_word)
}

/// Returns whether the text is a name in backticks, or several.
fn is_list_of_names(text: &str) -> bool {
    let list = text.strip_prefix("one of ").unwrap_or(text);
    let mut names = list.split(", ").flat_map(|part| part.split(" or "));
    names.all(|name| {
        let name = name.strip_prefix('`').and_then(|it| it.strip_suffix('`'));
        name.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests;
