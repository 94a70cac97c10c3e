//! Cached routes: the engine, asked with what a path and its route tell, and the responses it
//! keeps. What a client is answered is decided elsewhere.

mod classify;
mod directives;
mod encoding;
mod flights;
mod stored;
mod wire;

use std::collections::HashSet;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use self::classify::classify;
pub(crate) use self::encoding::preferred;
use self::flights::FlightRuntime;
pub(crate) use self::stored::StoredResponse;
use crate::cache::{
    Ancestry, Answer, CacheSlot, Call, Config, Engine, Failure, Hit, Key, Lifetime, Outcome, Stale,
    Stats, Turn,
};
use crate::config::{Revalidate, TagPart};
use crate::context::WeakCache;
use crate::descriptor::Kind;
use crate::render::{Rendered, Renderers};
use crate::routes::{Handler, Setup};
use crate::store::{Invalidation, StoreError, Tag};
use crate::trie::Params;

/// A cached render that takes longer is given up, unless `max_duration` says otherwise.
const RENDER_LIMIT: Duration = Duration::from_secs(60);

/// The responses of one table of routes, and the threads that make them.
pub(crate) struct ResponseCache {
    engine: Engine<Key, StoredResponse>,
    renderers: Arc<Renderers>,
    /// By handler, as the table's.
    places: Vec<Place>,
    setup: Setup,
    _flights: FlightRuntime,
}

/// Where a handler's responses are.
struct Place {
    /// Of a route without parameters.
    slot: Option<Arc<CacheSlot<StoredResponse>>>,
    /// The paths that `static_params` gave, once it has.
    listed: RwLock<Option<Arc<HashSet<String>>>>,
}

impl ResponseCache {
    /// `own` is how code that runs in a render finds this cache.
    pub(crate) fn start(setup: &Setup, own: &WeakCache) -> Self {
        let flights = FlightRuntime::start();
        let mut config = Config::new(flights.handle());
        config.clock = setup.clock.clone();
        config.memory = setup.memory;
        setup.sharing.apply(&mut config);
        let engine = Engine::new(config);
        engine.follow();
        let places = setup.table.handlers.iter().map(|handler| Place {
            slot: (!handler.has_params()).then(|| engine.slot()),
            listed: RwLock::default(),
        });
        Self {
            places: places.collect(),
            renderers: Arc::new(Renderers::start(setup, own)),
            engine,
            setup: setup.clone(),
            _flights: flights,
        }
    }

    pub(crate) fn renderers(&self) -> &Renderers {
        &self.renderers
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

    pub(crate) async fn invalidate(&self, tag: Tag, how: Invalidation) -> Result<(), StoreError> {
        self.engine.invalidate(&[tag], how).await
    }

    /// The fresh entry for a path, if there is one.
    pub(crate) fn lookup(&self, handler: usize, path: &str) -> Option<Hit<StoredResponse>> {
        match &self.places[handler].slot {
            Some(slot) => self.engine.lookup_slot(slot),
            None => self.engine.lookup(path),
        }
    }

    /// Whatever answers a path: an entry, or a render that is shared as far as it may be.
    pub(crate) async fn get(
        &self,
        index: usize,
        path: &str,
        params: &Params,
    ) -> Result<Answer<StoredResponse>, Failure> {
        let handler = &self.setup.table.handlers[index];
        let key = Key::new(path);
        let tags = self.tags(handler, path, params);
        let call = Call {
            key: &key,
            slot: self.places[index].slot.as_ref(),
            tags: &tags,
            stale: Stale::Serve,
            limit: limit_of(handler),
            turn: Turn::Queue,
            parent: None,
        };
        let lifetime = lifetime_of(handler);
        let is_listed = !handler.has_params() || self.is_listed(index, path);
        let renderers = Arc::clone(&self.renderers);
        let request = BlankRequest {
            index,
            kind: handler.descriptor.kind,
            path: path.into(),
            params: params.clone(),
            declared: Arc::clone(&tags),
            most: usize::try_from(self.engine.entry_limit()).unwrap_or(usize::MAX),
        };
        let render = move |ancestry: Ancestry<Key>| {
            let renderers = Arc::clone(&renderers);
            let request = request.clone();
            async move {
                let rendered = request.render(&renderers, Some(ancestry)).await;
                let used = rendered.used.clone();
                let lifetime = Lifetime {
                    revalidate: match (lifetime.revalidate, used.revalidate) {
                        (Some(own), Some(used)) => Some(own.min(used)),
                        (own, used) => own.or(used),
                    },
                    expire: lifetime.expire,
                };
                let outcome: Outcome<_> = classify(rendered, lifetime, is_listed);
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
    ) -> Option<Rendered> {
        let handler = &self.setup.table.handlers[index];
        let request = BlankRequest {
            index,
            kind: handler.descriptor.kind,
            path: path.into(),
            params: params.clone(),
            declared: self.tags(handler, path, params),
            most: usize::try_from(self.engine.entry_limit()).unwrap_or(usize::MAX),
        };
        let limit = limit_of(handler);
        let rendered = request.render(&self.renderers, None);
        self.setup.clock.within(limit, rendered).await
    }

    /// The paths that `static_params` gives. Asked again as long as it fails, and in development
    /// each time.
    pub(crate) async fn listed(&self, index: usize) -> Result<Arc<HashSet<String>>, String> {
        let place = &self.places[index];
        if let Some(listed) = place.known() {
            return Ok(listed);
        }
        let limit = limit_of(&self.setup.table.handlers[index]);
        let paths = self.setup.clock.within(limit, self.renderers.list(index));
        let paths = paths.await.ok_or("`static_params` took too long")?;
        let paths = paths.map_err(|_| String::from("the renderer is gone"))??;
        let listed: Arc<HashSet<String>> = Arc::new(paths.into_iter().collect());
        if self.setup.mode == crate::Mode::Production
            && let Ok(mut place) = place.listed.write()
        {
            *place = Some(Arc::clone(&listed));
        }
        Ok(listed)
    }

    fn is_listed(&self, index: usize, path: &str) -> bool {
        let listed = self.places[index].known();
        listed.is_some_and(|listed| listed.contains(path))
    }

    /// What a response depends on by its declaration.
    fn tags(&self, handler: &Handler, path: &str, params: &Params) -> Arc<[Tag]> {
        let pattern = &self.setup.table.nodes[handler.node].pattern;
        let declared = handler.descriptor.config.tags.iter().map(|parts| {
            let parts = parts.iter().map(|part| match part {
                TagPart::Literal(text) => (*text).to_owned(),
                TagPart::Param(index) => {
                    let values: Vec<_> = params.values(path, *index).collect();
                    values.join("/")
                }
            });
            Tag::new(parts.collect::<String>())
        });
        let own = [path_tag(path), pattern_tag(pattern)];
        own.into_iter().chain(declared).collect()
    }
}

impl Place {
    fn known(&self) -> Option<Arc<HashSet<String>>> {
        self.listed.read().ok()?.clone()
    }
}

/// The tag of one path. A tag that a user can write has no space.
pub(crate) fn path_tag(path: &str) -> Tag {
    Tag::new(format!("path {path}"))
}

/// The tag of every path of a pattern.
pub(crate) fn pattern_tag(pattern: &str) -> Tag {
    Tag::new(format!("pattern {pattern}"))
}

pub(crate) fn lifetime_of(handler: &Handler) -> Lifetime {
    let config = &handler.descriptor.config;
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    Lifetime {
        revalidate: match config.revalidate {
            Some(Revalidate::After(after)) => Some(seconds(after)),
            Some(Revalidate::Never) | None => None,
        },
        expire: config.expire.map(seconds),
    }
}

fn limit_of(handler: &Handler) -> Duration {
    let seconds = handler.descriptor.config.max_duration;
    seconds.map_or(RENDER_LIMIT, |seconds| Duration::from_secs(seconds.into()))
}

/// Everything a render is told.
#[derive(Clone)]
struct BlankRequest {
    index: usize,
    kind: Kind,
    path: String,
    params: Params,
    declared: Arc<[Tag]>,
    most: usize,
}

impl BlankRequest {
    async fn render(self, renderers: &Renderers, ancestry: Option<Ancestry<Key>>) -> Rendered {
        let Self {
            index,
            kind,
            path,
            params,
            declared,
            most,
        } = self;
        let rendered = renderers.render(index, path, params, declared, ancestry, most);
        rendered.await.unwrap_or_else(|_| Rendered::failed(kind))
    }
}
