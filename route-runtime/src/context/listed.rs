//! The paths that a `static_params` gives.

use std::collections::HashSet;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::engine::{Clock, Moment};

pub(crate) type Paths = Arc<HashSet<String>>;

/// How long whoever asks is told that nobody knows, once it has failed: it may be a database that is
/// down, and that is not to be asked by every request.
const PAUSE: Duration = Duration::from_secs(1);

/// What a `static_params` gave, once it has.
#[derive(Default)]
pub(crate) struct Listed {
    paths: RwLock<Option<Paths>>,
    /// Held by the one who asks.
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

    /// What is known, else what `list` gives now. One asks, however many wait; it is asked again as
    /// long as it fails.
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
