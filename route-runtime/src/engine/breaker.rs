//! The guards that keep requests from waiting for a store that is down.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::Moment;
use crate::store::StoreError;
use crate::target;

/// A guard that opens at a failure, so that no request waits for a store that is known not to
/// answer.
///
/// Requests do not test whether the store is back. The caller that closes the breaker has caught up
/// with what was invalidated meanwhile. A store that can be caught up with, but still cannot be
/// read, counts as away for longer each time.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    open: AtomicBool,
    /// The log says that the store is away.
    told: AtomicBool,
    /// The number of reads that failed since one succeeded.
    failed_reads: AtomicU32,
    /// The moment until which the breaker stays open.
    until: AtomicU64,
}

impl Breaker {
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    pub(super) fn open(&self, why: &StoreError) {
        self.open.store(true, Ordering::Release);
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: target::STORE,
                error = why as &dyn std::error::Error,
                "the cache's store is away; what is not in memory is rendered here"
            );
        }
    }

    /// Closes the breaker once the store has answered what was invalidated, unless the breaker has
    /// to stay open for longer.
    pub(super) fn close(&self, now: Moment) {
        // Checked first: this is called all the time, and seldom changes anything.
        if !self.is_open() || now < Moment::from_bits(self.until.load(Ordering::Relaxed)) {
            return;
        }
        self.open.store(false, Ordering::Release);
        // One read may have failed just because the store was away. After a second failed read,
        // only a read that succeeds shows that the store is back.
        if self.failed_reads.load(Ordering::Relaxed) <= 1 {
            self.log_return();
        }
    }

    pub(super) fn read_failed(&self, now: Moment, why: &StoreError) {
        // Many reads may be waiting when the store goes away. Only the first failure counts.
        if !self.is_open() {
            let before = self.failed_reads.fetch_add(1, Ordering::Relaxed);
            if before > 0 {
                let until = now.after(rest_after(before - 1)).to_bits();
                self.until.store(until, Ordering::Relaxed);
            }
        }
        self.open(why);
    }

    pub(super) fn read_succeeded(&self) {
        if self.failed_reads.load(Ordering::Relaxed) > 0 {
            self.failed_reads.store(0, Ordering::Relaxed);
            self.log_return();
        }
    }

    fn log_return(&self) {
        if self.told.swap(false, Ordering::Relaxed) {
            tracing::info!(target: target::STORE, "the cache's store is back");
        }
    }
}

/// An operation that may fail although the store answers, such as a write to a full disk. After a
/// failure it rests for a while. Then the next caller that needs it tries it again.
#[derive(Debug)]
pub(super) struct Trial {
    what: &'static str,
    until: AtomicU64,
    /// The number of failures in a row.
    failures: AtomicU32,
}

const SHORTEST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// Returns the rest after a failure. It doubles with each of the `failures` before, up to a bound.
fn rest_after(failures: u32) -> Duration {
    LONGEST_REST.min(SHORTEST_REST.saturating_mul(1 << failures.min(8)))
}

impl Trial {
    pub(super) fn new(what: &'static str) -> Self {
        Self {
            what,
            until: AtomicU64::new(Moment::MIN.to_bits()),
            failures: AtomicU32::new(0),
        }
    }

    pub(super) fn rests(&self, now: Moment) -> bool {
        now < Moment::from_bits(self.until.load(Ordering::Relaxed))
    }

    pub(super) fn failed(&self, now: Moment, why: &StoreError) {
        let before = self.failures.fetch_add(1, Ordering::Relaxed);
        let until = now.after(rest_after(before));
        self.until.store(until.to_bits(), Ordering::Relaxed);
        if before == 0 {
            tracing::warn!(
                target: target::STORE,
                error = why as &dyn std::error::Error,
                "the cache's store {}",
                self.what
            );
        }
    }

    pub(super) fn succeeded(&self) {
        if self.failures.load(Ordering::Relaxed) > 0 && self.failures.swap(0, Ordering::Relaxed) > 0
        {
            tracing::info!(target: target::STORE, "the cache's store no longer {}", self.what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Clock;

    #[test]
    fn a_store_that_can_be_asked_but_not_read_stays_away_for_longer_each_time() {
        let (clock, _) = Clock::manual();
        let breaker = Breaker::default();
        let why = StoreError::new("slow");
        let mut now = clock.now();
        for rest in [0, 1, 2, 4, 8, 16, 30, 30] {
            for _ in 0..100 {
                breaker.read_failed(now, &why);
            }
            let until = now.after(Duration::from_secs(rest));
            if rest > 0 {
                breaker.close(until.before(Duration::from_nanos(1)));
                assert!(breaker.is_open(), "{rest}");
            }
            breaker.close(until);
            assert!(!breaker.is_open(), "{rest}");
            now = until;
        }
        breaker.read_succeeded();
        breaker.read_failed(now, &why);
        breaker.close(now);
        assert!(!breaker.is_open());
    }

    #[test]
    fn a_failing_operation_rests_longer_each_time_until_it_succeeds() {
        let (clock, _) = Clock::manual();
        let now = clock.now();
        let trial = Trial::new("fails");
        let why = StoreError::new("full");
        assert!(!trial.rests(now));
        for rest in [1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30] {
            trial.failed(now, &why);
            let until = now.after(Duration::from_secs(rest));
            assert!(trial.rests(until.before(Duration::from_nanos(1))));
            assert!(!trial.rests(until));
        }
        trial.succeeded();
        trial.failed(now, &why);
        assert!(!trial.rests(now.after(SHORTEST_REST)));
    }
}
