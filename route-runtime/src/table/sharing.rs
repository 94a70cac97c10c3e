//! The settings of the store behind the memory of this process. The store gives many instances one
//! cache, or keeps the cache for the next run of the program.

use std::sync::Arc;
use std::time::Duration;

use super::build_id;
use crate::engine::{Clock, EngineConfig, OnPartition, STALENESS, STORE_LIMIT};
use crate::store::Store;

/// The store behind memory, and its settings.
#[derive(Clone)]
pub(crate) struct Sharing {
    pub(crate) store: Option<Arc<dyn Store>>,
    pub(crate) build_id: Option<Arc<str>>,
    pub(crate) staleness: Duration,
    pub(crate) on_partition: OnPartition,
    pub(crate) limit: Duration,
}

impl Default for Sharing {
    fn default() -> Self {
        Self {
            store: None,
            build_id: None,
            staleness: STALENESS,
            on_partition: OnPartition::default(),
            limit: STORE_LIMIT,
        }
    }
}

impl Sharing {
    pub(crate) fn has_store(&self) -> bool {
        self.store.is_some()
    }

    /// Returns how long another instance may answer with what was invalidated here.
    pub(crate) fn staleness_among_instances(&self) -> Duration {
        match self.has_store() {
            true => self.staleness,
            false => Duration::ZERO,
        }
    }

    pub(crate) fn build(&self, clock: &Clock) -> Arc<str> {
        match &self.build_id {
            Some(build) => Arc::clone(build),
            None => build_id::of_program().map_or_else(|| unique(clock), Arc::from),
        }
    }

    pub(crate) fn apply(&self, config: &mut EngineConfig) {
        let Some(store) = &self.store else { return };
        config.build = self.build(&config.clock);
        config.store = Some(Arc::clone(store));
        config.staleness = self.staleness;
        config.on_partition = self.on_partition;
        config.limits.store_read = self.limit;
    }
}

/// Returns the name of a build that only this process has. Its build is unknown, so another process
/// may render other responses than this one would.
fn unique(clock: &Clock) -> Arc<str> {
    let since = clock.wall().duration_since(std::time::UNIX_EPOCH);
    let nanos = since.unwrap_or_default().as_nanos();
    format!("process {} of {nanos}", std::process::id()).into()
}
