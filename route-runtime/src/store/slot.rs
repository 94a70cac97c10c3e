//! A place for one value outside the map. A route without parameters keeps its response there.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

use super::Weighted;

/// The step, in bytes, in which the rest of memory makes room for growing slots.
const STEP: u64 = 64 * 1024;

/// A place for one value that is never evicted. The value counts towards the bound of the
/// [`Memory`] that made the slot.
///
/// Reading a slot hashes nothing and writes to no shared counter but the value's own.
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

    /// Returns whether this slot counts towards `pinned`.
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

/// The bytes that all slots of one memory hold.
#[derive(Debug, Default)]
pub(super) struct Pinned(AtomicU64);

impl Pinned {
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns the bytes that the map leaves to the slots. They are rounded up, so that a response
    /// that changes by a few bytes at each refresh does not resize the map each time.
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
