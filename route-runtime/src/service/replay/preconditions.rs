//! Preconditions of a request, in the order of RFC 9110, section 13.2.2.

use actix_web::dev::ServiceRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    self, ContentEncoding, HeaderMap, HeaderName, HeaderValue, HttpDate,
};

use crate::stored::{Encoded, StoredResponse};

/// The effect of a request's preconditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precondition {
    /// The response is sent: all hold, or there are none.
    Holds,
    /// The client has the response already: 304.
    IsUnchanged,
    /// The client wants to go on only with another version of the response: 412.
    Fails,
}

/// Evaluates the preconditions of a request for a representation.
pub(super) fn evaluate(
    stored: &StoredResponse,
    encoded: &Encoded<'_>,
    request: &ServiceRequest,
) -> Precondition {
    let headers = request.headers();
    if !stored.status.is_success() {
        return Precondition::Holds;
    }
    let holds = if headers.contains_key(header::IF_MATCH) {
        matches_strongly(stored, encoded, headers)
    } else {
        is_unmodified(stored, headers, header::IF_UNMODIFIED_SINCE).unwrap_or(true)
    };
    if !holds {
        return Precondition::Fails;
    }
    let is_known = if headers.contains_key(header::IF_NONE_MATCH) {
        let etag = encoded.etag().map(HeaderValue::as_bytes);
        etag.is_some_and(|etag| matches_weakly(etag, headers))
    } else {
        is_unmodified(stored, headers, header::IF_MODIFIED_SINCE).unwrap_or(false)
    };
    // A 304 stands for a 200, and for nothing else.
    if is_known && stored.status == StatusCode::OK {
        Precondition::IsUnchanged
    } else {
        Precondition::Holds
    }
}

/// Returns whether `If-Match` names the tag of a representation. Weak tags do not count on either
/// side.
fn matches_strongly(stored: &StoredResponse, encoded: &Encoded<'_>, headers: &HeaderMap) -> bool {
    // A body that is sent as it is has a weak tag only because middleware may encode it. Who knows
    // the strong one has these bytes.
    let ours = match encoded.encoding() {
        ContentEncoding::Identity => stored.etag(),
        _ => encoded.etag(),
    };
    let ours = ours.and_then(|etag| entity_tags(etag.as_bytes()).next());
    let ours = ours.filter(|tag| !tag.is_weak);
    headers.get_all(header::IF_MATCH).any(|list| {
        let list = list.as_bytes().trim_ascii();
        list == b"*" || entity_tags(list).any(|tag| Some(&tag) == ours.as_ref())
    })
}

/// Returns whether `If-None-Match` names this tag. The comparison is weak and covers every tag of
/// every list; `*` matches any tag.
pub(super) fn matches_weakly(etag: &[u8], headers: &HeaderMap) -> bool {
    let Some(ours) = entity_tags(etag).next() else {
        return false;
    };
    headers.get_all(header::IF_NONE_MATCH).any(|list| {
        let list = list.as_bytes().trim_ascii();
        list == b"*" || entity_tags(list).any(|tag| tag.opaque == ours.opaque)
    })
}

/// Returns whether the handler's `Last-Modified` is no later than the date in a header of the
/// request. Returns `None` if either is missing or is no date: then the header is ignored.
fn is_unmodified(stored: &StoredResponse, headers: &HeaderMap, name: HeaderName) -> Option<bool> {
    let since: HttpDate = headers.get(name)?.to_str().ok()?.parse().ok()?;
    Some(stored.last_modified()? <= since)
}

/// An entity tag in a list.
#[derive(PartialEq, Eq)]
struct ListedTag<'a> {
    is_weak: bool,
    /// The text between the quotes.
    opaque: &'a [u8],
}

/// Returns the entity tags in a list, up to the first part that is no tag. A tag may contain a
/// comma, so a list must not be split at its commas.
fn entity_tags(list: &[u8]) -> impl Iterator<Item = ListedTag<'_>> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let start = rest.iter().position(|byte| !b", \t".contains(byte))?;
        let tag = &rest[start..];
        let weak = tag.strip_prefix(b"W/");
        let opaque = weak.unwrap_or(tag).strip_prefix(b"\"")?;
        let end = opaque.iter().position(|byte| *byte == b'"')?;
        rest = &opaque[end + 1..];
        Some(ListedTag {
            is_weak: weak.is_some(),
            opaque: &opaque[..end],
        })
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn an_etag_is_found_in_any_well_formed_list() {
        let check = |etag: &str, list: &'static str, expected: bool| {
            let request = TestRequest::default().insert_header((header::IF_NONE_MATCH, list));
            let request = request.to_srv_request();
            let found = matches_weakly(etag.as_bytes(), request.headers());
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
