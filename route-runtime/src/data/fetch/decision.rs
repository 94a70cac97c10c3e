//! The decision whether a fetch is cached. Pure.

use std::time::Duration;

use crate::declaration::FetchCache;

/// The instruction that the call itself gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    NoStore,
    ForceCache,
    Revalidate(Duration),
}

/// The place of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FetchPlace {
    /// A handler that runs for each request.
    Dynamic,
    /// A render whose result may be kept. The result is fresh for this long, or for ever if `None`.
    Render { revalidate: Option<Duration> },
}

/// The traits of the request that matter for the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// Set if the request asks and changes nothing: GET, HEAD, or a POST that carries a question.
    pub(super) asks: bool,
    /// Set if the request says who sends it: `Authorization`, `Cookie`.
    pub(super) has_credentials: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// The response is cached, and fresh for this long, or for ever if `None`.
    Cached(Option<Duration>),
    /// The response is not cached, for this reason.
    Uncached(&'static str),
    /// The request must not be made, for this reason.
    Refused(&'static str),
}

/// Decides by the first rule that applies.
pub(super) fn decide(wish: Wish, option: FetchCache, place: FetchPlace, sent: Sent) -> Decision {
    use Decision::{Cached, Refused, Uncached};
    let by_place = match place {
        FetchPlace::Dynamic => None,
        FetchPlace::Render { revalidate } => revalidate,
    };
    if !sent.asks {
        return Uncached("its method");
    }
    match (option, wish) {
        (FetchCache::OnlyCache, Wish::NoStore) => {
            Refused("`fetch_cache = \"only-cache\"` forbids `no_store`")
        }
        (FetchCache::OnlyNoStore, Wish::ForceCache) => {
            Refused("`fetch_cache = \"only-no-store\"` forbids `force_cache`")
        }
        (_, Wish::ForceCache) => Cached(None),
        (FetchCache::OnlyNoStore, _) => Uncached("fetch_cache = \"only-no-store\""),
        (FetchCache::ForceNoStore, _) => Uncached("fetch_cache = \"force-no-store\""),
        (_, Wish::Revalidate(after)) => Cached(Some(after)),
        (FetchCache::ForceCache, _) => Cached(by_place),
        (_, Wish::NoStore) => Uncached("no_store"),
        (FetchCache::OnlyCache | FetchCache::DefaultCache, Wish::Nothing) => Cached(by_place),
        (FetchCache::DefaultNoStore, Wish::Nothing) => {
            Uncached("fetch_cache = \"default-no-store\"")
        }
        (FetchCache::Auto, Wish::Nothing) => match place {
            _ if sent.has_credentials => Uncached("it sends credentials"),
            FetchPlace::Render { revalidate } => Cached(revalidate),
            FetchPlace::Dynamic => Uncached("the handler is dynamic"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKS: Sent = Sent {
        asks: true,
        has_credentials: false,
    };
    const HOUR: Option<Duration> = Some(Duration::from_secs(3600));
    const MINUTE: Duration = Duration::from_secs(60);

    /// Returns the decisions for a call that says nothing, `no_store`, `force_cache`,
    /// `revalidate(60)`.
    fn row(option: FetchCache, place: FetchPlace, sent: Sent) -> [&'static str; 4] {
        [
            Wish::Nothing,
            Wish::NoStore,
            Wish::ForceCache,
            Wish::Revalidate(MINUTE),
        ]
        .map(|wish| match decide(wish, option, place, sent) {
            Decision::Cached(None) => "for ever",
            Decision::Cached(HOUR) => "as the render",
            Decision::Cached(Some(_)) => "a minute",
            Decision::Uncached(_) => "no",
            Decision::Refused(_) => "refused",
        })
    }

    #[test]
    fn the_option_and_the_call_decide_whether_a_fetch_is_cached() {
        const RENDER: &str = "as the render";
        const EVER: &str = "for ever";
        for (option, in_a_render) in [
            (FetchCache::Auto, [RENDER, "no", EVER, "a minute"]),
            (FetchCache::DefaultCache, [RENDER, "no", EVER, "a minute"]),
            (FetchCache::ForceCache, [RENDER, RENDER, EVER, "a minute"]),
            (FetchCache::OnlyCache, [RENDER, "refused", EVER, "a minute"]),
            (FetchCache::DefaultNoStore, ["no", "no", EVER, "a minute"]),
            (FetchCache::ForceNoStore, ["no", "no", EVER, "no"]),
            (FetchCache::OnlyNoStore, ["no", "no", "refused", "no"]),
        ] {
            let place = FetchPlace::Render { revalidate: HOUR };
            assert_eq!(row(option, place, ASKS), in_a_render, "{option:?}");
            // A dynamic handler has no lifetime to pass on. If neither its route nor the call says
            // anything, it caches nothing.
            let mut in_dynamic = in_a_render.map(|it| if it == RENDER { EVER } else { it });
            if option == FetchCache::Auto {
                in_dynamic[0] = "no";
            }
            assert_eq!(
                row(option, FetchPlace::Dynamic, ASKS),
                in_dynamic,
                "{option:?}"
            );
        }
    }

    #[test]
    fn credentials_prevent_caching_by_default_and_other_methods_always() {
        let place = FetchPlace::Render { revalidate: None };
        let signed = Sent {
            has_credentials: true,
            ..ASKS
        };
        assert_eq!(
            row(FetchCache::Auto, place, signed),
            ["no", "no", "for ever", "a minute"]
        );
        assert_eq!(row(FetchCache::DefaultCache, place, signed)[0], "for ever");
        let writes = Sent {
            asks: false,
            ..ASKS
        };
        assert_eq!(row(FetchCache::ForceCache, place, writes), ["no"; 4]);
    }
}
