//! How a request was answered, in the words operators debug with.

/// Whole seconds of freshness left, negative once stale; `None` for what is fresh for ever.
pub(crate) type Ttl = Option<i64>;

/// How a request was answered. The words follow RFC 9211; rendering them as a header is not
/// the cache's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// From a fresh entry.
    Hit(Ttl),
    /// From a stale entry, which is being refreshed, or will be.
    Stale(Ttl),
    /// From an entry, fresh or stale, of which nobody could say lately whether another instance
    /// has invalidated it.
    Unverified(Ttl),
    /// There was nothing: this request started the render.
    Miss { stored: bool },
    /// What there was had expired, or was stale where that would not do.
    Expired { stored: bool },
    /// What there was had been invalidated.
    Invalidated { stored: bool },
    /// From the render another request had started.
    Collapsed,
    /// Rendered for this request alone.
    Bypass(Bypass),
}

/// Why a request was not answered from what others share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bypass {
    /// The response is for one request only, or was a moment ago.
    Individual,
    /// Waiting would have been waiting for itself.
    Cycle,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Hit(_) => "hit",
            Self::Stale(_) => "stale",
            Self::Unverified(_) => "unverified",
            Self::Miss { .. } => "miss",
            Self::Expired { .. } => "expired",
            Self::Invalidated { .. } => "invalidated",
            Self::Collapsed => "collapsed",
            Self::Bypass(_) => "bypass",
        }
    }
}
