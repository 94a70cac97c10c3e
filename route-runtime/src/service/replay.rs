//! Responses from an entry: validators, encodings, lifetimes for other caches, and the
//! `Cache-Status`.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, ContentEncoding, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use smallvec::SmallVec;

use super::head::HeadBody;
use crate::engine::{Bypass, Lifetime, Status, Ttl};
use crate::stored::{Encoded, StoredResponse, preferred};

pub(super) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");
const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");

/// The lifetime in seconds that shared caches get for content that is fresh for ever: a year.
const FOR_EVER: u64 = 31_536_000;

/// The circumstances of one response: how it came about, and what other caches may do with it.
pub(super) struct Replay {
    pub(super) status: Status,
    /// The time since the entry's render finished.
    pub(super) age: Duration,
    /// The instructions for shared caches; `None` if they may not keep the response.
    pub(super) cdn: Option<Shared>,
}

/// The instructions for shared caches outside.
pub(super) struct Shared {
    pub(super) lifetime: Lifetime,
    /// Set if shared caches may use the response at all: not if it is stale or was invalidated.
    pub(super) is_current: bool,
    pub(super) tags: String,
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
    let is_unchanged =
        stored.status == StatusCode::OK && etag.is_some_and(|etag| is_known(etag, request));

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
    headers.insert(header::AGE, number(replay.age.as_secs()));
    if !stored.has_cache_control {
        match &replay.cdn {
            None => {
                let value = HeaderValue::from_static("no-cache");
                headers.insert(header::CACHE_CONTROL, value);
            }
            Some(shared) => {
                let (browser, cdn) = shared.cache_control();
                headers.insert(header::CACHE_CONTROL, text(&browser));
                headers.insert(CDN_CACHE_CONTROL, text(&cdn));
                if !shared.tags.is_empty() {
                    headers.insert(CACHE_TAG, text(&shared.tags));
                }
            }
        }
    }
    headers.append(CACHE_STATUS, cache_status(replay.status));
    response
}

impl Shared {
    /// Returns two header values: one for every cache, and one for the caches that know
    /// `CDN-Cache-Control` (RFC 9213).
    fn cache_control(&self) -> (String, String) {
        if !self.is_current {
            return ("public, max-age=0, s-maxage=0".into(), "max-age=0".into());
        }
        let seconds = |length: Option<Duration>| length.map_or(FOR_EVER, |length| length.as_secs());
        let fresh = seconds(self.lifetime.revalidate);
        let stale = seconds(self.lifetime.expire).saturating_sub(fresh);
        (
            format!("public, max-age=0, s-maxage={fresh}"),
            format!("max-age={fresh}, stale-while-revalidate={stale}"),
        )
    }
}

/// Makes the `Cache-Status` (RFC 9211) of a response, in the words of the design.
pub(super) fn cache_status(status: Status) -> HeaderValue {
    fn hit(ttl: Ttl) -> HeaderValue {
        match ttl {
            None => HeaderValue::from_static("route; hit"),
            Some(seconds) => with_number("route; hit; ttl=", seconds, ""),
        }
    }
    HeaderValue::from_static(match status {
        Status::Hit(ttl) => return hit(ttl),
        // A negative `ttl` tells a stale response from a fresh one in its last second.
        Status::Stale(ttl) => return hit(Some(ttl.unwrap_or(-1).min(-1))),
        Status::Unverified(None) => "route; hit; detail=unverified",
        Status::Unverified(Some(seconds)) => {
            return with_number("route; hit; ttl=", seconds, "; detail=unverified");
        }
        Status::Miss { stored: true } => "route; fwd=miss; stored",
        Status::Miss { stored: false } => "route; fwd=miss",
        Status::Expired { stored: true } | Status::Invalidated { stored: true } => {
            "route; fwd=stale; stored"
        }
        Status::Expired { stored: false } | Status::Invalidated { stored: false } => {
            "route; fwd=stale"
        }
        Status::Collapsed => "route; fwd=miss; collapsed",
        Status::Bypass(Bypass::Individual) => "route; fwd=bypass; detail=individual",
        Status::Bypass(Bypass::Cycle) => "route; fwd=bypass; detail=cycle",
    })
}

/// Returns whether a request's `If-None-Match` names this tag. The comparison is weak and covers
/// every tag of every list; `*` matches any tag.
fn is_known(etag: &HeaderValue, request: &ServiceRequest) -> bool {
    let Some(ours) = opaque_tags(etag.as_bytes()).next() else {
        return false;
    };
    let mut lists = request.headers().get_all(header::IF_NONE_MATCH);
    lists.any(|list| {
        let list = list.as_bytes().trim_ascii();
        list == b"*" || opaque_tags(list).any(|tag| tag == ours)
    })
}

/// Returns the text between the quotes of each entity tag in a list, up to the first part that is
/// no tag. A tag may contain a comma, so a list must not be split at its commas.
fn opaque_tags(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let start = rest.iter().position(|byte| !b", \t".contains(byte))?;
        let tag = &rest[start..];
        let tag = tag.strip_prefix(b"W/").unwrap_or(tag).strip_prefix(b"\"")?;
        let end = tag.iter().position(|byte| *byte == b'"')?;
        rest = &tag[end + 1..];
        Some(&tag[..end])
    })
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

/// Makes a header value of a number, in one allocation, because this runs on every hit.
fn number(number: u64) -> HeaderValue {
    text(itoa::Buffer::new().format(number))
}

/// Makes a header value of a number and the text around it, also in one allocation.
fn with_number(before: &str, number: i64, after: &str) -> HeaderValue {
    let mut value: SmallVec<[u8; 64]> = SmallVec::new();
    value.extend_from_slice(before.as_bytes());
    value.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    value.extend_from_slice(after.as_bytes());
    HeaderValue::from_bytes(&value).unwrap_or(HeaderValue::from_static(""))
}

/// Makes a header value of text that is known to be printable.
fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod fuzzing;
#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn an_etag_is_found_in_any_well_formed_list() {
        let check = |etag: &'static str, list: &'static str, expected: bool| {
            let request = TestRequest::default().insert_header((header::IF_NONE_MATCH, list));
            let found = is_known(&HeaderValue::from_static(etag), &request.to_srv_request());
            assert_eq!(found, expected, "{etag} in {list}");
        };
        for list in [
            "\"a\"",
            "W/\"a\"",
            "\"b\",\"a\"",
            " ,\"b\" , W/\"a\"",
            "*",
            " * ",
        ] {
            check("\"a\"", list, true);
            check("W/\"a\"", list, true);
        }
        for list in [
            "",
            "a",
            "\"A\"",
            "\"a",
            "a\"",
            "w/\"a\"",
            "\"b",
            "\"b\"x, \"a\"",
            "**",
        ] {
            check("\"a\"", list, false);
        }
        // actix-web's own parser splits these tags at their commas.
        check("\"a,b\"", "\"a,b\"", true);
        check("\"a,b\"", "\"x\", W/\"a,b\"", true);
        check("\"b\"", "\"a,b\"", false);
        check("\"a, *\"", "*, x", false);
        check("\"\"", "\"\"", true);
    }
}
