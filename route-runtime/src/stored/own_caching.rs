//! The instructions for caches that a handler gives itself.

use actix_web::http::header::{self, HeaderMap};

/// The header by which a handler itself says how long its response may be kept. It holds instead of
/// every instruction of ours. Of several, the one that overrides the others counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnCaching {
    /// None. Ours hold.
    Nothing,
    /// A header that only some shared caches read, such as `CDN-Cache-Control`.
    Targeted,
    /// `Expires`, which a `Cache-Control` with a lifetime or `no-cache` would override.
    Expires,
    /// `Cache-Control`.
    CacheControl,
}

impl OwnCaching {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key(header::CACHE_CONTROL) {
            Self::CacheControl
        } else if headers.contains_key(header::EXPIRES) {
            Self::Expires
        } else if headers.keys().any(|name| is_targeted(name.as_str())) {
            Self::Targeted
        } else {
            Self::Nothing
        }
    }
}

/// Returns whether a header, whose name is in lower case, tells some shared cache what
/// `Cache-Control` tells all caches, and overrides `Cache-Control` there: the headers of RFC 9213
/// (`CDN-Cache-Control` and those of one provider), and their predecessors.
pub(crate) fn is_targeted(name: &str) -> bool {
    name.ends_with("-cache-control")
        || matches!(
            name,
            "edge-control" | "surrogate-control" | "x-accel-expires"
        )
}
