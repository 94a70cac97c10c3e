//! One value outside the map: where a route without parameters keeps its response.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

use super::Weighted;

/// How far slots may grow before the rest of memory is told.
const STEP: u64 = 64 * 1024;

/// Holds one value which is never evicted, counted towards the bound of the [`Memory`] it is from.
///
/// Reading it hashes nothing and writes to no shared counter but the value's own.
///
/// [`Memory`]: super::Memory
pub(crate) struct Slot<T: Weighted> {
    value: ArcSwapOption<T>,
    pinned: Arc<Pinned>,
}

impl<T: Weighted + Clone> Slot<T> {
    pub(super) fn new(pinned: Arc<Pinned>) -> Self {
        Self {
            value: ArcSwapOption::empty(),
            pinned,
        }
    }

    pub(crate) fn read(&self) -> Option<T> {
        self.value.load().as_deref().cloned()
    }

    pub(super) fn swap(&self, value: Option<T>) {
        let weight = |value: &T| value.weight() as u64;
        let added = value.as_ref().map_or(0, weight);
        let old = self.value.swap(value.map(Arc::new));
        self.pinned.add(added);
        self.pinned.sub(old.as_deref().map_or(0, weight));
    }

    pub(super) fn weight(&self) -> u64 {
        self.value
            .load()
            .as_deref()
            .map_or(0, |value| value.weight() as u64)
    }

    /// Whether this slot counts towards `pinned`.
    pub(super) fn belongs_to(&self, pinned: &Arc<Pinned>) -> bool {
        Arc::ptr_eq(&self.pinned, pinned)
    }
}

impl<T: Weighted> Drop for Slot<T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.swap(None) {
            self.pinned.sub(value.weight() as u64);
        }
    }
}

impl<T: Weighted> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// The bytes all slots of one memory hold.
#[derive(Debug, Default)]
pub(super) struct Pinned(AtomicU64);

impl Pinned {
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Rounded up, so that a response that changes by a few bytes at each refresh does not
    /// resize the map each time.
    pub(super) fn reserved(&self) -> u64 {
        self.bytes().next_multiple_of(STEP)
    }

    fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn sub(&self, bytes: u64) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}
