//! The decision whether a rendered response is kept, shared or for one request. Pure.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};

use crate::engine::{Lifetime, PASS, RenderOutcome};
use crate::stored::{
    Individual, Reason, RenderedBody, RenderedResponse, Stored, StoredResponse, directives,
    is_event_stream,
};

/// The time for which a 404 or 410 is kept if its path is not listed. It is short, because the path
/// may come into being.
const ABSENCE: Duration = Duration::from_secs(10);

/// The time for which a path is rendered for each request because its response used data that is
/// not cached. Then a render finds out whether that has changed.
const UNCACHED: Duration = Duration::from_secs(60);

/// Decides whether a response may be kept, is shared once, or is for one request alone.
///
/// `uncached` names the data that the response is made of and that is not cached. `is_listed` says that the path is the program's own, and not a client's guess.
pub(super) fn classify(
    response: RenderedResponse,
    uncached: Option<Arc<str>>,
    lifetime: Lifetime,
    is_listed: bool,
) -> RenderOutcome<Stored> {
    let reason = match uncached {
        Some(what) => Some(Reason::Data(what)),
        None => individual_reason(&response.headers),
    };
    let RenderedResponse {
        status,
        headers,
        body,
    } = response;
    let body = match (body, reason) {
        (RenderedBody::Full(body), None) => body,
        (body, reason) => {
            let reason = reason.unwrap_or(Reason::TooLarge);
            let pass = match reason {
                Reason::Data(_) => UNCACHED,
                _ => PASS,
            };
            let response = RenderedResponse {
                status,
                headers,
                body,
            };
            let value = Individual { response, reason };
            return RenderOutcome::Individual { value, pass };
        }
    };
    let response = Stored::Response(Box::new(StoredResponse::new(status, &headers, body)));
    if !is_stored(status) {
        return RenderOutcome::ShareOnce(response);
    }
    let is_absence = matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE);
    if is_absence && !is_listed {
        // A client that guesses paths must not push built responses out of a store.
        return RenderOutcome::passing(
            response,
            Lifetime {
                revalidate: Lifetime::shorter(lifetime.revalidate, Some(ABSENCE)),
                expire: Some(ABSENCE),
            },
        );
    }
    RenderOutcome::store(response, lifetime)
}

fn is_stored(status: StatusCode) -> bool {
    let code = status.as_u16();
    (status.is_success() && code != 206) || matches!(code, 301 | 302 | 307 | 308 | 404 | 410)
}

/// Returns the reason for which a response's headers say that it is meant for one client.
fn individual_reason(headers: &HeaderMap) -> Option<Reason> {
    if headers.contains_key(header::SET_COOKIE) {
        return Some(Reason::SetCookie);
    }
    let mut cache_control = headers.get_all(header::CACHE_CONTROL);
    let is_kept_private = cache_control.any(|value| {
        // A value that cannot be read may well say so.
        value.to_str().map_or(true, |value| {
            directives(value).any(|name| matches!(&*name, "private" | "no-store"))
        })
    });
    if is_event_stream(headers) {
        return Some(Reason::EventStream);
    }
    is_kept_private.then_some(Reason::Private)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use actix_web::web::Bytes;

    use super::*;

    fn outcome(status: u16, headers: &[(&str, &str)], is_listed: bool) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let response = RenderedResponse {
            status: StatusCode::from_u16(status).unwrap(),
            headers: map,
            body: RenderedBody::Full(Bytes::from_static(b"body")),
        };
        let lifetime = Lifetime::revalidate(Duration::from_secs(60));
        match classify(response, None, lifetime, is_listed) {
            RenderOutcome::Store {
                lifetime,
                is_passing,
                ..
            } => format!(
                "{} {}",
                if is_passing { "passing" } else { "store" },
                lifetime.revalidate.map_or(0, |after| after.as_secs())
            ),
            RenderOutcome::ShareOnce(_) => "share once".into(),
            RenderOutcome::Individual { value, .. } => {
                format!("individual: {}", value.reason.as_str())
            }
        }
    }

    #[test]
    fn the_status_decides_whether_a_response_is_stored() {
        let check = |status, expected: &str| {
            assert_eq!(outcome(status, &[], true), expected, "{status}");
        };
        for stored in [200, 201, 202, 203, 204, 299, 301, 302, 307, 308, 404, 410] {
            check(stored, "store 60");
        }
        for other in [
            206, 300, 303, 304, 400, 401, 403, 405, 429, 500, 502, 503, 504,
        ] {
            check(other, "share once");
        }
    }

    #[test]
    fn a_404_or_410_of_an_unlisted_path_is_kept_briefly() {
        assert_eq!(outcome(404, &[], false), "passing 10");
        assert_eq!(outcome(410, &[], false), "passing 10");
        assert_eq!(outcome(200, &[], false), "store 60");
    }

    #[test]
    fn cookies_privacy_and_event_streams_make_a_response_individual() {
        let check = |name, value, expected: &str| {
            assert_eq!(
                outcome(200, &[(name, value)], true),
                expected,
                "{name}: {value}"
            );
        };
        check("set-cookie", "a=b", "individual: set-cookie");
        check("cache-control", "private", "individual: private");
        check(
            "cache-control",
            "max-age=1, No-Store",
            "individual: private",
        );
        check("cache-control", "private=\"x\"", "individual: private");
        check("content-type", "text/event-stream", "individual: stream");
        check(
            "content-type",
            "text/event-stream; charset=utf-8",
            "individual: stream",
        );
        check("content-type", "Text/Event-Stream", "individual: stream");
        check("content-type", "text/event-streams", "store 60");
        // Directives are parsed, not searched for.
        check("cache-control", "max-age=1, x-private", "store 60");
        check("cache-control", "ext=\"private\"", "store 60");
        check("cache-control", "no-cache", "store 60");
    }

    #[test]
    fn an_error_that_sets_a_cookie_is_individual() {
        let cookie = outcome(500, &[("set-cookie", "a=b")], true);
        assert_eq!(cookie, "individual: set-cookie");
    }
}
