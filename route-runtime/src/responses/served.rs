//! The routes that are served: a table with its settings, and its cache once something needs it.

use std::sync::{Arc, OnceLock};

use super::ResponseCache;
use crate::context::Context;
use crate::table::Setup;

/// The settings of a table, and its cache, which is started for the first request that needs it. A
/// clone is another handle to the same cache.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) setup: Setup,
    cache: Arc<OnceLock<Arc<ResponseCache>>>,
}

impl Served {
    /// Fixes the settings. Another table, or one with other settings, has its own cache.
    pub(crate) fn of(setup: Setup) -> Self {
        Self {
            setup,
            cache: Arc::default(),
        }
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
