//! The context of running code, through which data and invalidations find their cache.
//!
//! It is known in a handler, in everything that the handler awaits (`join!` included), and in the
//! stream that the handler responds with. A separate task (`tokio::spawn`) begins without a
//! context; [`inherit`] takes it along.

mod after;
mod flights;
mod home;
mod listed;
pub(crate) mod loops;
mod outside;
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
use crate::engine::{Ancestry, Clock, Keep, Key, Lifetime, Stale};
use crate::mode::Mode;
use crate::owner::Owner;
use crate::pattern::Params;
use crate::store::Tag;
use crate::table::HandlerId;

#[cfg(feature = "fetch")]
pub(crate) use self::loops::Entered;

tokio::task_local! {
    static CONTEXT: Context;
}

/// Takes the current context along into a separate task.
///
/// Data that the task uses counts as used by the render, and the task's invalidations find their
/// routes, as if the render itself had made them. The render does not wait for the task, so data
/// that the task uses after the render has responded is too late to count. Outside a handler this
/// changes nothing.
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

/// The context in which a piece of code runs.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) home: Weak<Home>,
    /// The handler for which the code runs.
    pub(crate) owner: Owner,
    /// The behaviour of `fetch` if the call says nothing.
    pub(crate) fetch_cache: FetchCache,
    /// The renders on whose behalf the code runs, innermost first.
    pub(crate) ancestry: Option<Ancestry<Key>>,
    pub(crate) declared: Declared,
    /// Set for a client that reloads in development, which wants nothing from the cache.
    pub(crate) reloads: bool,
    /// The part that a store has in keeping what the code makes, and data that is made for it. Data
    /// that is made for listed content is listed too: no request can make more of it.
    pub(crate) keep: Keep,
    /// The render that the code is part of, if the result may be kept.
    pub(crate) render: Option<Arc<Render>>,
}

/// The tags that running code has by declaration: its own, and those of everything it runs for.
///
/// If one of them was invalidated, the result of the code is made anew, with all the data in it.
#[derive(Clone, Default)]
pub(crate) enum Declared {
    #[default]
    Nothing,
    Tags(Arc<[Tag]>),
    /// The tags of a request for a dynamic handler. They are made when data asks for them, since
    /// most handlers use no cached data.
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
    /// The render of this very process that sent the request over HTTP, if one did.
    pub(crate) ancestry: Option<Ancestry<Key>>,
    /// Set for a client that reloads in development.
    pub(crate) reloads: bool,
}

/// A result that may be kept, while it is made.
pub(crate) struct Render {
    /// The time for which the data that it uses is fresh if nothing else is said: its own lifetime.
    pub(crate) revalidate: Option<Duration>,
    pub(crate) uncached: Uncached,
    /// The time that it may take.
    limit: Duration,
    used: Mutex<Used>,
}

/// The treatment of a render that uses data which is not cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uncached {
    /// The result is kept all the same: its lifetime was promised in writing.
    Promised,
    /// The result is for the one request that it was made for.
    Individual,
    /// The render fails, because the route says so.
    Error,
}

/// Everything that a render used beyond its declaration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Used {
    pub(crate) tags: Vec<Tag>,
    /// The shortest lifetime of what was used.
    pub(crate) revalidate: Option<Duration>,
    /// The first thing that was not cached, in words.
    pub(crate) uncached: Option<Arc<str>>,
    /// The reason why the render fails, whatever the handler responds.
    pub(crate) refused: Option<Arc<str>>,
}

impl Context {
    /// Makes the context of code that runs inside a route but produces nothing that is kept.
    pub(crate) fn of(home: Weak<Home>) -> Self {
        Self {
            home,
            owner: Owner::NOBODY,
            fetch_cache: FetchCache::Auto,
            ancestry: None,
            declared: Declared::Nothing,
            reloads: false,
            keep: Keep::Unlisted,
            render: None,
        }
    }

    /// Returns the routes that the code belongs to, as long as they are served.
    pub(crate) fn home(&self) -> Option<Arc<Home>> {
        self.home.upgrade()
    }

    /// Makes the context of a result that is made for this code, but kept by itself, with its own
    /// tags.
    pub(crate) fn within(
        &self,
        render: Arc<Render>,
        tags: &[Tag],
        by: Ancestry<Key>,
        keep: Keep,
    ) -> Self {
        Self {
            fetch_cache: FetchCache::Auto,
            ancestry: Some(by),
            declared: Declared::Tags(self.declared().iter().chain(tags).cloned().collect()),
            keep,
            render: Some(render),
            ..self.clone()
        }
    }

    /// Makes the context of work that goes on after the response.
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

    /// Runs a closure in this context. The context does not hold for what the closure leaves to be
    /// polled.
    pub(crate) fn sync_scope<T>(self, run: impl FnOnce() -> T) -> T {
        CONTEXT.sync_scope(self, run)
    }

    /// Returns the current context. `None` outside a handler.
    pub(crate) fn current() -> Option<Self> {
        CONTEXT.try_with(Self::clone).ok()
    }

    /// Returns whether the running code is in development or production. `None` outside a handler.
    pub(crate) fn mode() -> Option<Mode> {
        Some(Self::current()?.home()?.mode)
    }

    /// Returns the tags by declaration. A dynamic handler has none once its routes are no longer
    /// served.
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

    /// Returns the time that something made for this code may take: the limit of the render that
    /// the code is part of, or else the default.
    pub(crate) fn limit(&self) -> Duration {
        let render = self.render.as_ref();
        render.map_or(RENDER_LIMIT, |render| render.limit)
    }

    /// Returns how this code reads stale data. A result that is kept must not be made of stale
    /// data.
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

    /// Makes the render of a route's response.
    pub(crate) fn of(config: &Config) -> Self {
        let revalidate = config.revalidate.and_then(Revalidate::duration);
        let uncached = match (config.dynamic, config.revalidate) {
            (Dynamic::Error, _) => Uncached::Error,
            (Dynamic::ForceStatic, _) | (_, Some(_)) => Uncached::Promised,
            _ => Uncached::Individual,
        };
        Self::new(revalidate, uncached, config.render_limit())
    }

    /// Records that the render depends on data with these tags, which is fresh for this long.
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

    /// Records that the render used this, which is not cached.
    pub(crate) fn uncached(&self, what: &str) {
        self.lock().uncached.get_or_insert_with(|| what.into());
    }

    /// Makes the render fail, whatever the handler responds.
    pub(crate) fn refuse(&self, why: &str) {
        self.lock().refused.get_or_insert_with(|| why.into());
    }

    pub(crate) fn used(&self) -> Used {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        // Nothing that holds the lock can panic halfway through a change.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Used {
    fn shorten(&mut self, after: Option<Duration>) {
        self.revalidate = Lifetime::shorter(self.revalidate, after);
    }
}
