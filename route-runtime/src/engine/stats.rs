//! The counters of a cache.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::owner::Owner;

/// The counts of what a cache has done since it was made, and of what it holds: responses, and the
/// data that they are made of. A request for data counts like a request for a response.
///
/// Each request to the cache is counted as a hit, as stale or as a miss, by what it found first. In
/// development, routes do not ask the cache, but their data does.
///
/// The counters are read one after another while requests go on, so their sum may be off by the
/// requests under way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests answered from fresh entries.
    pub hits: u64,
    /// Requests answered from stale entries.
    pub stale: u64,
    /// Requests that found no entry they could use. They started a render, waited for a render or
    /// for the store behind memory, were given an error of the last second, or ran a render of
    /// their own because the response is for one request only.
    pub misses: u64,
    /// Renders begun, for whatever reason.
    pub renders: u64,
    /// Refreshes of stale entries begun.
    pub refreshes: u64,
    /// Requests turned away because too many renders of their handler were waiting. `shares` names
    /// the handlers.
    pub overloaded: u64,
    /// Entries removed to make room.
    pub evictions: u64,
    /// Results not kept because they were too large.
    pub oversize: u64,
    /// Responses taken over from the store behind memory instead of being rendered here.
    pub adopted: u64,
    /// Requests answered from memory, fresh or stale, while the store could not be asked whether
    /// the content was invalidated elsewhere.
    pub unverified: u64,
    /// Failures and timeouts of the store behind memory. Requests do not ask the store while it is
    /// away, so these are few.
    pub store_failures: u64,
    /// Values kept under keys at present. Routes without parameters have places of their own, which
    /// are not counted.
    pub entries: u64,
    /// Bytes kept at present, in all.
    pub bytes: u64,
    /// Bytes kept for routes without parameters, which are never evicted. They are part of `bytes`.
    pub pinned: u64,
    /// The bound on `bytes`.
    pub capacity: u64,
    /// The handlers that render at present, wait to render, or were turned away, the busiest first.
    pub shares: Vec<RenderShare>,
}

/// The part that one handler has of the renders that requests wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenderShare {
    /// The handler's pattern, as it is declared.
    pub handler: &'static str,
    /// The number of its renders at present, without those that are part of another render.
    pub running: u64,
    /// The number of its refreshes at present.
    pub refreshing: u64,
    /// The number of its renders that wait for a place at present.
    pub waiting: u64,
    /// The number of its renders that were turned away, in all.
    pub overloaded: u64,
}

impl RenderShare {
    pub(super) fn of(owner: Owner) -> Self {
        Self {
            handler: owner.0,
            running: 0,
            refreshing: 0,
            waiting: 0,
            overloaded: 0,
        }
    }
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

/// A counter for the hot path. Threads add to different places, so that two workers that answer
/// hits do not pass one cache line to and fro.
#[derive(Debug, Default)]
pub(super) struct Striped([Stripe; STRIPES]);

const STRIPES: usize = 16;

/// The place of some threads in a [`Striped`] counter. It is as large as the pair of cache lines
/// that processors fetch together.
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
