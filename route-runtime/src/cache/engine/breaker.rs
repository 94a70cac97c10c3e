//! What keeps a store that is down from being waited for.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::{cache::Moment, store::StoreError};

/// Open from a failure on, so that no request waits for a store that is known not to answer.
///
/// It is not tried by requests whether the store is back: whoever closes it has caught up with
/// what was invalidated meanwhile.
#[derive(Debug, Default)]
pub(super) struct Breaker(AtomicBool);

impl Breaker {
    pub(super) fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(super) fn open(&self, why: &StoreError) {
        if !self.0.swap(true, Ordering::AcqRel) {
            tracing::warn!(
                error = why as &dyn std::error::Error,
                "the cache's store is away; what is not in memory is rendered here"
            );
        }
    }

    pub(super) fn close(&self) {
        // A look first: this is asked for all the time, and seldom changes anything.
        if self.is_open() && self.0.swap(false, Ordering::AcqRel) {
            tracing::info!("the cache's store is back");
        }
    }
}

/// Something that a store which answers may still fail at, such as writing to a full disk. It is
/// left for a while after a failure, and tried again by whoever needs it.
#[derive(Debug)]
pub(super) struct Trial {
    what: &'static str,
    until: AtomicU64,
    /// In a row.
    failures: AtomicU32,
}

const SHORTEST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

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
        let rest = SHORTEST_REST.saturating_mul(1 << before.min(8));
        let until = now.after(rest.min(LONGEST_REST));
        self.until.store(until.to_bits(), Ordering::Relaxed);
        if before == 0 {
            tracing::warn!(
                error = why as &dyn std::error::Error,
                "the cache's store {}",
                self.what
            );
        }
    }

    pub(super) fn succeeded(&self) {
        if self.failures.load(Ordering::Relaxed) > 0 && self.failures.swap(0, Ordering::Relaxed) > 0
        {
            tracing::info!("the cache's store no longer {}", self.what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Clock;

    #[test]
    fn what_fails_rests_longer_each_time_and_not_at_all_once_it_succeeds() {
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
