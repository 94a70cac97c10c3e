//! The responses of cached routes: calls of the engine with what a path and its route tell. Other
//! modules decide how a client is answered, and which data is cached.

mod classify;
mod served;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::http::StatusCode;

use self::classify::classify;
pub(crate) use self::served::Served;
use crate::context::{Caller, Home, Paths};
use crate::declaration::Revalidate;
use crate::engine::{
    Ancestry, Answer, CacheSlot, Call, Failure, Hit, Keep, Key, Lifetime, RenderOutcome, Stale,
    Stats, Turn,
};
use crate::mode::Mode;
use crate::owner::Owner;
use crate::pattern::Params;
use crate::render::{BlankRequest, Fault, Rendered, Renderers};
use crate::store::Tag;
use crate::stored::{Reason, Stored};
use crate::table::{ByHandler, Handler, HandlerId, Setup};
use crate::tags;
use crate::target;

/// The responses of one table of routes, the data they are made of, and the threads that render
/// them.
pub(crate) struct ResponseCache {
    home: Arc<Home>,
    /// The renderer threads, started for the first response.
    renderers: OnceLock<Arc<Renderers>>,
    responses: ByHandler<Responses>,
    setup: Setup,
}

/// The responses of one handler.
struct Responses {
    owner: Owner,
    /// The tag of all these responses.
    pattern: Tag,
    /// The place of the only response, if the route has no parameters.
    slot: Option<Arc<CacheSlot<Stored>>>,
    /// Set once the log has said that the route is not cached, and why.
    is_warned: Arc<AtomicBool>,
}

impl ResponseCache {
    pub(crate) fn start(setup: &Setup) -> Self {
        let home = Home::start(setup);
        let responses = ByHandler::new(&setup.table, |(_, handler)| Responses {
            owner: handler.owner(),
            pattern: tags::pattern_tag(&setup.table.node(handler.node).pattern),
            slot: (!handler.has_params()).then(|| home.engine.slot()),
            is_warned: Arc::default(),
        });
        Self {
            home,
            renderers: OnceLock::new(),
            responses,
            setup: setup.clone(),
        }
    }

    /// Returns the home of the code that runs in a render or in a dynamic handler.
    pub(crate) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    pub(crate) fn renderers(&self) -> &Arc<Renderers> {
        self.renderers
            .get_or_init(|| Arc::new(Renderers::start(&self.setup, &self.home)))
    }

    pub(crate) fn stats(&self) -> Stats {
        self.home.engine.stats()
    }

    /// Waits until no render and no refresh is under way, and their results are written.
    pub(crate) async fn settled(&self) {
        self.home.engine.settled().await;
    }

    /// Learns what other instances have invalidated. Returns whether the store answered; if it did
    /// not, the task that follows the store asks again.
    pub(crate) async fn catch_up(&self) -> bool {
        self.home.engine.catch_up().await.is_ok()
    }

    /// Loads a path's response from the store behind memory. Returns whether the store had one and
    /// memory had none.
    pub(crate) async fn recall(&self, handler: HandlerId, path: &str) -> bool {
        let slot = self.responses[handler].slot.as_deref();
        if self.keep(handler, path) == Keep::InMemory {
            return false;
        }
        self.home.engine.recall(&Key::new(path), slot).await
    }

    /// Removes a path's response from the store behind memory, where other processes may have left
    /// one.
    pub(crate) async fn forget(&self, path: &str) {
        self.home.engine.forget(&Key::new(path)).await;
    }

    /// Returns the entry that can answer a path at once, if there is one.
    pub(crate) fn lookup(&self, handler: HandlerId, path: &str) -> Option<Hit<Stored>> {
        let Responses { slot, owner, .. } = &self.responses[handler];
        match slot {
            Some(slot) => self.home.engine.lookup_slot(slot, *owner),
            None => self.home.engine.lookup(path, *owner),
        }
    }

    /// Counts a request that this entry answers.
    pub(crate) fn count(&self, hit: &Hit<Stored>) {
        self.home.engine.count(hit);
    }

    /// Answers a path with an entry, or with a render that is shared as widely as it may be.
    pub(crate) async fn get(
        &self,
        id: HandlerId,
        path: &str,
        params: &Params,
        caller: Caller,
    ) -> Result<Answer<Stored>, Failure> {
        self.get_or_render(id, path, params, caller, false).await
    }

    /// Answers a path ahead of any request. The caller reports failures, so a failure without a
    /// message is not logged here.
    pub(crate) async fn get_ahead(
        &self,
        id: HandlerId,
        path: &str,
        params: &Params,
    ) -> Result<Answer<Stored>, Failure> {
        self.get_or_render(id, path, params, Caller::default(), true)
            .await
    }

    async fn get_or_render(
        &self,
        id: HandlerId,
        path: &str,
        params: &Params,
        caller: Caller,
        is_reported: bool,
    ) -> Result<Answer<Stored>, Failure> {
        let handler = self.setup.table.handler(id);
        let key = Key::new(path);
        let tags = self.tags(id, path, params);
        let parent = caller.ancestry.clone();
        let is_listed = self.is_listed(id, path);
        let keep = self.keep(id, path);
        let call = Call {
            key: &key,
            slot: self.responses[id].slot.as_ref(),
            tags: &tags,
            also: &[],
            stale: parent.as_ref().map_or(Stale::Serve, Ancestry::stale),
            limit: handler.descriptor.config.render_limit(),
            turn: Turn::Queue,
            owner: handler.owner(),
            keep,
            parent: parent.as_ref(),
        };
        let lifetime = lifetime_of(handler);
        let renderers = Arc::clone(self.renderers());
        let request = self.blank_request(id, path, params, &tags, caller, keep);
        let is_warned = Arc::clone(&self.responses[id].is_warned);
        let pattern = handler.descriptor.pattern;
        let (engine, owner) = (self.home.engine.clone(), handler.owner());
        let render = move |ancestry: Ancestry<Key>| {
            let renderers = Arc::clone(&renderers);
            let is_warned = Arc::clone(&is_warned);
            let engine = engine.clone();
            let mut request = request.clone();
            let path = request.path.clone();
            let is_shared = ancestry.stale() == Stale::Refetch;
            request.caller.ancestry = Some(ancestry);
            async move {
                let Rendered {
                    response,
                    used,
                    fault,
                } = renderers.render(request).await;
                if let Some(what) = &used.uncached
                    && !is_warned.swap(true, Ordering::Relaxed)
                {
                    warn_uncached(pattern, what);
                }
                let lifetime = Lifetime {
                    revalidate: Lifetime::shorter(lifetime.revalidate, used.revalidate),
                    expire: lifetime.expire,
                };
                let status = response.status;
                let outcome = classify(response, used.uncached, lifetime, is_listed);
                if let RenderOutcome::Individual { value, .. } = &outcome
                    && matches!(value.reason, Reason::TooLarge)
                {
                    engine.warn_oversize(owner, &path);
                }
                // Those who wait share such a result, and so do requests of the next second, so
                // there are not many warnings.
                if let (true, RenderOutcome::ShareOnce(_)) = (is_shared, &outcome)
                    && let Fault::Unlogged(error) = fault
                    && (error.is_some() || !is_reported)
                {
                    warn_failed(&path, status, error.as_deref());
                }
                outcome.tagged(used.tags)
            }
        };
        self.home.engine.get_or_render(call, render).await
    }

    /// Renders for this request alone, and keeps nothing. Returns `None` if the render takes too
    /// long.
    pub(crate) async fn render_once(
        &self,
        id: HandlerId,
        path: &str,
        params: &Params,
        caller: Caller,
    ) -> Option<Rendered> {
        let handler = self.setup.table.handler(id);
        let tags = self.tags(id, path, params);
        let keep = self.keep(id, path);
        let request = self.blank_request(id, path, params, &tags, caller, keep);
        let rendered = self.renderers().render(request);
        self.setup
            .clock
            .within(handler.descriptor.config.render_limit(), rendered)
            .await
    }

    fn blank_request(
        &self,
        id: HandlerId,
        path: &str,
        params: &Params,
        declared: &Arc<[Tag]>,
        caller: Caller,
        keep: Keep,
    ) -> BlankRequest {
        BlankRequest {
            handler: id,
            path: path.into(),
            params: params.clone(),
            declared: Arc::clone(declared),
            caller,
            keep,
            most: usize::try_from(self.home.engine.entry_limit()).unwrap_or(usize::MAX),
        }
    }

    /// Returns the paths that `static_params` gives. In development it is called each time.
    pub(crate) async fn listed(&self, id: HandlerId) -> Result<Paths, String> {
        let clock = &self.setup.clock;
        let list = async {
            let limit = self
                .setup
                .table
                .handler(id)
                .descriptor
                .config
                .render_limit();
            let paths = clock.within(limit, self.renderers().list(id)).await;
            let paths = paths.ok_or("`static_params` took too long")?;
            paths.map_err(|_| String::from("the renderer is gone"))?
        };
        match self.setup.mode {
            Mode::Production => self.home.listed[id].get(clock, list).await,
            Mode::Development => Ok(Arc::new(list.await?.into_iter().collect())),
        }
    }

    /// Returns the paths that `static_params` has given, if it was called and has not failed. In
    /// development they are not remembered.
    pub(crate) fn known_paths(&self, id: HandlerId) -> Option<Paths> {
        self.home.listed[id].known()
    }

    /// Returns the part that the store behind memory has in keeping a path's response.
    fn keep(&self, id: HandlerId, path: &str) -> Keep {
        match self.setup.table.handler(id).descriptor.config.store {
            false => Keep::InMemory,
            true if self.is_listed(id, path) => Keep::Listed,
            true => Keep::Unlisted,
        }
    }

    /// Returns whether the program lists a path: it is the only one of its route, or
    /// `static_params` gives it.
    fn is_listed(&self, id: HandlerId, path: &str) -> bool {
        let listed = || self.known_paths(id);
        !self.setup.table.handler(id).has_params()
            || listed().is_some_and(|listed| listed.contains(path))
    }

    /// Returns the tags on which a response depends by its declaration.
    fn tags(&self, id: HandlerId, path: &str, params: &Params) -> Arc<[Tag]> {
        let config = &self.setup.table.handler(id).descriptor.config;
        tags::of_path(path, self.responses[id].pattern.clone(), config, params)
    }
}

pub(crate) fn lifetime_of(handler: &Handler) -> Lifetime {
    let config = &handler.descriptor.config;
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    Lifetime {
        revalidate: config.revalidate.and_then(Revalidate::duration),
        expire: config.expire.map(seconds),
    }
}

fn warn_failed(path: &str, status: StatusCode, error: Option<&str>) {
    tracing::warn!(
        target: target::CACHE,
        { url.path = path, http.response.status_code = status.as_u16(), error },
        "a render failed"
    );
}

/// Logs that a route answers no path, because of what its `static_params` gives.
pub(crate) fn warn_of_no_paths(pattern: &str) {
    tracing::warn!(
        target: target::ROUTES,
        { http.route = pattern },
        "every path of this route is 404: its `static_params` gives none, and `dynamic_params = \
         false` allows no others"
    );
}

fn warn_uncached(pattern: &str, what: &str) {
    tracing::warn!(
        target: target::CACHE,
        "`{pattern}` is rendered for each request, because it uses {what}; write \
         `revalidate = N` to keep it all the same, `dynamic = \"force-dynamic\"` to say that it is \
         meant so, or have the data cached"
    );
}
