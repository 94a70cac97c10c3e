use super::*;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};

#[track_caller]
fn check(message: &str, expected: Option<&str>) {
    assert_eq!(without_values(message).as_deref(), expected, "{message}");
}

#[test]
fn a_value_is_left_out_and_what_was_expected_stays() {
    for value in [
        "boolean `true`",
        "integer `-5`",
        "floating point `1.5`",
        "character `x`",
        "string \"a, expected `b`\"",
        "string \"\\\", expected u8\"",
    ] {
        let kind = &value[..value.find([' ']).unwrap()];
        let kind = if kind == "floating" {
            "floating point"
        } else {
            kind
        };
        check(
            &format!("invalid type: {value}, expected u32"),
            Some(&format!("invalid type: {kind}, expected u32")),
        );
    }
    check(
        "invalid value: null, expected an array of length 3",
        Some("invalid value: null, expected an array of length 3"),
    );
    check(
        "invalid length 7, expected a tuple of size 2",
        Some("invalid length 7, expected a tuple of size 2"),
    );
    check(
        "can not parse \"x to a y\" to a u64",
        Some("invalid value, expected u64"),
    );
    check(
        "cannot parse u32: invalid digit found in string",
        Some("invalid digit found in string"),
    );
}

#[test]
fn a_name_of_a_type_is_left_out() {
    for (declared, shape) in [
        ("struct Post", "an object"),
        ("struct Post with 2 elements", "an object with 2 elements"),
        ("struct variant Shape::Square", "an object"),
        (
            "tuple struct Pair with 2 elements",
            "an array with 2 elements",
        ),
        ("unit struct Nothing", "unit"),
        ("internally tagged enum Shape", "a tagged object"),
        ("enum Shape", "a variant"),
    ] {
        check(
            &format!("invalid type: sequence, expected {declared}"),
            Some(&format!("invalid type: sequence, expected {shape}")),
        );
    }
    check(
        "data did not match any variant of untagged enum Shape",
        Some("data did not match any variant"),
    );
}

#[test]
fn a_name_that_the_program_has_stays_and_one_that_was_sent_is_left_out() {
    check("missing field `title`", Some("missing field `title`"));
    check("duplicate field `title`", Some("duplicate field `title`"));
    check(
        "unknown field `secret`, expected `title` or `body`",
        Some("unknown field, expected `title` or `body`"),
    );
    check(
        "unknown variant `a`, expected `secret`, expected one of `b`, `c`, `d`",
        Some("unknown variant, expected one of `b`, `c`, `d`"),
    );
    check(
        "unknown field `secret`, there are no fields",
        Some("unknown field"),
    );
    // serde writes this for `flatten`.
    check("unknown field `secret`", Some("unknown field"));
}

#[test]
fn words_that_are_not_serdes_are_left_out() {
    for message in [
        "",
        "secret",
        "the date secret is past",
        "invalid length x, expected u8",
    ] {
        check(message, None);
    }
    for (message, expected) in [
        (
            "invalid type: secret, expected u8",
            "invalid type, expected u8",
        ),
        ("invalid type: secret", "invalid type"),
        (
            "invalid value: string \"x\", expected secret",
            "invalid value: string",
        ),
        // Another message was quoted whole.
        (
            "unknown field `x`, expected `a` at line 1 column 4",
            "unknown field",
        ),
    ] {
        check(message, Some(expected));
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read into")]
struct Post {
    title: String,
    likes: u32,
    status: Option<Status>,
}

#[derive(Debug, Deserialize)]
enum Status {
    Draft,
    Published,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Even;

impl TryFrom<String> for Even {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Err(format!("{text} is odd"))
    }
}

/// The text that serde_json really writes is understood, with its place.
#[test]
fn the_place_in_json_is_told() {
    #[track_caller]
    fn check<T: DeserializeOwned + std::fmt::Debug>(json: &str, expected: &str) {
        let error = serde_json::from_str::<T>(json).unwrap_err();
        assert_eq!(of_json(&error), expected, "{json}");
    }
    check::<Post>("{", "EOF while parsing an object at line 1 column 1");
    check::<Post>("x", "expected value at line 1 column 1");
    check::<Post>(
        r#"{"likes":1}"#,
        "missing field `title` at line 1 column 11",
    );
    check::<Post>(
        "{\"title\":\n7}",
        "invalid type: integer, expected a string at line 2 column 1",
    );
    check::<Post>(
        r#"{"likes":"secret"}"#,
        "invalid type: string, expected u32 at line 1 column 17",
    );
    check::<Post>(
        r#"{"likes":-1}"#,
        "invalid value: integer, expected u32 at line 1 column 11",
    );
    check::<Post>(
        r#"{"secret":1}"#,
        "unknown field, expected one of `title`, `likes`, `status` at line 1 column 9",
    );
    check::<Post>(
        r#"{"status":"secret"}"#,
        "unknown variant, expected `Draft` or `Published` at line 1 column 18",
    );
    check::<Post>(
        "7",
        "invalid type: integer, expected an object at line 1 column 1",
    );
    check::<Post>(
        "[]",
        "invalid length 0, expected an object with 3 elements at line 1 column 2",
    );
    check::<Even>("\"secret\"", "a value is not accepted");
    let without_place = serde_json::Error::custom("missing field `a`");
    assert_eq!(of_json(&without_place), "missing field `a`");
}
