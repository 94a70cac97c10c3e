//! Counters, and the unit of time that tests use.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The step by which tests advance clocks.
pub const SECOND: Duration = Duration::from_secs(1);

/// Increments a counter and returns its new value, which is 1 the first time.
pub fn next(count: &AtomicU32) -> u32 {
    count.fetch_add(1, Ordering::SeqCst) + 1
}

/// A counter of how often the handlers of a test ran, for use as app data.
///
/// Clones share one count.
#[derive(Clone, Debug, Default)]
pub struct Runs(Arc<AtomicU32>);

impl Runs {
    /// Counts one run and returns its number, which is 1 for the first.
    pub fn next(&self) -> u32 {
        next(&self.0)
    }

    /// Returns the number of runs so far.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}
