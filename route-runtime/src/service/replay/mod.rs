//! Responses from an entry: validators, encodings, and the headers for other caches.

mod cache_status;
mod preconditions;
mod range;
mod shared;
mod tags;
mod value;

use std::ops::Range;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, ContentEncoding, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};

pub(super) use self::cache_status::{CACHE_STATUS, cache_status};
use self::preconditions::Precondition;
use self::range::RequestedPart;
pub(super) use self::shared::Shared;
pub(super) use self::tags::OutsideTags;
use self::value::number;
use super::finish::{self, NO_CACHE};
use super::head::{self, HeadBody};
use crate::declaration::Kind;
use crate::engine::Status;
use crate::handler::fault;
use crate::respond::Problem;
use crate::stored::{Encoded, OwnCaching, StoredResponse, preferred};

/// The circumstances of one response: how it came about, and what other caches may do with it.
pub(super) struct Replay {
    /// The kind of the handler, which decides what a refusal looks like.
    pub(super) kind: Kind,
    pub(super) status: Status,
    /// The time since the entry's render finished.
    pub(super) age: Duration,
    /// The instructions for shared caches; `None` if they may not keep the response.
    pub(super) cdn: Option<Shared>,
}

/// Returns the encoding for the response to a request, and whether that is final: whether nothing
/// will encode the body again on its way out.
pub(super) fn encoding_for(
    stored: &StoredResponse,
    request: &ServiceRequest,
) -> (ContentEncoding, bool) {
    match request.headers().contains_key(header::ACCEPT_ENCODING) {
        true if stored.is_compressible => (preferred(request), false),
        accepts => (ContentEncoding::Identity, !accepts),
    }
}

/// Makes the response to one request from a stored response.
pub(super) fn replay(
    stored: &StoredResponse,
    encoded: &Encoded<'_>,
    replay: &Replay,
    request: &ServiceRequest,
) -> HttpResponse {
    let sent = match sent(stored, encoded, request) {
        Ok(sent) => sent,
        Err(refusal) => return refuse(refusal, replay, request),
    };
    let is_unchanged = matches!(sent, SentContent::Nothing);
    let mut response = with_body(stored, encoded, &sent, request);
    let headers = response.headers_mut();
    for (name, value) in &stored.headers {
        let is_wanted = !(is_unchanged && describes_content(name));
        if is_wanted {
            headers.append(name.clone(), value.clone());
        }
    }
    if encoded.encoding() != ContentEncoding::Identity && !is_unchanged {
        let value = HeaderValue::from_static(encoded.encoding().as_str());
        headers.insert(header::CONTENT_ENCODING, value);
    }
    if stored.is_compressible || is_unchanged && may_be_encoded_later(stored, request) {
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Some(etag) = encoded.etag() {
        headers.insert(header::ETAG, etag.clone());
    }
    if let SentContent::Part(part) = &sent {
        range::describe(part, stored, request, headers);
    } else if !is_unchanged && range::is_offered(stored, encoded) {
        headers.insert(header::ACCEPT_RANGES, range::BYTES);
    }
    add_instructions_for_caches(stored, replay, headers);
    headers.append(CACHE_STATUS, cache_status(replay.status));
    response
}

/// Adds the headers that tell other caches how long they may keep a response, unless the handler
/// says so itself, and how they find it again.
fn add_instructions_for_caches(stored: &StoredResponse, replay: &Replay, headers: &mut HeaderMap) {
    match (stored.own_caching, &replay.cdn) {
        (OwnCaching::Nothing, Some(shared)) => shared.add_lifetime(headers, replay.age),
        (OwnCaching::Nothing | OwnCaching::Targeted, _) => {
            headers.insert(header::AGE, number(replay.age.as_secs()));
            headers.insert(header::CACHE_CONTROL, NO_CACHE);
        }
        // Neither word overrides `Expires`, which names the same time at any age.
        (OwnCaching::Expires, cdn) => {
            let readers = if cdn.is_some() { "public" } else { "private" };
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(readers));
        }
        (OwnCaching::CacheControl, _) => {
            headers.insert(header::AGE, number(replay.age.as_secs()));
        }
    }
    if let Some(shared) = &replay.cdn {
        shared.add_tags(headers);
    }
}

/// The content that a response carries.
enum SentContent {
    Whole,
    /// The bytes with these positions: 206.
    Part(Range<usize>),
    /// Nothing, because the client has the content: 304.
    Nothing,
}

/// The reason why a request does not get the content.
enum NotSent {
    /// A precondition fails: 412.
    Precondition,
    /// The content, which has this length, lacks the bytes that the request asks for: 416.
    Range(usize),
}

/// Decides which content a request gets, by its preconditions and its range.
fn sent(
    stored: &StoredResponse,
    encoded: &Encoded<'_>,
    request: &ServiceRequest,
) -> Result<SentContent, NotSent> {
    // Nearly all requests want the whole, and this runs on every hit.
    let mut names = request.headers().keys().map(HeaderName::as_str);
    if !names.any(|name| name.starts_with("if-") || name == "range") {
        return Ok(SentContent::Whole);
    }
    match preconditions::evaluate(stored, encoded, request) {
        Precondition::Fails => return Err(NotSent::Precondition),
        Precondition::IsUnchanged => return Ok(SentContent::Nothing),
        Precondition::Holds => {}
    }
    match range::requested(stored, encoded, request) {
        RequestedPart::Whole => Ok(SentContent::Whole),
        RequestedPart::Part(part) => Ok(SentContent::Part(part)),
        RequestedPart::Beyond => Err(NotSent::Range(encoded.body().len())),
    }
}

/// Makes a response with its status and its body.
fn with_body(
    stored: &StoredResponse,
    encoded: &Encoded<'_>,
    sent: &SentContent,
    request: &ServiceRequest,
) -> HttpResponse {
    let body = encoded.body();
    let (status, body) = match sent {
        SentContent::Nothing => (StatusCode::NOT_MODIFIED, BoxBody::new(())),
        SentContent::Part(part) => {
            let part = body.slice(part.clone());
            (StatusCode::PARTIAL_CONTENT, BoxBody::new(part))
        }
        SentContent::Whole if *request.method() == Method::HEAD => {
            (stored.status, BoxBody::new(HeadBody(body.len() as u64)))
        }
        SentContent::Whole if has_no_body(stored.status) => (stored.status, BoxBody::new(())),
        SentContent::Whole => (stored.status, BoxBody::new(body.clone())),
    };
    HttpResponse::with_body(status, body)
}

/// Refuses to send the content. No cache outside may keep that.
fn refuse(refusal: NotSent, replay: &Replay, request: &ServiceRequest) -> HttpResponse {
    let (status, range) = match refusal {
        NotSent::Precondition => (StatusCode::PRECONDITION_FAILED, None),
        NotSent::Range(length) => (
            StatusCode::RANGE_NOT_SATISFIABLE,
            Some(range::content_range(None, length)),
        ),
    };
    let response = fault::response(&Problem::new(status), replay.kind);
    let mut response = finish::with_no_cache(response);
    let headers = response.headers_mut();
    if let Some(range) = range {
        headers.insert(header::CONTENT_RANGE, range);
    }
    headers.append(CACHE_STATUS, cache_status(replay.status));
    match *request.method() {
        Method::HEAD => response.map_body(|_, body| head::without_bytes(body)),
        _ => response,
    }
}

/// Returns whether middleware around us might have encoded the body of the 200 for which a 304
/// stands. It does not touch a 304, which must have the same `Vary` nevertheless.
fn may_be_encoded_later(stored: &StoredResponse, request: &ServiceRequest) -> bool {
    request.headers().contains_key(header::ACCEPT_ENCODING)
        && stored.header(header::CONTENT_ENCODING).is_none()
}

fn has_no_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT)
}

/// Returns whether a header describes the content. A 304 leaves these headers of the 200 out,
/// because it carries no content (RFC 9110, section 15.4.5). Every other header from the handler
/// holds for the 304 too, above all those that say who may read the response and what a browser may
/// do with it.
fn describes_content(name: &HeaderName) -> bool {
    [
        header::CONTENT_DISPOSITION,
        header::CONTENT_ENCODING,
        header::CONTENT_LANGUAGE,
        header::CONTENT_RANGE,
        header::CONTENT_TYPE,
        header::LAST_MODIFIED,
    ]
    .contains(name)
}

#[cfg(test)]
mod fuzzing;
