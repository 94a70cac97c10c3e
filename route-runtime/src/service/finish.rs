//! What caches outside are told of an answer that is for one request.

use std::sync::atomic::Ordering;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::replay::CACHE_STATUS;
use crate::stored::{Reason, directives};
use crate::table::Handler;
use crate::target;

/// The `Cache-Status` of what is rendered for each request.
pub(super) const DYNAMIC: HeaderValue =
    HeaderValue::from_static("route; fwd=bypass; detail=dynamic");
/// The `Cache-Status` of everything in development.
pub(super) const DEVELOPMENT: HeaderValue =
    HeaderValue::from_static("route; fwd=bypass; detail=development");
/// The `Cache-Status` of a path that `static_params` does not list.
pub(super) const UNLISTED: HeaderValue =
    HeaderValue::from_static("route; fwd=bypass; detail=unlisted");

/// The `Cache-Control` of what is for one request.
pub(super) const PRIVATE: HeaderValue =
    HeaderValue::from_static("private, no-cache, no-store, max-age=0, must-revalidate");

/// The `Cache-Control` of what the framework says about a path, to whoever asks: it may change.
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// Keeps caches outside from an answer that was made for one request, unless the handler says
/// otherwise.
///
/// `status` is the `Cache-Status`, which says why.
pub(super) fn uncached(response: &mut HttpResponse, handler: &Handler, status: HeaderValue) {
    for_one_request(response, handler);
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().append(CACHE_STATUS, status);
    }
}

/// Makes the `Cache-Status` of a response of a cached route that is for one request, and why.
pub(super) fn individual(reason: &Reason) -> HeaderValue {
    let text = format!("route; fwd=bypass; detail={}", reason.as_str());
    HeaderValue::from_maybe_shared(text).unwrap_or(HeaderValue::from_static(""))
}

/// The same, for what a middleware of the handler answers: itself, or round the handler's response.
///
/// An answer that sets a cookie is never for a shared cache, whatever it says: the cookie would be
/// given to others. That is overridden, and told once for each handler.
pub(super) fn for_one_request(response: &mut HttpResponse, handler: &Handler) {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
    let headers = response.headers_mut();
    if !headers.contains_key(header::CACHE_CONTROL) && !headers.contains_key(header::SET_COOKIE) {
        headers.insert(header::CACHE_CONTROL, PRIVATE);
    } else if headers.contains_key(header::SET_COOKIE)
        && keep_from_shared_caches(headers)
        && !handler.is_cookie_told.swap(true, Ordering::Relaxed)
    {
        tracing::warn!(
            target: target::HANDLER,
            { http.route = handler.descriptor.pattern },
            "an answer that sets a cookie said that shared caches may keep it; it is sent with \
             `Cache-Control: private, no-store` instead"
        );
    }
}

/// Takes back what would let a shared cache keep an answer. Returns whether anything had asked for
/// that.
fn keep_from_shared_caches(headers: &mut HeaderMap) -> bool {
    let names: Vec<HeaderName> = headers
        .keys()
        .filter(|it| speaks_to_caches(it))
        .cloned()
        .collect();
    for name in &names {
        headers.remove(name);
    }
    let (mut is_private, mut asks) = (false, !names.is_empty());
    for value in headers.get_all(header::CACHE_CONTROL) {
        // What cannot be read may say anything.
        let Ok(value) = value.to_str() else {
            asks = true;
            continue;
        };
        for name in directives(value) {
            is_private |= matches!(&*name, "private" | "no-store");
            asks |= matches!(&*name, "public" | "max-age" | "s-maxage");
        }
    }
    if is_private {
        return !names.is_empty();
    }
    headers.insert(header::CACHE_CONTROL, PRIVATE);
    asks
}

/// Whether a header says to some shared cache what `Cache-Control` says to all, and comes before it
/// there: RFC 9213 (`CDN-Cache-Control` and those of one provider), and what was there earlier.
fn speaks_to_caches(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.ends_with("-cache-control")
        || matches!(
            name,
            "cache-tag" | "edge-control" | "expires" | "surrogate-control" | "x-accel-expires"
        )
}

/// Lets no cache use an answer of the framework's own without asking again. Without a word about it,
/// caches outside may keep a 405 as they like.
pub(super) fn asked_again(mut response: HttpResponse) -> HttpResponse {
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, NO_CACHE);
    response
}
