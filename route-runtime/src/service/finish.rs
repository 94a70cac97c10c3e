//! Headers of what no cache was asked for, or had nothing to give.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};

use super::replay::CACHE_STATUS;

/// What is rendered for each request.
pub(super) const DYNAMIC: &str = "route; fwd=bypass; detail=dynamic";
/// In development, everything.
pub(super) const DEVELOPMENT: &str = "route; fwd=bypass; detail=development";

/// What is for one request.
pub(super) const PRIVATE: HeaderValue =
    HeaderValue::from_static("private, no-cache, no-store, max-age=0, must-revalidate");

/// Nobody may keep what was made for one request, unless the handler says otherwise.
///
/// `status` is the `Cache-Status`, which says why.
pub(super) fn uncached(response: &mut HttpResponse, status: &'static str) {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
    let headers = response.headers_mut();
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, PRIVATE);
    }
    headers.append(CACHE_STATUS, HeaderValue::from_static(status));
}
