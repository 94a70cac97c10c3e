//! Parts of a body: `Range` and `If-Range`, RFC 9110, section 14.

use std::ops::Range;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{
    self, ContentEncoding, Header as _, HeaderMap, HeaderValue, HttpDate,
};
use actix_web::http::{Method, StatusCode};

use super::value::text;
use crate::stored::{Encoded, StoredResponse};

/// The length in bytes up to which a body does not say that parts of it can be had. A smaller one
/// comes in one packet, and another header would make every hit slower.
const SMALLEST: usize = 1024;

/// The value of `Accept-Ranges`.
pub(super) const BYTES: HeaderValue = HeaderValue::from_static("bytes");

/// The part of a body that a request asks for.
#[derive(Debug)]
pub(super) enum RequestedPart {
    /// The whole body: the request asks for no part, or for one in a way that is not understood.
    Whole,
    /// The bytes with these positions: 206.
    Part(Range<usize>),
    /// Bytes that the body does not have: 416.
    Beyond,
}

/// Returns whether a response says that parts of its body can be had.
pub(super) fn is_offered(stored: &StoredResponse, encoded: &Encoded<'_>) -> bool {
    encoded.body().len() > SMALLEST
        && has_parts(stored, encoded)
        && stored.header(header::ACCEPT_RANGES).is_none()
}

/// Returns the part of a body that a request asks for. Of several, that is the first that the body
/// has, as in actix-files.
pub(super) fn requested(
    stored: &StoredResponse,
    encoded: &Encoded<'_>,
    request: &ServiceRequest,
) -> RequestedPart {
    let is_asked = request.headers().contains_key(header::RANGE);
    if !is_asked || *request.method() != Method::GET || !has_parts(stored, encoded) {
        return RequestedPart::Whole;
    }
    let Ok(header::Range::Bytes(ranges)) = header::Range::parse(request) else {
        return RequestedPart::Whole;
    };
    if refuses_parts(stored) || !is_same_version(stored, request) {
        return RequestedPart::Whole;
    }
    let length = encoded.body().len() as u64;
    let mut ranges = ranges.iter();
    match ranges.find_map(|range| range.to_satisfiable_range(length)) {
        // Both are positions in a body that is in memory.
        Some((first, last)) => RequestedPart::Part(first as usize..last as usize + 1),
        None => RequestedPart::Beyond,
    }
}

/// Adds the headers of a part to those of the whole response.
pub(super) fn describe(
    part: &Range<usize>,
    stored: &StoredResponse,
    request: &ServiceRequest,
    headers: &mut HeaderMap,
) {
    let range = content_range(Some(part), stored.body.len());
    headers.insert(header::CONTENT_RANGE, range);
    headers.insert(header::ACCEPT_RANGES, BYTES);
    let is_encoded_later = request.headers().contains_key(header::ACCEPT_ENCODING);
    if is_encoded_later && !headers.contains_key(header::CONTENT_ENCODING) {
        // It keeps middleware from encoding the part, as in actix-files.
        let identity = HeaderValue::from_static("identity");
        headers.insert(header::CONTENT_ENCODING, identity);
    }
    // Nothing encodes it any more, so the tag is the strong one.
    if let Some(etag) = stored.etag() {
        headers.insert(header::ETAG, etag.clone());
    }
}

/// Makes the `Content-Range` of a part of a body of this length, or of a 416 for `None`.
pub(super) fn content_range(part: Option<&Range<usize>>, length: usize) -> HeaderValue {
    text(match part {
        Some(part) => format!("bytes {}-{}/{length}", part.start, part.end - 1),
        None => format!("bytes */{length}"),
    })
}

/// Returns whether there are parts of a body. A part of an encoded body would be of no use to a
/// client that gets the rest in another encoding.
fn has_parts(stored: &StoredResponse, encoded: &Encoded<'_>) -> bool {
    stored.status == StatusCode::OK && encoded.encoding() == ContentEncoding::Identity
}

/// Returns whether the handler says that its body has no parts, with `Accept-Ranges: none`.
fn refuses_parts(stored: &StoredResponse) -> bool {
    stored
        .header(header::ACCEPT_RANGES)
        .is_some_and(|value| value != "bytes")
}

/// Returns whether `If-Range` names the version of the response, or is absent. Only a strong tag
/// tells two versions apart byte by byte.
fn is_same_version(stored: &StoredResponse, request: &ServiceRequest) -> bool {
    let Some(wanted) = request.headers().get(header::IF_RANGE) else {
        return true;
    };
    let etag = stored
        .etag()
        .filter(|etag| !etag.as_bytes().starts_with(b"W/"));
    if etag == Some(wanted) {
        return true;
    }
    let date = wanted
        .to_str()
        .ok()
        .and_then(|date| date.parse::<HttpDate>().ok());
    date.is_some() && date == stored.last_modified()
}
