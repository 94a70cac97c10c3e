//! Cached routes: the engine, asked with what a path and its route tell, and the responses it
//! keeps. What a client is answered is decided elsewhere, and so is what data it keeps.

mod classify;
mod directives;
mod encoding;
mod flights;
mod listed;
mod stored;
mod wire;

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use actix_web::http::StatusCode;

use self::classify::classify;
pub(crate) use self::directives::directives;
pub(crate) use self::encoding::preferred;
use self::flights::FlightRuntime;
use self::listed::{Listed, Paths};
pub(crate) use self::stored::{Encoded, StoredResponse};
use crate::Mode;
use crate::cache::{
    Ancestry, Answer, CacheSlot, Call, Clock, Config, Engine, Entry, Failure, Hit, Key, Lifetime,
    Outcome, Stale, Stats, Turn,
};
use crate::config::{self, Revalidate, TagPart};
use crate::context::WeakCache;
use crate::loops::Loops;
use crate::render::{BlankRequest, Fault, Rendered, Renderers};
use crate::revalidate::usable_tag;
use crate::routes::{Handler, Setup};
use crate::store::{Invalidation, StoreError, Tag};
use crate::stored::Stored;
use crate::trie::Params;

/// A cached render that takes longer is given up, unless `max_duration` says otherwise.
pub(crate) const RENDER_LIMIT: Duration = Duration::from_secs(60);

/// The responses of one table of routes with the data they are made of, and the threads that make
/// them.
pub(crate) struct ResponseCache {
    engine: Engine<Key, Stored>,
    /// Started for the first response.
    renderers: OnceLock<Arc<Renderers>>,
    /// By handler, as the table's.
    places: Vec<Place>,
    setup: Setup,
    loops: Loops,
    /// How code that runs in a render finds this cache.
    own: WeakCache,
    _flights: FlightRuntime,
}

/// Where a handler's responses are.
struct Place {
    /// The tag of all of them.
    pattern: Tag,
    /// Of a route without parameters.
    slot: Option<Arc<CacheSlot<Stored>>>,
    listed: Listed,
    /// It was said that the route is not cached, and why.
    is_warned: Arc<AtomicBool>,
}

/// For whom something is rendered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    /// A render of this very process, which asks over HTTP.
    pub(crate) ancestry: Option<Ancestry<Key>>,
    /// A client that reloads in development.
    pub(crate) reloads: bool,
}

impl ResponseCache {
    pub(crate) fn start(setup: &Setup) -> Arc<Self> {
        Arc::new_cyclic(|own| Self::new(setup, own))
    }

    fn new(setup: &Setup, own: &Weak<Self>) -> Self {
        let flights = FlightRuntime::start();
        let mut config = Config::new(flights.handle());
        config.clock = setup.clock.clone();
        config.memory = setup.memory;
        setup.sharing.apply(&mut config);
        let engine = Engine::new(config);
        engine.follow();
        let places = setup.table.handlers.iter().map(|handler| Place {
            pattern: pattern_tag(&setup.table.nodes[handler.node].pattern),
            slot: (!handler.has_params()).then(|| engine.slot()),
            listed: Listed::default(),
            is_warned: Arc::default(),
        });
        Self {
            places: places.collect(),
            renderers: OnceLock::new(),
            engine,
            setup: setup.clone(),
            loops: Loops::default(),
            own: Weak::clone(own),
            _flights: flights,
        }
    }

    pub(crate) fn renderers(&self) -> &Arc<Renderers> {
        self.renderers
            .get_or_init(|| Arc::new(Renderers::start(&self.setup, &self.own)))
    }

    /// For data, which has a place in the same memory.
    pub(crate) fn engine(&self) -> &Engine<Key, Stored> {
        &self.engine
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.setup.clock
    }

    pub(crate) fn mode(&self) -> Mode {
        self.setup.mode
    }

    /// The requests that renders make over HTTP, which may come back here.
    pub(crate) fn loops(&self) -> &Loops {
        &self.loops
    }

    pub(crate) fn stats(&self) -> Stats {
        self.engine.stats()
    }

    /// Waits until no render and no refresh is under way, and what they made is written.
    pub(crate) async fn settled(&self) {
        self.engine.settled().await;
    }

    /// Learns what other instances have invalidated. A store that does not answer is asked again
    /// by whoever follows it.
    pub(crate) async fn catch_up(&self) -> bool {
        self.engine.catch_up().await.is_ok()
    }

    /// Takes a path's response from the store behind memory, if it has one.
    pub(crate) async fn recall(&self, handler: usize, path: &str) -> bool {
        let slot = self.places[handler].slot.as_deref();
        self.engine.recall(&Key::new(path), slot).await
    }

    /// Removes a path's response from the store behind memory, where it was left by others.
    pub(crate) async fn forget(&self, path: &str) {
        self.engine.forget(&Key::new(path)).await;
    }

    /// Removes data that cannot be read, here and where it was stored by another program.
    pub(crate) async fn discard(&self, key: &Key, entry: &Arc<Entry<Stored>>) {
        self.engine.discard(key, entry).await;
    }

    pub(crate) async fn invalidate(&self, tag: Tag, how: Invalidation) -> Result<(), StoreError> {
        self.engine.invalidate(&[tag], how).await
    }

    /// The entry with which a path can be answered at once, if there is one.
    pub(crate) fn lookup(&self, handler: usize, path: &str) -> Option<Hit<Stored>> {
        match &self.places[handler].slot {
            Some(slot) => self.engine.lookup_slot(slot),
            None => self.engine.lookup(path),
        }
    }

    /// Counts a request that is answered with it.
    pub(crate) fn count(&self, hit: &Hit<Stored>) {
        self.engine.count(hit);
    }

    /// Whatever answers a path: an entry, or a render that is shared as far as it may be.
    pub(crate) async fn get(
        &self,
        index: usize,
        path: &str,
        params: &Params,
        caller: Caller,
    ) -> Result<Answer<Stored>, Failure> {
        self.ask(index, path, params, caller, false).await
    }

    /// The same for nobody's request, and for somebody who tells what becomes of it.
    pub(crate) async fn get_ahead(
        &self,
        index: usize,
        path: &str,
        params: &Params,
    ) -> Result<Answer<Stored>, Failure> {
        self.ask(index, path, params, Caller::default(), true).await
    }

    async fn ask(
        &self,
        index: usize,
        path: &str,
        params: &Params,
        caller: Caller,
        is_told: bool,
    ) -> Result<Answer<Stored>, Failure> {
        let handler = &self.setup.table.handlers[index];
        let key = Key::new(path);
        let tags = self.tags(index, path, params);
        let parent = caller.ancestry.clone();
        let call = Call {
            key: &key,
            slot: self.places[index].slot.as_ref(),
            tags: &tags,
            also: &[],
            stale: parent.as_ref().map_or(Stale::Serve, Ancestry::stale),
            limit: limit_of(handler),
            turn: Turn::Queue,
            parent: parent.as_ref(),
        };
        let lifetime = lifetime_of(handler);
        let is_listed = !handler.has_params() || self.is_listed(index, path);
        let renderers = Arc::clone(self.renderers());
        let request = self.blank(index, path, params, &tags, caller);
        let is_warned = Arc::clone(&self.places[index].is_warned);
        let pattern = handler.descriptor.pattern;
        let render = move |ancestry: Ancestry<Key>| {
            let renderers = Arc::clone(&renderers);
            let is_warned = Arc::clone(&is_warned);
            let mut request = request.clone();
            let path = request.path.clone();
            let is_shared = ancestry.stale() == Stale::Refetch;
            request.caller.ancestry = Some(ancestry);
            async move {
                let mut rendered = renderers.render(request).await;
                let used = rendered.used.clone();
                if let Some(what) = &used.uncached
                    && !is_warned.swap(true, Ordering::Relaxed)
                {
                    warn_uncached(pattern, what);
                }
                let lifetime = Lifetime {
                    revalidate: Lifetime::shorter(lifetime.revalidate, used.revalidate),
                    expire: lifetime.expire,
                };
                let status = rendered.status;
                let fault = mem::replace(&mut rendered.fault, Fault::Logged);
                let outcome: Outcome<_> = classify(rendered, lifetime, is_listed);
                // Others wait for it or are given it for a second, so there are not many.
                if let (true, Outcome::ShareOnce(_)) = (is_shared, &outcome)
                    && let Fault::Unlogged(error) = fault
                    && (error.is_some() || !is_told)
                {
                    warn_failed(&path, status, error.as_deref());
                }
                outcome.tagged(used.tags)
            }
        };
        self.engine.get_or_render(call, render).await
    }

    /// Renders for this request and nobody else, and keeps nothing. `None` if it takes too long.
    pub(crate) async fn render_once(
        &self,
        index: usize,
        path: &str,
        params: &Params,
        caller: Caller,
    ) -> Option<Rendered> {
        let handler = &self.setup.table.handlers[index];
        let tags = self.tags(index, path, params);
        let rendered = self
            .renderers()
            .render(self.blank(index, path, params, &tags, caller));
        self.setup.clock.within(limit_of(handler), rendered).await
    }

    fn blank(
        &self,
        index: usize,
        path: &str,
        params: &Params,
        declared: &Arc<[Tag]>,
        caller: Caller,
    ) -> BlankRequest {
        BlankRequest {
            handler: index,
            path: path.into(),
            params: params.clone(),
            declared: Arc::clone(declared),
            caller,
            most: usize::try_from(self.engine.entry_limit()).unwrap_or(usize::MAX),
        }
    }

    /// The paths that `static_params` gives. In development it is asked each time.
    pub(crate) async fn listed(&self, index: usize) -> Result<Paths, String> {
        let clock = &self.setup.clock;
        let list = async {
            let limit = limit_of(&self.setup.table.handlers[index]);
            let paths = clock.within(limit, self.renderers().list(index)).await;
            let paths = paths.ok_or("`static_params` took too long")?;
            paths.map_err(|_| String::from("the renderer is gone"))?
        };
        match self.setup.mode {
            Mode::Production => self.places[index].listed.get(clock, list).await,
            Mode::Development => Ok(Arc::new(list.await?.into_iter().collect())),
        }
    }

    /// Whether it is known that no request for a path is ever answered by its handler.
    pub(crate) fn is_never_answered(&self, index: usize, path: &str) -> bool {
        let config = &self.setup.table.handlers[index].descriptor.config;
        let listed = self.places[index].listed.known();
        !config.dynamic_params && listed.is_some_and(|listed| !listed.contains(path))
    }

    fn is_listed(&self, index: usize, path: &str) -> bool {
        let listed = self.places[index].listed.known();
        listed.is_some_and(|listed| listed.contains(path))
    }

    /// What a response depends on by its declaration.
    pub(crate) fn tags(&self, index: usize, path: &str, params: &Params) -> Arc<[Tag]> {
        let handler = &self.setup.table.handlers[index];
        let declared = handler.descriptor.config.tags.iter().filter_map(|parts| {
            let parts = parts.iter().map(|part| match part {
                TagPart::Literal(text) => (*text).to_owned(),
                TagPart::Param(index) => {
                    let values: Vec<_> = params.values(path, *index).collect();
                    values.join("/")
                }
            });
            usable_tag(&parts.collect::<String>())
        });
        let own = [path_tag(path), self.places[index].pattern.clone()];
        own.into_iter().chain(declared).collect()
    }
}

/// The tag of one path.
pub(crate) fn path_tag(path: &str) -> Tag {
    Tag::of_ours("path", path)
}

/// The tag of every path of a pattern.
pub(crate) fn pattern_tag(pattern: &str) -> Tag {
    Tag::of_ours("pattern", pattern)
}

pub(crate) fn lifetime_of(handler: &Handler) -> Lifetime {
    let config = &handler.descriptor.config;
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    Lifetime {
        revalidate: config.revalidate.and_then(Revalidate::duration),
        expire: config.expire.map(seconds),
    }
}

fn limit_of(handler: &Handler) -> Duration {
    render_limit(&handler.descriptor.config)
}

/// How long a cached render of this configuration may take.
pub(crate) fn render_limit(config: &config::Config) -> Duration {
    let seconds = config.max_duration;
    seconds.map_or(RENDER_LIMIT, |seconds| Duration::from_secs(seconds.into()))
}

fn warn_failed(path: &str, status: StatusCode, error: Option<&str>) {
    tracing::warn!(
        url.path = path,
        http.response.status_code = status.as_u16(),
        error,
        "a render failed"
    );
}

fn warn_uncached(pattern: &str, what: &str) {
    tracing::warn!(
        "`{pattern}` is rendered for each request, because it uses {what}; write \
         `revalidate = N` to keep it all the same, `dynamic = \"force-dynamic\"` to say that it is \
         meant so, or have the data cached"
    );
}
