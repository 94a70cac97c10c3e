//! The question whether a thread waits for a processor. Only Linux can tell.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::TICK;

/// The time for which a thread has waited for a processor.
#[derive(Debug, Default)]
pub(super) struct Starving {
    /// The file that says so.
    file: OnceLock<PathBuf>,
    /// The time at the last look.
    last: Mutex<Duration>,
}

impl Starving {
    /// Asks about the thread that calls this.
    pub(super) fn is_of_this_thread(&self) {
        if let Ok(thread) = fs::read_link("/proc/thread-self") {
            let file = PathBuf::from("/proc").join(thread).join("schedstat");
            self.file.set(file).ok();
        }
    }

    /// Returns whether the thread has waited for more than half of a tick since the last look. Looks
    /// that matter follow each other by a tick.
    pub(super) fn since_last_look(&self) -> bool {
        let Some(waited) = self.waited() else {
            return false;
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *last, waited);
        2 * waited.saturating_sub(before) > TICK
    }

    fn waited(&self) -> Option<Duration> {
        let text = fs::read_to_string(self.file.get()?).ok()?;
        let nanos = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
        Some(Duration::from_nanos(nanos))
    }
}
