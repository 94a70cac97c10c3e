//! How often something happened, and how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What clocks are advanced by.
pub const SECOND: Duration = Duration::from_secs(1);

/// Counts up, and says how far: 1 at first.
pub fn next(count: &AtomicU32) -> u32 {
    count.fetch_add(1, Ordering::SeqCst) + 1
}

/// How often the handlers of a test ran, as app data; clones count together.
#[derive(Clone, Debug, Default)]
pub struct Runs(Arc<AtomicU32>);

impl Runs {
    /// One more: which it is.
    pub fn next(&self) -> u32 {
        next(&self.0)
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}
