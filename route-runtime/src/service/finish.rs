//! Headers that tell caches outside how to treat a response that is for one request.

use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::replay::CACHE_STATUS;
use crate::declaration::TagHeader;
use crate::stored::{Reason, directives, has_bare_directive, is_targeted};
use crate::table::Handler;
use crate::target;

/// The `Cache-Status` of a response that is rendered for each request.
pub(super) const DYNAMIC: HeaderValue =
    HeaderValue::from_static("route; fwd=bypass; detail=dynamic");
/// The `Cache-Status` of every response in development.
pub(super) const DEVELOPMENT: HeaderValue =
    HeaderValue::from_static("route; fwd=bypass; detail=development");
/// The `Cache-Status` of a response for a path that `static_params` does not list.
pub(super) const UNLISTED: HeaderValue =
    HeaderValue::from_static("route; fwd=bypass; detail=unlisted");

/// The `Cache-Control` of a response that is for one request.
pub(super) const PRIVATE: HeaderValue =
    HeaderValue::from_static("private, no-cache, no-store, max-age=0, must-revalidate");

/// The `Cache-Control` of cached responses, and of the framework's own responses about a path. They
/// are the same for every client, but may change.
pub(super) const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// Keeps caches outside from storing a response that was made for one request, unless the handler
/// says otherwise.
///
/// `status` is the `Cache-Status`, which says why the response is for one request.
pub(super) fn uncached(response: &mut HttpResponse, handler: &Handler, status: HeaderValue) {
    for_one_request(
        response,
        handler.descriptor.pattern,
        &handler.is_cookie_told,
    );
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().append(CACHE_STATUS, status);
    }
}

/// Makes the `Cache-Status` of a cached route's response that is for one request. It says why.
pub(super) fn individual_status(reason: &Reason) -> HeaderValue {
    let text = format!("route; fwd=bypass; detail={}", reason.as_str());
    HeaderValue::from_maybe_shared(text).unwrap_or(HeaderValue::from_static(""))
}

/// Keeps caches outside from storing a response, as [`uncached`] does, but adds no `Cache-Status`.
/// Every response of middleware passes through here, whether the middleware made it or passed it on.
/// `pattern` is that of the route or the section.
///
/// A response that sets a cookie is never for a shared cache, whatever it says: other clients would
/// get the cookie. Headers that say otherwise are overridden, and the log mentions that once,
/// which sets `is_cookie_told`.
pub(super) fn for_one_request(
    response: &mut HttpResponse,
    pattern: &str,
    is_cookie_told: &AtomicBool,
) {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
    let headers = response.headers_mut();
    if !headers.contains_key(header::CACHE_CONTROL) && !headers.contains_key(header::SET_COOKIE) {
        headers.insert(header::CACHE_CONTROL, PRIVATE);
    } else if headers.contains_key(header::SET_COOKIE)
        && keep_from_shared_caches(headers)
        && !is_cookie_told.swap(true, Ordering::Relaxed)
    {
        tracing::warn!(
            target: target::HANDLER,
            { http.route = pattern },
            "an answer that sets a cookie said that shared caches may keep it; it is sent without \
             that, as `private`"
        );
    }
}

/// Removes everything that would let a shared cache store a response. Returns whether any header
/// had asked for that.
fn keep_from_shared_caches(headers: &mut HeaderMap) -> bool {
    let names: Vec<HeaderName> = headers
        .keys()
        .filter(|it| speaks_to_caches(it))
        .cloned()
        .collect();
    for name in &names {
        headers.remove(name);
    }
    let (mut is_private, mut is_shared, mut asks) = (false, false, !names.is_empty());
    for value in headers.get_all(header::CACHE_CONTROL) {
        // A value that cannot be read may say anything.
        let Ok(value) = value.to_str() else {
            is_shared = true;
            continue;
        };
        is_private |= ["private", "no-store"]
            .iter()
            .any(|name| has_bare_directive(value, name));
        is_shared |= directives(value).any(|it| matches!(&*it, "public" | "s-maxage"));
        asks |= directives(value).any(|it| it == "max-age");
    }
    // What says both is not left to the reading of whichever cache gets it.
    if is_private && !is_shared {
        return !names.is_empty();
    }
    headers.insert(header::CACHE_CONTROL, PRIVATE);
    asks || is_shared
}

/// Returns whether a header tells some shared cache how to keep a response, beside `Cache-Control`.
fn speaks_to_caches(name: &HeaderName) -> bool {
    let name = name.as_str();
    is_targeted(name) || TagHeader::is_any(name) || name == "expires"
}

/// Makes caches revalidate one of the framework's own responses before each use. Without any
/// `Cache-Control`, caches outside may keep a 405 as they like.
pub(super) fn with_no_cache(mut response: HttpResponse) -> HttpResponse {
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, NO_CACHE);
    response
}

/// Keeps shared caches from storing one of the framework's own answers, and a hit, behind middleware
/// that may decide who reads it. With `no-cache` alone they may store it, and have to validate each
/// use.
pub(super) fn behind_a_guard(response: &mut HttpResponse) {
    const PRIVATE_NO_CACHE: HeaderValue = HeaderValue::from_static("private, no-cache");
    if response.headers().get(header::CACHE_CONTROL) == Some(&NO_CACHE) {
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, PRIVATE_NO_CACHE);
    }
}
