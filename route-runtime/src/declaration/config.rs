//! The options of a declaration, as the macros have checked them.

use std::time::Duration;

use serde_json::{Value, json};

use super::StaticParams;
use super::option::{OptionInfo, Shown};
use crate::middleware::{AppliedMiddleware, Wrap};
use crate::pattern::Segment;

/// The value of the option `dynamic`, which says when a GET is rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dynamic {
    /// `"auto"`: what the handler reads decides.
    #[default]
    Auto,
    /// `"force-dynamic"`: the handler runs for every request.
    ForceDynamic,
    /// `"error"`: the handler is cached, and does not compile if it reads the request.
    Error,
    /// `"force-static"`: the handler is cached, and finds the request blank if it reads it.
    ForceStatic,
}

/// The value of the option `revalidate`, which says how long a cached response is fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revalidate {
    /// `false`: a response is fresh for ever.
    Never,
    /// `N`: a response is fresh for this many seconds after its render. With 0, it is never cached.
    After(u32),
}

impl Revalidate {
    /// Returns how long a response is fresh, or `None` if it is fresh for ever.
    pub(crate) fn duration(self) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::After(seconds) => Some(Duration::from_secs(seconds.into())),
        }
    }
}

/// The value of the option `fetch_cache`, which says when `fetch` caches what it gets.
///
/// The value holds for a call that says nothing. `no_store`, `revalidate` and `force_cache` at the
/// call override it, except where a value says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FetchCache {
    /// `"auto"`: cached inside code that is itself cached, unless the request sends credentials.
    #[default]
    Auto,
    /// `"default-cache"`: cached, in dynamic handlers too.
    DefaultCache,
    /// `"only-cache"`: as `"default-cache"`, but `no_store` is an error.
    OnlyCache,
    /// `"force-cache"`: as `"default-cache"`, but `no_store` is ignored.
    ForceCache,
    /// `"default-no-store"`: not cached.
    DefaultNoStore,
    /// `"force-no-store"`: as `"default-no-store"`, but `revalidate` is ignored. `force_cache`
    /// still caches.
    ForceNoStore,
    /// `"only-no-store"`: as `"force-no-store"`, but `force_cache` is an error.
    OnlyNoStore,
}

/// A part of a tag. The tag `post:{id}` has two parts, a literal and a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TagPart {
    /// Text that is the same in every tag.
    Literal(&'static str),
    /// The value of the pattern's parameter of this index.
    Param(usize),
}

/// The value of the option `cdn`, which says whether shared caches outside, such as a CDN, may keep
/// a cached response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cdn {
    /// `cdn = false`: shared caches may not. Every use of the response is validated here.
    No,
    /// `cdn = true`: shared caches may, except a response to a request that carries credentials.
    Yes,
    /// `cdn = "public"`: shared caches may, even a response to a request that carries credentials.
    /// The declaration says that no middleware keeps anybody from reading the response.
    Public,
}

/// The longest time that a cached render may take if there is no `max_duration`.
pub(crate) const RENDER_LIMIT: Duration = Duration::from_secs(60);

/// Makes `Config` and [`OPTIONS`] of one row for each option. The row has the option's field, its
/// value if a declaration does not give the option, and its presentation.
macro_rules! options {
    ($($name:ident: $ty:ty = $default:expr, OptionInfo { $($info:tt)* };)*) => {
        /// The options of one declaration.
        #[derive(Clone, Copy, Debug)]
        pub struct Config {
            $(#[doc(hidden)] pub $name: $ty,)*
        }

        impl Config {
            /// The options of a declaration that does not give any.
            pub const DEFAULT: Self = Self { $($name: $default,)* };
        }

        /// The options of routes and pages, in the order in which they are documented.
        pub(crate) const OPTIONS: &[OptionInfo] = &[
            $(OptionInfo { name: stringify!($name), $($info)* },)*
        ];
    };
}

options! {
    dynamic: Dynamic = Dynamic::Auto, OptionInfo {
        values: "`\"auto\"`: decided by what the handler reads · `\"force-dynamic\"`: rendered for every request · `\"error\"`: cached, and what reads the request does not compile · `\"force-static\"`: cached, and what reads the request finds it blank",
        default: "`\"auto\"`",
        place: "GET, page, module",
        ..OptionInfo::HIDDEN
    };
    revalidate: Option<Revalidate> = None, OptionInfo {
        values: "seconds for which a response is fresh; `0` never caches, `false` keeps it for ever",
        default: "unset",
        place: "GET, page, module",
        is_of_any: false,
        column: Some(("Revalidate", |it| seconds(lifetime(it)))),
        json: Some(|it| match it.config.revalidate {
            _ if !it.is_cached => Value::Null,
            Some(Revalidate::After(seconds)) => seconds.into(),
            Some(Revalidate::Never) | None => false.into(),
        }),
        lock: Some(("revalidate", |it| {
            vec![lifetime(it).map_or_else(|| "never".into(), |seconds| seconds.to_string())]
        })),
    };
    expire: Option<u32> = None, OptionInfo {
        values: "seconds, more than `revalidate`: an older response is rendered anew before it is answered",
        default: "never",
        place: "with `revalidate = N`",
        is_of_any: false,
        column: Some(("Expire", |it| seconds(it.config.expire))),
        json: Some(|it| it.config.expire.filter(|_| it.is_cached).into()),
        lock: Some(("expire", |it| {
            it.config.expire.iter().map(ToString::to_string).collect()
        })),
    };
    tags: &'static [&'static [TagPart]] = &[], OptionInfo {
        values: "`[\"posts\", \"post:{id}\"]`: what `revalidate_tag` finds a response by; each printable ASCII without spaces and commas, which the value of `{id}` need not be",
        default: "none",
        place: "GET, page, module",
        is_of_any: false,
        column: Some(("Tags", |it| declared_tags(it).join(" "))),
        json: Some(|it| if it.is_cached { declared_tags(it) } else { Vec::new() }.into()),
        lock: Some(("tag", declared_tags)),
    };
    static_params: Option<StaticParams> = None, OptionInfo {
        values: "path of an `async fn` that lists the parameters to render ahead",
        default: "none",
        place: "GET, page, module; pattern with parameters",
        json: Some(|it| {
            let is_given = it.config.static_params.is_some();
            Segment::has_params(it.segments).then_some(is_given).into()
        }),
        ..OptionInfo::HIDDEN
    };
    dynamic_params: bool = true, OptionInfo {
        values: "`true` · `false`: a path that `static_params` does not list is 404",
        default: "`true`",
        place: "with `static_params`",
        json: Some(|it| Segment::has_params(it.segments).then_some(it.config.dynamic_params).into()),
        ..OptionInfo::HIDDEN
    };
    fetch_cache: FetchCache = FetchCache::Auto, OptionInfo {
        values: "what `fetch` does where the call does not say: `\"default-cache\"`, `\"default-no-store\"`; whatever it says: `\"force-cache\"`, `\"force-no-store\"`; an error where it says otherwise: `\"only-cache\"`, `\"only-no-store\"`",
        default: "`\"auto\"`",
        place: "any",
        ..OptionInfo::HIDDEN
    };
    cdn: Option<Cdn> = None, OptionInfo {
        values: "`true`, not beside `wrap` or in a section · `false`: whether shared caches outside may keep a cached response; never an answer to a request with `Authorization` · `\"public\"`: they may, whoever asks and whatever middleware does",
        default: "the server's, which is `false`; `false` beside `wrap` and in a section",
        place: "GET, page, module",
        column: Some(("CDN", |it| match it.config.cdn_under(it.cdn) {
            Cdn::No => String::new(),
            Cdn::Yes => "yes".into(),
            Cdn::Public => "public".into(),
        })),
        json: Some(|it| match it.config.cdn_under(it.cdn) {
            _ if !it.is_cached => false.into(),
            Cdn::No => false.into(),
            Cdn::Yes => true.into(),
            Cdn::Public => "public".into(),
        }),
        lock: Some(("cdn", |it| match it.config.cdn_under(it.cdn) {
            Cdn::No => Vec::new(),
            Cdn::Yes => vec!["true".into()],
            Cdn::Public => vec!["public".into()],
        })),
        ..OptionInfo::HIDDEN
    };
    store: bool = true, OptionInfo {
        values: "`true` · `false`: kept in this process's memory only, never in a store",
        default: "`true`",
        place: "GET, page, module",
        json: Some(|it| match it.is_cached {
            true => it.config.store.into(),
            false => Value::Null,
        }),
        ..OptionInfo::HIDDEN
    };
    wrap: &'static [Wrap] = &[], OptionInfo {
        values: "a middleware that `App::wrap` takes, as in `Logger::default()`, or the path of a function for `actix_web::middleware::from_fn`; repeatable, the first is the outermost",
        default: "none",
        place: "any",
        is_of_any: true,
        column: Some(("Wrap", |it| {
            let middleware = it.middleware.iter().filter(|it| !it.is_everywhere);
            middleware.map(ToString::to_string).collect::<Vec<_>>().join(", ")
        })),
        json: Some(|it| {
            let middleware = it.middleware.iter().map(|it| json!({
                "name": it.name(),
                "section": it.section(),
                "open": it.is_open(),
                "sometimes": it.is_sometimes(),
            }));
            middleware.collect()
        }),
        lock: Some(("wrap", |it| {
            it.middleware.iter().map(AppliedMiddleware::lasting).collect()
        })),
    };
    max_duration: Option<u32> = None, OptionInfo {
        values: "seconds, at least 1, after which the handler is dropped and 504 answered; neither `wrap` nor a body that is sent as it is made counts",
        default: "none; 60 for a cached render",
        place: "any",
        ..OptionInfo::HIDDEN
    };
    body_limit: Option<u64> = None, OptionInfo {
        values: "bytes, or `\"64KB\"`, `\"1MB\"` in units of 1024; a longer body is 413; holds for `MultipartForm` with the feature `multipart`",
        default: "1 MiB",
        place: "POST, PUT, PATCH, DELETE, module",
        ..OptionInfo::HIDDEN
    };
}

/// Returns for how many seconds responses are fresh, or `None` if they are fresh for ever.
fn lifetime(shown: &Shown<'_>) -> Option<u32> {
    match shown.config.revalidate {
        Some(Revalidate::After(seconds)) => Some(seconds),
        Some(Revalidate::Never) | None => None,
    }
}

fn seconds(seconds: Option<u32>) -> String {
    seconds.map_or_else(String::new, |it| format!("{it}s"))
}

/// Returns the tags as they are declared: `post:{id}`.
pub(crate) fn declared_tags(shown: &Shown<'_>) -> Vec<String> {
    let names: Vec<_> = shown.segments.iter().filter_map(Segment::param).collect();
    let tags = shown.config.tags.iter().map(|parts| {
        let parts = parts.iter().map(|part| match part {
            TagPart::Literal(text) => (*text).to_owned(),
            TagPart::Param(index) => format!("{{{}}}", names.get(*index).unwrap_or(&"?")),
        });
        parts.collect()
    });
    tags.collect()
}

impl Config {
    /// Returns the longest time that a cached render with these options may take.
    pub(crate) fn render_limit(&self) -> Duration {
        let seconds = self.max_duration;
        seconds.map_or(RENDER_LIMIT, |seconds| Duration::from_secs(seconds.into()))
    }

    /// Returns what shared caches outside may do, according to the declaration and the server.
    ///
    /// `server` is the server's setting. It holds if the declaration has no `cdn` and the route has
    /// no middleware. Middleware may decide who reads the response, and a cache outside would not
    /// ask it.
    pub(crate) fn cdn_under(&self, server: bool) -> Cdn {
        match self.cdn {
            Some(cdn) => cdn,
            None if server && self.wrap.is_empty() => Cdn::Yes,
            None => Cdn::No,
        }
    }
}
