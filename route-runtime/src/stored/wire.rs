//! A stored response as bytes, for a store behind memory.
//!
//! ```text
//! version          1 byte
//! check            16 bytes: the hash of everything after it
//! status           2 bytes, little-endian
//! ETag             the handler's own: its length, its bytes; length 0 if there is none
//! headers          how many; for each the length and bytes of its name, then of its value
//! body             the rest
//! ```
//!
//! Lengths are 4 bytes, little-endian. Everything else of a response is computed from these parts.
//! Bytes of another version, or damaged in any place, are no response.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;

/// The version, which changes with the layout and with what is computed from it.
const VERSION: u8 = 2;
const CHECK: usize = 16;

type Headers = Vec<(HeaderName, HeaderValue)>;

/// The parts of a response that are written.
pub(crate) struct Parts<'a> {
    pub(crate) status: StatusCode,
    pub(crate) etag: Option<&'a HeaderValue>,
    pub(crate) headers: &'a [(HeaderName, HeaderValue)],
    pub(crate) body: &'a [u8],
}

/// Appends the parts. Returns `None` if a length does not fit, which no response within the cache's
/// bounds has.
pub(crate) fn encode(parts: &Parts<'_>, bytes: &mut Vec<u8>) -> Option<()> {
    let headers: usize = parts
        .headers
        .iter()
        .map(|(name, value)| 8 + name.as_str().len() + value.len())
        .sum();
    let etag = parts.etag.map_or(&[][..], HeaderValue::as_bytes);
    let length = 1 + CHECK + 2 + 4 + etag.len() + 4 + headers + parts.body.len();
    bytes.reserve(length);
    bytes.push(VERSION);
    let begin = bytes.len();
    bytes.extend_from_slice(&[0; CHECK]);
    bytes.extend_from_slice(&parts.status.as_u16().to_le_bytes());
    put(bytes, etag)?;
    bytes.extend_from_slice(&u32::try_from(parts.headers.len()).ok()?.to_le_bytes());
    for (name, value) in parts.headers {
        put(bytes, name.as_str().as_bytes())?;
        put(bytes, value.as_bytes())?;
    }
    bytes.extend_from_slice(parts.body);
    let check = check(&bytes[begin + CHECK..]);
    bytes[begin..begin + CHECK].copy_from_slice(&check);
    Some(())
}

pub(crate) fn decode(bytes: &[u8]) -> Option<(StatusCode, Option<HeaderValue>, Headers, Bytes)> {
    let (&[VERSION], rest) = bytes.split_first_chunk()? else {
        return None;
    };
    let (expected, mut rest) = rest.split_first_chunk::<CHECK>()?;
    if *expected != check(rest) {
        return None;
    }
    let (status, after) = rest.split_first_chunk()?;
    let status = StatusCode::from_u16(u16::from_le_bytes(*status)).ok()?;
    rest = after;
    let etag = match take(&mut rest)? {
        [] => None,
        etag => Some(HeaderValue::from_bytes(etag).ok()?),
    };
    let count = number(&mut rest)?;
    // No memory is reserved for the headers, because a false count must not cost memory.
    let mut headers = Vec::new();
    for _ in 0..count {
        let name = HeaderName::from_bytes(take(&mut rest)?).ok()?;
        let value = HeaderValue::from_bytes(take(&mut rest)?).ok()?;
        headers.push((name, value));
    }
    Some((status, etag, headers, Bytes::copy_from_slice(rest)))
}

fn check(bytes: &[u8]) -> [u8; CHECK] {
    let mut check = [0; CHECK];
    blake3::Hasher::new()
        .update(bytes)
        .finalize_xof()
        .fill(&mut check);
    check
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) -> Option<()> {
    bytes.extend_from_slice(&u32::try_from(part.len()).ok()?.to_le_bytes());
    bytes.extend_from_slice(part);
    Some(())
}

fn number(rest: &mut &[u8]) -> Option<usize> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    usize::try_from(u32::from_le_bytes(*number)).ok()
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number(rest)?;
    let (part, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(part)
}

#[cfg(test)]
mod fuzzing;
#[cfg(test)]
mod tests {
    use actix_web::http::header::{ContentEncoding, HeaderMap};
    use proptest::prelude::*;

    use super::super::StoredResponse;
    use super::*;

    fn encoded(response: &StoredResponse) -> Vec<u8> {
        let mut bytes = Vec::new();
        response.write(&mut bytes).unwrap();
        bytes
    }

    /// Returns everything that can be observed of a response.
    fn observed(response: &StoredResponse) -> String {
        let etags = [true, false].map(|is_final| {
            let encoded = response.encoded(ContentEncoding::Identity, is_final);
            encoded.and_then(|encoded| encoded.etag().cloned())
        });
        format!(
            "{:?}",
            (
                response.status,
                &response.headers,
                &response.body,
                response.own_caching,
                response.is_compressible,
                response.weight(),
                etags,
            )
        )
    }

    fn response(status: u16, headers: &[(&str, &[u8])], body: Vec<u8>) -> StoredResponse {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_bytes(value).unwrap(),
            );
        }
        StoredResponse::new(StatusCode::from_u16(status).unwrap(), &map, body.into())
    }

    fn check_round(response: &StoredResponse) {
        let bytes = encoded(response);
        let decoded = StoredResponse::read(&bytes).unwrap();
        assert_eq!(observed(&decoded), observed(response));
        assert_eq!(encoded(&decoded), bytes);
    }

    fn header() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
        let name = prop::sample::select(vec![
            "etag",
            "cache-control",
            "content-type",
            "content-encoding",
            "vary",
            "x-a",
        ]);
        let value = prop_oneof![
            prop::collection::vec(prop_oneof![32_u8..127, 128_u8..=255], 0..20),
            Just(b"\"abc\"".to_vec()),
            Just(b"W/\"abc\"".to_vec()),
            Just(b"text/plain".to_vec()),
            Just(b"no-transform".to_vec()),
        ];
        (name, value)
    }

    proptest! {
        #[test]
        fn an_encoded_response_is_decoded_unchanged(
            status in 100_u16..1000,
            headers in prop::collection::vec(header(), 0..8),
            body in prop::collection::vec(any::<u8>(), 0..2000),
        ) {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
            check_round(&response(status, &headers, body));
        }

        #[test]
        fn arbitrary_bytes_are_not_read_as_a_response(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(StoredResponse::read(&bytes).is_none());
        }

        /// Reads arbitrary bytes behind a valid check, which no damage but only a fault of ours
        /// leaves.
        #[test]
        fn arbitrary_bytes_behind_a_valid_check_do_not_panic(rest in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut bytes = vec![VERSION];
            bytes.extend(check(&rest));
            bytes.extend(rest);
            drop(StoredResponse::read(&bytes));
        }
    }

    #[test]
    fn several_values_of_one_header_keep_their_order() {
        let response = response(
            200,
            &[
                ("vary", b"b"),
                ("x-a", b"\xff 1"),
                ("vary", b"a"),
                ("vary", b""),
            ],
            vec![0; 5000],
        );
        check_round(&response);
        let vary = response.headers.iter().filter(|(name, _)| name == "vary");
        assert_eq!(
            vary.map(|(_, value)| value.as_bytes()).collect::<Vec<_>>(),
            [&b"b"[..], b"a", b""]
        );
    }

    #[test]
    fn a_response_that_is_cut_lengthened_or_changed_by_a_bit_is_not_read() {
        let response = response(404, &[("etag", b"\"7\""), ("x-a", b"b")], b"body".to_vec());
        let bytes = encoded(&response);
        for place in 0..bytes.len() {
            assert!(
                StoredResponse::read(&bytes[..place]).is_none(),
                "cut at {place}"
            );
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[place] ^= 1 << bit;
                assert!(
                    StoredResponse::read(&damaged).is_none(),
                    "bit {bit} of {place}"
                );
            }
        }
        let longer = [&*bytes, &[0]].concat();
        assert!(StoredResponse::read(&longer).is_none());
    }
}
