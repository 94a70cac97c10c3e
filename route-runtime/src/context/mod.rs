//! What the code that runs belongs to, so that data and invalidations find their cache.
//!
//! It is known in a handler, in everything the handler awaits, `join!` included, and in the stream it
//! answers with. A task of its own (`tokio::spawn`) begins without; [`inherit`] takes it along.

mod after;
mod flights;
mod home;
mod listed;
pub(crate) mod loops;
mod says;
mod streamed;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use actix_web::http::Uri;

#[doc(hidden)]
pub use self::after::after;
pub(crate) use self::after::{settled, when_sent};
pub(crate) use self::home::Home;
pub(crate) use self::listed::Paths;
pub(crate) use self::loops::Loops;
#[doc(hidden)]
pub use self::says::{revalidate_after, tag};
pub(crate) use self::streamed::in_context;
use crate::declaration::{Config, Dynamic, FetchCache, RENDER_LIMIT, Revalidate};
use crate::engine::{Ancestry, Clock, Key, Lifetime, Stale};
use crate::mode::Mode;
use crate::pattern::Params;
use crate::store::Tag;
use crate::table::HandlerId;

#[cfg(feature = "fetch")]
pub(crate) use self::loops::Entered;

tokio::task_local! {
    static CONTEXT: Context;
}

/// Takes what the current code belongs to along into a task of its own.
///
/// Data that the task uses counts as used by the render, and what it invalidates is found, as if
/// the render itself had done so. The render does not wait for the task: what is used after it has
/// answered is too late to count. Outside a handler this changes nothing.
///
/// # Example
///
/// ```
/// use route_runtime::{cache, context, route};
///
/// #[route("/weather", revalidate = 600)]
/// async fn weather() -> String {
///     let measured = tokio::spawn(context::inherit(async {
///         cache::tag("station:7");
///         21
///     }));
///     match measured.await {
///         Ok(degrees) => format!("{degrees} degrees"),
///         Err(_) => "nobody knows".into(),
///     }
/// }
/// ```
pub fn inherit<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let context = Context::current();
    async move {
        match context {
            Some(context) => context.scope(future).await,
            None => future.await,
        }
    }
}

/// Where a piece of code runs.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) home: Weak<Home>,
    /// What `fetch` does where nothing is said at the call.
    pub(crate) fetch_cache: FetchCache,
    /// On whose behalf it runs, innermost first.
    pub(crate) ancestry: Option<Ancestry<Key>>,
    pub(crate) declared: Declared,
    /// A client that reloads in development wants nothing from the cache.
    pub(crate) reloads: bool,
    /// What is made here, if it may be kept.
    pub(crate) render: Option<Arc<Render>>,
}

/// The tags that the code which runs has by declaration, its own and those of whatever it runs for.
///
/// What was invalidated under one of them is made anew, with all the data that it is made of.
#[derive(Clone, Default)]
pub(crate) enum Declared {
    #[default]
    Nothing,
    Tags(Arc<[Tag]>),
    /// Those of a request for a dynamic handler. They are made when data asks for them, since most
    /// handlers use none that is cached.
    Of(Arc<Requested>),
}

/// A path that was requested, and the handler that answers it.
pub(crate) struct Requested {
    pub(crate) handler: HandlerId,
    pub(crate) uri: Uri,
    pub(crate) params: Params,
}

/// The parts of a request that decide how its data is fetched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    /// A render of this very process, which asks over HTTP.
    pub(crate) ancestry: Option<Ancestry<Key>>,
    /// A client that reloads in development.
    pub(crate) reloads: bool,
}

/// Something that may be kept, while it is made.
pub(crate) struct Render {
    /// How long what it uses is fresh where nothing else is said: as long as itself.
    pub(crate) revalidate: Option<Duration>,
    pub(crate) uncached: Uncached,
    /// How long it may take.
    limit: Duration,
    used: Mutex<Used>,
}

/// What becomes of a render that uses data which is not cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uncached {
    /// It is kept all the same: its lifetime was promised in writing.
    Promised,
    /// It is for the one request it was made for.
    Individual,
    /// It fails: the route says so.
    Error,
}

/// What a render used beyond what its declaration tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Used {
    pub(crate) tags: Vec<Tag>,
    /// The shortest lifetime.
    pub(crate) revalidate: Option<Duration>,
    /// The first that was not cached, in words.
    pub(crate) uncached: Option<Arc<str>>,
    /// Why the render fails, whatever the handler answers.
    pub(crate) refused: Option<Arc<str>>,
}

impl Context {
    /// Makes the context of code that runs inside a route but produces nothing that is kept.
    pub(crate) fn of(home: Weak<Home>) -> Self {
        Self {
            home,
            fetch_cache: FetchCache::Auto,
            ancestry: None,
            declared: Declared::Nothing,
            reloads: false,
            render: None,
        }
    }

    /// Returns the routes that the code belongs to, as long as they are served.
    pub(crate) fn home(&self) -> Option<Arc<Home>> {
        self.home.upgrade()
    }

    /// Of what is made for the sake of this, to be kept by itself: with tags of its own.
    pub(crate) fn within(&self, render: Arc<Render>, tags: &[Tag], by: Ancestry<Key>) -> Self {
        Self {
            fetch_cache: FetchCache::Auto,
            ancestry: Some(by),
            declared: Declared::Tags(self.declared().iter().chain(tags).cloned().collect()),
            render: Some(render),
            ..self.clone()
        }
    }

    /// Of work that goes on when the response is there.
    pub(crate) fn later(self) -> Self {
        Self {
            ancestry: None,
            render: None,
            ..self
        }
    }

    pub(crate) async fn scope<F: Future>(self, future: F) -> F::Output {
        CONTEXT.scope(self, future).await
    }

    /// While this is run, and not in what it leaves to be polled.
    pub(crate) fn sync_scope<T>(self, run: impl FnOnce() -> T) -> T {
        CONTEXT.sync_scope(self, run)
    }

    /// The current one. `None` outside of a handler.
    pub(crate) fn current() -> Option<Self> {
        CONTEXT.try_with(Self::clone).ok()
    }

    /// Whether the code that runs is being developed. `None` outside of a handler.
    pub(crate) fn mode() -> Option<Mode> {
        Some(Self::current()?.home()?.mode)
    }

    /// The tags by declaration. None once the routes are no longer served.
    pub(crate) fn declared(&self) -> Arc<[Tag]> {
        match &self.declared {
            Declared::Nothing => Arc::default(),
            Declared::Tags(tags) => Arc::clone(tags),
            Declared::Of(requested) => {
                let Requested {
                    handler,
                    uri,
                    params,
                } = &**requested;
                let tags =
                    |home: Arc<Home>| home.table.tags(*handler, params.path(uri.path()), params);
                self.home().map(tags).unwrap_or_default()
            }
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        self.home()
            .map_or_else(Clock::system, |home| home.clock.clone())
    }

    pub(crate) fn loops(&self) -> Option<Loops> {
        Some(self.home()?.loops.clone())
    }

    /// How long what is made for the sake of this may take: as long as the cached route that it is
    /// made for.
    pub(crate) fn limit(&self) -> Duration {
        let render = self.render.as_ref();
        render.map_or(RENDER_LIMIT, |render| render.limit)
    }

    /// How stale data is read: what is kept must not be made of it.
    pub(crate) fn stale(&self) -> Stale {
        match &self.ancestry {
            Some(ancestry) => ancestry.stale(),
            None if self.render.is_some() => Stale::Refetch,
            None => Stale::Serve,
        }
    }
}

impl Render {
    pub(crate) fn new(revalidate: Option<Duration>, uncached: Uncached, limit: Duration) -> Self {
        Self {
            revalidate,
            uncached,
            limit,
            used: Mutex::default(),
        }
    }

    /// Of the response of a route.
    pub(crate) fn of(config: &Config) -> Self {
        let revalidate = config.revalidate.and_then(Revalidate::duration);
        let uncached = match (config.dynamic, config.revalidate) {
            (Dynamic::Error, _) => Uncached::Error,
            (Dynamic::ForceStatic, _) | (_, Some(_)) => Uncached::Promised,
            _ => Uncached::Individual,
        };
        Self::new(revalidate, uncached, config.render_limit())
    }

    /// It depends on data with these tags, fresh for so long.
    pub(crate) fn inherit(&self, tags: &[Tag], revalidate: Option<Duration>) {
        let mut used = self.lock();
        used.tags.extend_from_slice(tags);
        used.shorten(revalidate);
    }

    pub(crate) fn tag(&self, tag: Tag) {
        self.lock().tags.push(tag);
    }

    pub(crate) fn revalidate_after(&self, after: Duration) {
        self.lock().shorten(Some(after));
    }

    /// It used this, which is not cached.
    pub(crate) fn uncached(&self, what: &str) {
        self.lock().uncached.get_or_insert_with(|| what.into());
    }

    /// It must not be answered.
    pub(crate) fn refuse(&self, why: &str) {
        self.lock().refused.get_or_insert_with(|| why.into());
    }

    pub(crate) fn used(&self) -> Used {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        // Nothing that holds it can panic halfway through a change.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Used {
    fn shorten(&mut self, after: Option<Duration>) {
        self.revalidate = Lifetime::shorter(self.revalidate, after);
    }
}
