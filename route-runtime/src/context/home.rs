//! The home of running code: the routes that it belongs to, with their cache.

use std::future::ready;
use std::sync::{Arc, OnceLock};

use super::flights::FlightRuntime;
use super::listed::Listed;
use super::loops::Loops;
use super::outside::Outside;
use crate::engine::{Clock, Engine, EngineConfig, Key};
use crate::mode::Mode;
use crate::purge::{PurgeError, Purged};
use crate::store::{Invalidation, StoreError, Tag};
use crate::stored::Stored;
use crate::table::{ByHandler, HandlerId, Setup, Table};
use crate::threads::Threads;

/// The table of routes that is served, and the one cache of its responses and data.
///
/// It lives as long as the routes are served. Running code finds it through its
/// [`Context`](super::Context), which does not keep it alive. Code that waits for a flight does
/// keep it alive, because it also owns the threads on which flights wait.
pub(crate) struct Home {
    pub(crate) table: Arc<Table>,
    pub(crate) engine: Engine<Key, Stored>,
    pub(crate) clock: Clock,
    pub(crate) mode: Mode,
    /// The requests that renders make over HTTP, which may come back to this process.
    pub(crate) loops: Loops,
    /// The paths that each handler's `static_params` gave.
    pub(crate) listed: ByHandler<Listed>,
    functions: OnceLock<Arc<Threads<()>>>,
    /// The shared cache outside, if it can be purged.
    outside: Option<Outside>,
    _flights: FlightRuntime,
}

impl Home {
    /// Starts an empty cache, which follows what other instances invalidate.
    pub(crate) fn start(setup: &Setup) -> Arc<Self> {
        let flights = FlightRuntime::start();
        let mut config = EngineConfig::new(flights.handle());
        config.clock = setup.clock.clone();
        config.memory = setup.memory;
        config.limits.places = setup.places;
        setup.sharing.apply(&mut config);
        let engine = Engine::new(config);
        engine.follow();
        Arc::new(Self {
            table: Arc::clone(&setup.table),
            engine,
            clock: setup.clock.clone(),
            mode: setup.mode,
            loops: Loops::default(),
            listed: ByHandler::new(&setup.table, |_| Listed::default()),
            functions: OnceLock::new(),
            outside: setup.purge.clone().map(|purge| {
                let staleness = setup.sharing.staleness_among_instances();
                Outside::new(purge, staleness, setup.clock.clone())
            }),
            _flights: flights,
        })
    }

    /// Returns the threads of cached functions, which are started for the first call.
    pub(crate) fn functions(&self) -> &Arc<Threads<()>> {
        let start = || Threads::start("route-function", || Box::pin(ready(Some(()))));
        self.functions.get_or_init(|| Arc::new(start()))
    }

    /// Invalidates everything that carries one of the tags, in this instance and in those that share
    /// its store.
    pub(crate) async fn invalidate(
        &self,
        tags: &[Tag],
        how: Invalidation,
    ) -> Result<(), StoreError> {
        self.engine.invalidate(tags, how).await
    }

    /// Purges what was invalidated from the shared cache outside, if there is one.
    pub(crate) async fn purge(&self, tags: &[Tag], how: Invalidation) -> Result<(), PurgeError> {
        match &self.outside {
            Some(outside) => outside.purge(Purged::new(tags, how)).await,
            None => Ok(()),
        }
    }

    /// Returns whether it is known that the handler never answers requests for a path.
    pub(crate) fn is_never_answered(&self, handler: HandlerId, path: &str) -> bool {
        let config = &self.table.handler(handler).descriptor.config;
        let listed = self.listed[handler].known();
        !config.dynamic_params && listed.is_some_and(|listed| !listed.contains(path))
    }
}
