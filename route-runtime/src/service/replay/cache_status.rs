//! The `Cache-Status` (RFC 9211) of cached routes.

use actix_web::http::header::{HeaderName, HeaderValue};

use super::value::with_number;
use crate::engine::{Bypass, Status, Ttl};

pub(in crate::service) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Makes the `Cache-Status` of a response, in the words of the design.
pub(in crate::service) fn cache_status(status: Status) -> HeaderValue {
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
