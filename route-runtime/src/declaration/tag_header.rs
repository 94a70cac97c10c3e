//! The header for the tags of a response.

use std::fmt;
use std::str::FromStr;

/// The header in which shared caches outside, such as a CDN, read the tags of a response, so that
/// they can purge all responses with a tag.
///
/// It stands beside every shared lifetime. The [guide](crate::guide::caching#tags-outside) says
/// which tags are in it, and how they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TagHeader {
    /// `Cache-Tag: a,b`, which Cloudflare and Google read, and most other CDNs if they are told.
    #[default]
    CacheTag,
    /// `Edge-Cache-Tag: a,b`, which Akamai reads.
    EdgeCacheTag,
    /// `Surrogate-Key: a b`, which Fastly reads.
    SurrogateKey,
    /// `xkey: a b`, which Varnish reads with the module `xkey`.
    Xkey,
}

impl TagHeader {
    const ALL: [Self; 4] = [
        Self::CacheTag,
        Self::EdgeCacheTag,
        Self::SurrogateKey,
        Self::Xkey,
    ];

    /// Returns the name of the header, in lower case.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::CacheTag => "cache-tag",
            Self::EdgeCacheTag => "edge-cache-tag",
            Self::SurrogateKey => "surrogate-key",
            Self::Xkey => "xkey",
        }
    }

    /// Returns the character between two tags.
    pub(crate) const fn separator(self) -> char {
        match self {
            Self::CacheTag | Self::EdgeCacheTag => ',',
            Self::SurrogateKey | Self::Xkey => ' ',
        }
    }

    /// Returns whether a name in lower case is that of a header for tags, whichever is sent.
    pub(crate) fn is_any(name: &str) -> bool {
        Self::ALL.iter().any(|header| header.name() == name)
    }
}

impl fmt::Display for TagHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CacheTag => "Cache-Tag",
            Self::EdgeCacheTag => "Edge-Cache-Tag",
            Self::SurrogateKey => "Surrogate-Key",
            Self::Xkey => "xkey",
        })
    }
}

impl FromStr for TagHeader {
    type Err = String;

    /// Reads the name of a header, in any case.
    ///
    /// # Errors
    ///
    /// If it is the name of no such header. The error is this name.
    fn from_str(name: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|header| header.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| name.into())
    }
}
