//! The segment configuration, as the macros checked it.

use std::time::Duration;

use super::{StaticParams, Wrap};

/// When a GET is rendered: the option `dynamic`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dynamic {
    /// `"auto"`: decided by what the handler reads.
    #[default]
    Auto,
    /// `"force-dynamic"`: for every request.
    ForceDynamic,
    /// `"error"`: never for a request; a handler that reads one does not compile.
    Error,
    /// `"force-static"`: never for a request; a handler that reads one finds it blank.
    ForceStatic,
}

/// How long a cached response is fresh: the option `revalidate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revalidate {
    /// `false`: for ever.
    Never,
    /// For this many seconds after it was rendered; 0 is never cached.
    After(u32),
}

impl Revalidate {
    /// Returns for how long; `None` for ever.
    pub(crate) fn duration(self) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::After(seconds) => Some(Duration::from_secs(seconds.into())),
        }
    }
}

/// What `fetch` does where nothing is said at the call: the option `fetch_cache`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FetchCache {
    /// `"auto"`: it is cached in what is itself cached, unless it sends credentials.
    #[default]
    Auto,
    /// `"default-cache"`: it is cached, in dynamic handlers too.
    DefaultCache,
    /// `"only-cache"`: likewise, and `no_store` is an error.
    OnlyCache,
    /// `"force-cache"`: likewise, and `no_store` is ignored.
    ForceCache,
    /// `"default-no-store"`: it is not cached.
    DefaultNoStore,
    /// `"force-no-store"`: likewise, and `revalidate` is ignored; `force_cache` still caches.
    ForceNoStore,
    /// `"only-no-store"`: likewise, and `force_cache` is an error.
    OnlyNoStore,
}

/// A part of a tag: `post:{id}` is a literal and a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TagPart {
    /// Text, as it stands.
    Literal(&'static str),
    /// The value of the pattern's parameter of this index.
    Param(usize),
}

/// Whether shared caches outside, such as a CDN, may keep a cached response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cdn {
    /// `cdn = false`: every use is validated here.
    No,
    /// `cdn = true`: they may, but for an answer to a request that carries credentials.
    Yes,
    /// `cdn = "public"`: they may, whoever asks. Nothing that middleware decides keeps the response
    /// from anybody.
    Public,
}

/// How long a cached render may take where `max_duration` does not say.
pub(crate) const RENDER_LIMIT: Duration = Duration::from_secs(60);

/// Every option of one declaration.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    #[doc(hidden)]
    pub dynamic: Dynamic,
    #[doc(hidden)]
    pub revalidate: Option<Revalidate>,
    #[doc(hidden)]
    pub expire: Option<u32>,
    #[doc(hidden)]
    pub static_params: Option<StaticParams>,
    #[doc(hidden)]
    pub dynamic_params: bool,
    #[doc(hidden)]
    pub fetch_cache: FetchCache,
    #[doc(hidden)]
    pub tags: &'static [&'static [TagPart]],
    #[doc(hidden)]
    pub cdn: Option<Cdn>,
    #[doc(hidden)]
    pub wrap: &'static [Wrap],
    #[doc(hidden)]
    pub max_duration: Option<u32>,
    #[doc(hidden)]
    pub body_limit: Option<u64>,
}

impl Config {
    /// What holds where a declaration says nothing.
    pub const DEFAULT: Self = Self {
        dynamic: Dynamic::Auto,
        revalidate: None,
        expire: None,
        static_params: None,
        dynamic_params: true,
        fetch_cache: FetchCache::Auto,
        tags: &[],
        cdn: None,
        wrap: &[],
        max_duration: None,
        body_limit: None,
    };

    /// Returns how long a cached render of this configuration may take.
    pub(crate) fn render_limit(&self) -> Duration {
        let seconds = self.max_duration;
        seconds.map_or(RENDER_LIMIT, |seconds| Duration::from_secs(seconds.into()))
    }

    /// What a declaration and its server together say of shared caches outside.
    ///
    /// `server` is what holds where a declaration says nothing. It does not hold for a route with
    /// middleware, which may decide who reads the response, and which a cache outside does not ask.
    pub(crate) fn cdn_under(&self, server: bool) -> Cdn {
        match self.cdn {
            Some(cdn) => cdn,
            None if server && self.wrap.is_empty() => Cdn::Yes,
            None => Cdn::No,
        }
    }
}
