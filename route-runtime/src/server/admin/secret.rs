//! The secret that authorises operators.

use std::ffi::OsStr;
use std::fmt;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};

use crate::server::ServeError;
use crate::server::setting::from_env;

/// The environment variable of the secret.
pub(super) const NAME: &str = "ROUTE_ADMIN_SECRET";

/// The fewest bytes of a secret that nobody guesses.
const SHORTEST: usize = 16;

/// A secret. Only its hash is kept, so that nothing can print the secret itself.
pub(super) struct Secret(blake3::Hash);

impl Secret {
    /// Reads the secret. Returns `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the secret is too short, or no client could send it.
    pub(super) fn from_env() -> Result<Option<Self>, ServeError> {
        let value = from_env(NAME, "", |value| Ok(value.to_owned()))?;
        let Some(value) = value else {
            return Ok(None);
        };
        Self::read(&value).map_err(|why| ServeError::AdminSecret { why })
    }

    fn read(value: &OsStr) -> Result<Option<Self>, &'static str> {
        // A file that holds a secret often ends with a line break.
        let secret = value.as_encoded_bytes().trim_ascii();
        if secret.is_empty() {
            return Ok(None);
        }
        if !secret.iter().all(u8::is_ascii_graphic) {
            return Err("has a character that is not visible ASCII, and no client could send it");
        }
        if secret.len() < SHORTEST {
            return Err("has fewer than 16 bytes, and could be guessed");
        }
        Ok(Some(Self(blake3::hash(secret))))
    }

    /// Returns whether the headers of a request hold the secret, as in `Authorization: Bearer …`.
    ///
    /// How long this takes does not depend on the secret: hashes are compared, in constant time.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(AUTHORIZATION);
        let (Some(value), None) = (values.next(), values.next()) else {
            return false;
        };
        let Some((scheme, token)) = value.as_bytes().split_at_checked("Bearer ".len()) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(b"Bearer ") && blake3::hash(token.trim_ascii()) == self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    const SECRET: &str = "0123456789abcdef";

    #[test]
    fn a_secret_has_16_bytes_or_more_that_a_header_can_carry() {
        let check = |value: &str, expected: Result<bool, &str>| {
            let read = Secret::read(value.as_ref()).map(|secret| secret.is_some());
            match expected {
                Ok(expected) => assert_eq!(read, Ok(expected), "{value:?}"),
                Err(part) => assert!(read.unwrap_err().contains(part), "{value:?}"),
            }
        };
        check("", Ok(false));
        check(" \n", Ok(false));
        check(SECRET, Ok(true));
        check(&format!("\t{SECRET}\r\n"), Ok(true));
        check(&SECRET[1..], Err("fewer than 16 bytes"));
        check(&format!("{}                ", &SECRET[1..]), Err("fewer"));
        check("0123456789 abcdef", Err("visible ASCII"));
        check("0123456789\nabcdef", Err("visible ASCII"));
        check("0123456789abcdeé", Err("visible ASCII"));
    }

    #[test]
    fn only_one_bearer_with_the_whole_secret_is_accepted() {
        let secret = Secret::read(SECRET.as_ref()).unwrap().unwrap();
        let check = |values: &[&str], expected| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(secret.is_in(&headers), expected, "{values:?}");
        };
        let bearer = format!("Bearer {SECRET}");
        check(&[&bearer], true);
        check(&[&format!("bEARER  {SECRET} ")], true);
        check(&[], false);
        check(&[&bearer, &bearer], false);
        for wrong in [
            SECRET,
            "",
            "Bearer",
            "Bearer ",
            &format!("Basic {SECRET}"),
            &format!("Bearer{SECRET}"),
            &format!("Bearer {SECRET}0"),
            &format!("Bearer {SECRET} {SECRET}"),
            &format!("Bearer {}", &SECRET[1..]),
            &format!("Bearer {}", SECRET.to_uppercase()),
            &format!("Bearer {SECRET}, Bearer {SECRET}"),
            &"Bearer ".repeat(1000),
        ] {
            check(&[wrong], false);
        }
    }

    #[test]
    fn nothing_of_a_secret_is_in_its_debug_text() {
        let secret = Secret::read(SECRET.as_ref()).unwrap().unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
