//! The routes that are served: a table with its settings, and its cache once something needs it.

use std::panic::Location;
use std::sync::{Arc, OnceLock};
use std::thread::{self, ThreadId};

use super::ResponseCache;
use crate::context::Context;
use crate::table::{RoutesError, Setup};

/// The settings of a table, and its cache, which is started for the first request that needs it. A
/// clone is another handle to the same cache.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) setup: Setup,
    cache: Arc<OnceLock<Arc<ResponseCache>>>,
    /// The place of the call that made it.
    pub(crate) made_at: &'static Location<'static>,
    made_on: ThreadId,
    /// The reason why a worker cannot serve what it was given.
    refused: Arc<OnceLock<RoutesError>>,
}

impl Served {
    /// Fixes the settings. Another table, or one with other settings, has its own cache.
    #[track_caller]
    pub(crate) fn of(setup: Setup) -> Self {
        Self {
            setup,
            cache: Arc::default(),
            made_at: Location::caller(),
            made_on: thread::current().id(),
            refused: Arc::default(),
        }
    }

    /// Returns whether the two have one cache.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.cache, &other.cache)
    }

    /// Notes why a worker cannot serve what it was given, unless another reason is known.
    pub(crate) fn refuse(&self, error: RoutesError) {
        self.refused.set(error).ok();
    }

    /// Returns the reason why a worker cannot serve what it was given, if there is one.
    pub(crate) fn refusal(&self) -> Option<&RoutesError> {
        self.refused.get()
    }

    /// Returns whether this thread has made the routes. A worker that mounts such routes may be one of
    /// several that each make their own.
    pub(crate) fn is_made_here(&self) -> bool {
        self.made_on == thread::current().id()
    }

    /// Returns the cache, and starts it first if need be.
    pub(crate) fn cache(&self) -> &Arc<ResponseCache> {
        self.cache
            .get_or_init(|| Arc::new(ResponseCache::start(&self.setup)))
    }

    /// Returns the cache, if it was started.
    pub(crate) fn started(&self) -> Option<&Arc<ResponseCache>> {
        self.cache.get()
    }

    /// Makes the context of code that belongs to these routes.
    pub(crate) fn context(&self) -> Context {
        Context::of(Arc::downgrade(self.cache().home()))
    }
}
