//! Headers of what no cache was asked for.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};

use super::replay::CACHE_STATUS;

/// Nobody may keep what was made for one request, unless the handler says otherwise.
pub(super) fn uncached(response: &mut HttpResponse, detail: &str) {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
    let headers = response.headers_mut();
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache, no-store, max-age=0, must-revalidate"),
        );
    }
    headers.append(
        CACHE_STATUS,
        HeaderValue::from_static(match detail {
            "dynamic" => "route; fwd=bypass; detail=dynamic",
            "development" => "route; fwd=bypass; detail=development",
            "set-cookie" => "route; fwd=bypass; detail=set-cookie",
            "private" => "route; fwd=bypass; detail=private",
            "stream" => "route; fwd=bypass; detail=stream",
            _ => "route; fwd=bypass",
        }),
    );
}
