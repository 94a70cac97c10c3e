//! The number of tasks under way, for callers that wait until there are none.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// The tasks under way.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    count: AtomicUsize,
    idle: Notify,
}

impl Tasks {
    pub(super) fn begin(self: &Arc<Self>) -> Running {
        self.count.fetch_add(1, Ordering::SeqCst);
        Running(Arc::clone(self))
    }

    pub(super) async fn wait_until_idle(&self) {
        loop {
            // Made before the count is read, so that the last task cannot end unnoticed.
            let idle = self.idle.notified();
            if self.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            idle.await;
        }
    }
}

/// A task under way, for as long as this value lives.
#[derive(Debug)]
pub(super) struct Running(Arc<Tasks>);

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}
