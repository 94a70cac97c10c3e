//! Cached routes: the engine, asked with what a path and its route tell, and the responses it
//! keeps. What a client is answered is decided elsewhere, and so is what data it keeps.

mod classify;
mod served;

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::http::StatusCode;

use self::classify::classify;
pub(crate) use self::served::Served;
use crate::context::{Caller, Home, Paths};
use crate::declaration::Revalidate;
use crate::engine::{
    Ancestry, Answer, CacheSlot, Call, Failure, Hit, Key, Lifetime, Outcome, Stale, Stats, Turn,
};
use crate::mode::Mode;
use crate::pattern::Params;
use crate::render::{BlankRequest, Fault, Rendered, Renderers};
use crate::store::Tag;
use crate::stored::Stored;
use crate::table::{ByHandler, Handler, HandlerId, Setup};
use crate::tags;
use crate::target;

/// The responses of one table of routes with the data they are made of, and the threads that make
/// them.
pub(crate) struct ResponseCache {
    home: Arc<Home>,
    /// Started for the first response.
    renderers: OnceLock<Arc<Renderers>>,
    responses: ByHandler<Responses>,
    setup: Setup,
}

/// The responses of one handler.
struct Responses {
    /// The tag of all of them.
    pattern: Tag,
    /// Of a route without parameters.
    slot: Option<Arc<CacheSlot<Stored>>>,
    /// It was said that the route is not cached, and why.
    is_warned: Arc<AtomicBool>,
}

impl ResponseCache {
    pub(crate) fn start(setup: &Setup) -> Self {
        let home = Home::start(setup);
        let responses = ByHandler::new(&setup.table, |(_, handler)| Responses {
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

    /// What code that runs in a render, or in a dynamic handler, belongs to.
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

    /// Waits until no render and no refresh is under way, and what they made is written.
    pub(crate) async fn settled(&self) {
        self.home.engine.settled().await;
    }

    /// Learns what other instances have invalidated. A store that does not answer is asked again
    /// by whoever follows it.
    pub(crate) async fn catch_up(&self) -> bool {
        self.home.engine.catch_up().await.is_ok()
    }

    /// Takes a path's response from the store behind memory, if it has one.
    pub(crate) async fn recall(&self, handler: HandlerId, path: &str) -> bool {
        let slot = self.responses[handler].slot.as_deref();
        self.home.engine.recall(&Key::new(path), slot).await
    }

    /// Removes a path's response from the store behind memory, where it was left by others.
    pub(crate) async fn forget(&self, path: &str) {
        self.home.engine.forget(&Key::new(path)).await;
    }

    /// The entry with which a path can be answered at once, if there is one.
    pub(crate) fn lookup(&self, handler: HandlerId, path: &str) -> Option<Hit<Stored>> {
        match &self.responses[handler].slot {
            Some(slot) => self.home.engine.lookup_slot(slot),
            None => self.home.engine.lookup(path),
        }
    }

    /// Counts a request that is answered with it.
    pub(crate) fn count(&self, hit: &Hit<Stored>) {
        self.home.engine.count(hit);
    }

    /// Whatever answers a path: an entry, or a render that is shared as far as it may be.
    pub(crate) async fn get(
        &self,
        id: HandlerId,
        path: &str,
        params: &Params,
        caller: Caller,
    ) -> Result<Answer<Stored>, Failure> {
        self.ask(id, path, params, caller, false).await
    }

    /// The same for nobody's request, and for somebody who tells what becomes of it.
    pub(crate) async fn get_ahead(
        &self,
        id: HandlerId,
        path: &str,
        params: &Params,
    ) -> Result<Answer<Stored>, Failure> {
        self.ask(id, path, params, Caller::default(), true).await
    }

    async fn ask(
        &self,
        id: HandlerId,
        path: &str,
        params: &Params,
        caller: Caller,
        is_told: bool,
    ) -> Result<Answer<Stored>, Failure> {
        let handler = self.setup.table.handler(id);
        let key = Key::new(path);
        let tags = self.tags(id, path, params);
        let parent = caller.ancestry.clone();
        let call = Call {
            key: &key,
            slot: self.responses[id].slot.as_ref(),
            tags: &tags,
            also: &[],
            stale: parent.as_ref().map_or(Stale::Serve, Ancestry::stale),
            limit: handler.descriptor.config.render_limit(),
            turn: Turn::Queue,
            parent: parent.as_ref(),
        };
        let lifetime = lifetime_of(handler);
        let is_listed = !handler.has_params() || self.is_listed(id, path);
        let renderers = Arc::clone(self.renderers());
        let request = self.blank(id, path, params, &tags, caller);
        let is_warned = Arc::clone(&self.responses[id].is_warned);
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
                let status = rendered.response.status;
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
        self.home.engine.get_or_render(call, render).await
    }

    /// Renders for this request and nobody else, and keeps nothing. `None` if it takes too long.
    pub(crate) async fn render_once(
        &self,
        id: HandlerId,
        path: &str,
        params: &Params,
        caller: Caller,
    ) -> Option<Rendered> {
        let handler = self.setup.table.handler(id);
        let tags = self.tags(id, path, params);
        let rendered = self
            .renderers()
            .render(self.blank(id, path, params, &tags, caller));
        self.setup
            .clock
            .within(handler.descriptor.config.render_limit(), rendered)
            .await
    }

    fn blank(
        &self,
        id: HandlerId,
        path: &str,
        params: &Params,
        declared: &Arc<[Tag]>,
        caller: Caller,
    ) -> BlankRequest {
        BlankRequest {
            handler: id,
            path: path.into(),
            params: params.clone(),
            declared: Arc::clone(declared),
            caller,
            most: usize::try_from(self.home.engine.entry_limit()).unwrap_or(usize::MAX),
        }
    }

    /// The paths that `static_params` gives. In development it is asked each time.
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

    fn is_listed(&self, id: HandlerId, path: &str) -> bool {
        let listed = self.home.listed[id].known();
        listed.is_some_and(|listed| listed.contains(path))
    }

    /// What a response depends on by its declaration.
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

fn warn_uncached(pattern: &str, what: &str) {
    tracing::warn!(
        target: target::CACHE,
        "`{pattern}` is rendered for each request, because it uses {what}; write \
         `revalidate = N` to keep it all the same, `dynamic = \"force-dynamic\"` to say that it is \
         meant so, or have the data cached"
    );
}
