//! The paths that a handler's `static_params` gives.

use std::collections::HashSet;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::engine::{Clock, Moment};

pub(crate) type Paths = Arc<HashSet<String>>;

/// The time after a failure in which requests get that failure, and `static_params` is not called
/// again. A database may be down, and not every request should query it.
const PAUSE: Duration = Duration::from_secs(1);

/// The paths that a handler's `static_params` gave, once it has.
#[derive(Default)]
pub(crate) struct Listed {
    paths: RwLock<Option<Paths>>,
    /// The last failure. The lock is held by the request that calls `static_params`.
    failed: Mutex<Option<Failed>>,
}

struct Failed {
    at: Moment,
    why: String,
}

impl Listed {
    pub(crate) fn known(&self) -> Option<Paths> {
        self.paths.read().ok()?.clone()
    }

    /// Returns the known paths, or else those that `list` gives now. Only one caller runs its
    /// `list`, however many wait. As long as it fails, later callers try again.
    pub(crate) async fn get(
        &self,
        clock: &Clock,
        list: impl Future<Output = Result<Vec<String>, String>>,
    ) -> Result<Paths, String> {
        if let Some(paths) = self.known() {
            return Ok(paths);
        }
        let mut failed = self.failed.lock().await;
        if let Some(paths) = self.known() {
            return Ok(paths);
        }
        if let Some(Failed { at, why }) = &*failed
            && clock.now().since(*at) < PAUSE
        {
            return Err(why.clone());
        }
        match list.await {
            Ok(paths) => {
                let paths: Paths = Arc::new(paths.into_iter().collect());
                if let Ok(mut known) = self.paths.write() {
                    *known = Some(Arc::clone(&paths));
                }
                *failed = None;
                Ok(paths)
            }
            Err(why) => {
                *failed = Some(Failed {
                    at: clock.now(),
                    why: why.clone(),
                });
                Err(why)
            }
        }
    }
}
