//! The shared cache outside, told now and once more.

use std::sync::Arc;
use std::time::Duration;

use super::after::run_counted;
use crate::engine::Clock;
use crate::purge::{LIMIT, MARGIN, Purge, PurgeError, Purged};
use crate::target;

/// The shared cache outside.
#[derive(Clone)]
pub(super) struct Outside {
    purge: Arc<dyn Purge>,
    /// The time for which other instances may still answer with what was invalidated.
    staleness: Duration,
    clock: Clock,
}

impl Outside {
    pub(super) fn new(purge: Arc<dyn Purge>, staleness: Duration, clock: Clock) -> Self {
        Self {
            purge,
            staleness,
            clock,
        }
    }

    /// Purges now, and once more when no old response can be on its way any more. Nobody waits for
    /// the second purge but a server that stops.
    pub(super) async fn purge(&self, what: Purged) -> Result<(), PurgeError> {
        let what = Arc::new(what);
        let (again, later) = (self.clone(), Arc::clone(&what));
        let at = self.clock.now().after(self.staleness + MARGIN);
        // Begun first: the caller may go away, and so may its runtime.
        run_counted(async move {
            again.clock.sleep(at.since(again.clock.now())).await;
            if let Err(error) = again.purge_once(&later).await {
                tracing::warn!(target: target::CACHE, %error, "a shared cache was not purged for the second time");
            }
        });
        self.purge_once(&what).await
    }

    async fn purge_once(&self, what: &Purged) -> Result<(), PurgeError> {
        let purged = self.clock.within(LIMIT, self.purge.purge(what)).await;
        purged.unwrap_or_else(|| Err(PurgeError::too_late()))
    }
}
