//! The status of an answer, in the words that operators debug with.

/// Whole seconds of freshness left, negative once stale. `None` for content that is fresh for ever.
pub(crate) type Ttl = Option<i64>;

/// The way in which a request was answered. The words follow RFC 9211. Rendering them as a header
/// is not the cache's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Answered from a fresh entry.
    Hit(Ttl),
    /// Answered from a stale entry, which is being refreshed or will be.
    Stale(Ttl),
    /// Answered from an entry, fresh or stale. The store could not be asked lately whether another
    /// instance has invalidated it.
    Unverified(Ttl),
    /// Answered from a render that this request started, because there was no entry.
    Miss { stored: bool },
    /// Answered from a render that this request started, because the entry had expired, or because
    /// it was stale or unverified and could not be used for that reason.
    Expired { stored: bool },
    /// Answered from a render that this request started, because the entry had been invalidated.
    Invalidated { stored: bool },
    /// Answered from a render that another request had started.
    Collapsed,
    /// Rendered for this request alone.
    Bypass(Bypass),
}

/// The reason why a request was not answered from shared content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bypass {
    /// The content is for one request only, or was a moment ago.
    Individual,
    /// The request would have waited for itself.
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
