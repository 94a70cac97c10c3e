//! The decision whether a route is dynamic or cached, with the reason. This module is pure.

use std::fmt;

use super::{Dynamic, Method, Revalidate, RouteDescriptor, Source};
use crate::pattern::Segment;

/// The decision whether a handler is dynamic or cached, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rendering {
    /// The handler runs for each request.
    Dynamic(DynamicReason),
    /// The handler runs with a blank request, and its response is replayed.
    Cached(CachedReason),
}

/// The reason why a handler runs for each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DynamicReason {
    /// The handler answers another method than GET.
    Method(Method),
    /// `dynamic = "force-dynamic"`
    Forced,
    /// `revalidate = 0`
    RevalidateZero,
    /// The type of this argument is not a [`StaticExtractor`](crate::StaticExtractor).
    ReadsRequest(&'static str),
    /// The pattern has parameters, and neither `static_params` nor `revalidate` is given.
    Params,
    /// Another handler of the path answers this method, and may change what the handler shows.
    Beside(Method, Source),
}

/// The reason why a response is cached and replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CachedReason {
    /// `dynamic = "force-static"`
    Forced,
    /// `dynamic = "error"`
    Error,
    /// `revalidate = N` or `false`
    Revalidate(Revalidate),
    /// `static_params`
    StaticParams,
    /// The handler reads nothing of the request.
    ReadsNothing,
}

/// Decides whether a handler is dynamic or cached. `path` holds every handler of the same path,
/// including this one.
///
/// The first rule that applies decides, in the order of the code below.
pub(crate) fn decide(route: &RouteDescriptor, path: &[RouteDescriptor]) -> Rendering {
    use Rendering::{Cached, Dynamic as Each};

    let config = &route.config;
    if route.method != Method::Get {
        return Each(DynamicReason::Method(route.method));
    }
    if config.dynamic == Dynamic::ForceDynamic {
        return Each(DynamicReason::Forced);
    }
    if config.revalidate == Some(Revalidate::After(0)) {
        return Each(DynamicReason::RevalidateZero);
    }
    match config.dynamic {
        Dynamic::ForceStatic => return Cached(CachedReason::Forced),
        Dynamic::Error => return Cached(CachedReason::Error),
        Dynamic::Auto | Dynamic::ForceDynamic => {}
    }
    if let Some(argument) = route.arguments.iter().find(|it| it.reads_request) {
        return Each(DynamicReason::ReadsRequest(argument.source));
    }
    if let Some(revalidate) = config.revalidate {
        return Cached(CachedReason::Revalidate(revalidate));
    }
    let has_params = Segment::has_params(route.segments);
    if has_params && config.static_params.is_none() {
        return Each(DynamicReason::Params);
    }
    let changes = |method| {
        matches!(
            method,
            Method::Post | Method::Put | Method::Patch | Method::Delete
        )
    };
    if let Some(other) = path.iter().find(|other| changes(other.method)) {
        return Each(DynamicReason::Beside(other.method, other.source));
    }
    Cached(if has_params {
        CachedReason::StaticParams
    } else {
        CachedReason::ReadsNothing
    })
}

impl Rendering {
    /// Returns whether the handler is cached, which means that it runs with a blank request.
    #[must_use]
    pub fn is_cached(&self) -> bool {
        matches!(self, Self::Cached(_))
    }
}

impl fmt::Display for Rendering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dynamic(reason) => reason.fmt(f),
            Self::Cached(reason) => reason.fmt(f),
        }
    }
}

impl fmt::Display for DynamicReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(method) => write!(f, "answers {method}"),
            Self::Forced => f.write_str("`dynamic = \"force-dynamic\"`"),
            Self::RevalidateZero => f.write_str("`revalidate = 0`"),
            Self::ReadsRequest(argument) => write!(f, "reads the request: `{argument}`"),
            Self::Params => f.write_str("parameters without `static_params` or `revalidate`"),
            Self::Beside(method, source) => write!(f, "{method} at {source}"),
        }
    }
}

impl fmt::Display for CachedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forced => f.write_str("`dynamic = \"force-static\"`"),
            Self::Error => f.write_str("`dynamic = \"error\"`"),
            Self::Revalidate(Revalidate::Never) => f.write_str("`revalidate = false`"),
            Self::Revalidate(Revalidate::After(seconds)) => write!(f, "`revalidate = {seconds}`"),
            Self::StaticParams => f.write_str("`static_params`"),
            Self::ReadsNothing => f.write_str("reads nothing of the request"),
        }
    }
}
