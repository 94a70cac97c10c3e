//! Responses from an entry: validators, encodings, and the headers for other caches.

mod cache_status;
mod preconditions;
mod shared;
mod tags;
mod value;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, ContentEncoding, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};

pub(super) use self::cache_status::{CACHE_STATUS, cache_status};
use self::preconditions::Precondition;
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
    let Encoded {
        encoding,
        body,
        etag,
    } = *encoded;
    let is_unchanged = match preconditions::evaluate(stored, encoded, request) {
        Precondition::Holds => false,
        Precondition::IsUnchanged => true,
        Precondition::Fails => {
            return refused(StatusCode::PRECONDITION_FAILED, replay, request);
        }
    };
    let is_head = *request.method() == Method::HEAD;
    let mut response = if is_unchanged {
        HttpResponse::with_body(StatusCode::NOT_MODIFIED, BoxBody::new(()))
    } else if is_head {
        HttpResponse::with_body(stored.status, BoxBody::new(HeadBody(body.len() as u64)))
    } else if has_no_body(stored.status) {
        HttpResponse::with_body(stored.status, BoxBody::new(()))
    } else {
        HttpResponse::with_body(stored.status, BoxBody::new(body.clone()))
    };

    let headers = response.headers_mut();
    for (name, value) in &stored.headers {
        let is_wanted = !(is_unchanged && describes_content(name));
        if is_wanted {
            headers.append(name.clone(), value.clone());
        }
    }
    if encoding != ContentEncoding::Identity && !is_unchanged {
        let value = HeaderValue::from_static(encoding.as_str());
        headers.insert(header::CONTENT_ENCODING, value);
    }
    if stored.is_compressible {
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Some(etag) = etag {
        headers.insert(header::ETAG, etag.clone());
    }
    match (stored.own_caching, &replay.cdn) {
        (OwnCaching::Nothing, Some(shared)) => shared.add_lifetime(headers, replay.age),
        (OwnCaching::Nothing | OwnCaching::Targeted, _) => {
            headers.insert(header::AGE, number(replay.age.as_secs()));
            headers.insert(header::CACHE_CONTROL, NO_CACHE);
        }
        // The time that it names is the same at any age.
        (OwnCaching::Expires, Some(_)) => {}
        (OwnCaching::Expires, None) => {
            let private = HeaderValue::from_static("private");
            headers.insert(header::CACHE_CONTROL, private);
        }
        (OwnCaching::CacheControl, _) => {
            headers.insert(header::AGE, number(replay.age.as_secs()));
        }
    }
    if let Some(shared) = &replay.cdn {
        shared.add_tags(headers);
    }
    headers.append(CACHE_STATUS, cache_status(replay.status));
    response
}

/// Refuses to send what the request asks for. No cache outside may keep that.
fn refused(status: StatusCode, replay: &Replay, request: &ServiceRequest) -> HttpResponse {
    let refusal = fault::response(&Problem::new(status), replay.kind);
    let mut refusal = finish::with_no_cache(refusal);
    let headers = refusal.headers_mut();
    headers.append(CACHE_STATUS, cache_status(replay.status));
    match *request.method() {
        Method::HEAD => refusal.map_body(|_, body| head::without_bytes(body)),
        _ => refusal,
    }
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
