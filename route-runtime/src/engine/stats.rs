//! Counters.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What a cache has done since it was made, and what it holds: responses, and the data they are made
/// of. Who asks for data counts as a request like who asks for a response.
///
/// Each request that asks the cache is a hit, stale or a miss, by what it found first. In development
/// routes do not ask it; their data does.
///
/// The counters are read one after another while requests go on, so their sum may be off by those
/// under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests answered from fresh entries.
    pub hits: u64,
    /// Requests answered from stale entries.
    pub stale: u64,
    /// Requests that found no entry they could use: they started a render, waited for one or for
    /// the store behind memory, were given an error of the last second, or were rendered for by
    /// themselves because the response is for one request only.
    pub misses: u64,
    /// Renders begun, for whatever reason.
    pub renders: u64,
    /// Of these, refreshes of stale entries.
    pub refreshes: u64,
    /// Requests turned away because too many renders were waiting.
    pub overloaded: u64,
    /// Entries given up to make room.
    pub evictions: u64,
    /// Results not kept because they were too large.
    pub oversize: u64,
    /// Responses taken over from the store behind memory instead of being rendered here.
    pub adopted: u64,
    /// Requests answered from memory, fresh or stale, while the store could not be asked whether
    /// that was invalidated elsewhere.
    pub unverified: u64,
    /// Times the store behind memory failed or took too long. It is not asked by requests while it
    /// is away, so these are few.
    pub store_failures: u64,
    /// Values kept under keys at present; routes without parameters have a place of their own.
    pub entries: u64,
    /// Bytes kept at present, in all.
    pub bytes: u64,
    /// Of these, bytes of routes without parameters, which are never evicted.
    pub pinned: u64,
    /// The bound on `bytes`.
    pub capacity: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) hits: Striped,
    pub(super) stale: Striped,
    pub(super) misses: AtomicU64,
    pub(super) renders: AtomicU64,
    pub(super) refreshes: AtomicU64,
    pub(super) overloaded: AtomicU64,
    pub(super) oversize: AtomicU64,
    pub(super) adopted: AtomicU64,
    pub(super) unverified: AtomicU64,
    pub(super) store_failures: AtomicU64,
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// A counter for the hot path: threads add to places of their own, so that two workers answering
/// hits do not pass one cache line to and fro.
#[derive(Debug, Default)]
pub(super) struct Striped([Stripe; STRIPES]);

const STRIPES: usize = 16;

/// As large as the pair of cache lines that processors fetch together.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

impl Striped {
    pub(super) fn add(&self) {
        count(&self.0[stripe()].0);
    }

    pub(super) fn sum(&self) -> u64 {
        self.0.iter().map(|stripe| read(&stripe.0)).sum()
    }
}

fn stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static STRIPE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    STRIPE.with(|stripe| {
        if stripe.get() == usize::MAX {
            stripe.set(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
        }
        stripe.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_add_to_one_sum() {
        let counter = Striped::default();
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| (0..100).for_each(|_| counter.add()));
            }
        });
        assert_eq!(counter.sum(), 2000);
    }
}
