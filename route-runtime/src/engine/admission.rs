//! The limits on concurrent renders, and the queue of renders that wait for a turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::{Clock, Failure, Limits};

use crate::target;

/// The admission of renders, within the [`Limits`].
#[derive(Debug)]
pub(super) struct Admission {
    limits: Limits,
    renders: Arc<Semaphore>,
    queued: Arc<AtomicUsize>,
    refreshes: Arc<AtomicUsize>,
    /// Requests have been turned away since a render last got its turn without waiting.
    overloaded: AtomicBool,
}

impl Admission {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            renders: Arc::new(Semaphore::new(limits.renders)),
            queued: Arc::default(),
            refreshes: Arc::default(),
            overloaded: AtomicBool::new(false),
        }
    }

    /// Admits a refresh, or refuses it. A refresh never queues, because no request waits for it.
    pub(super) fn admit_refresh(&self) -> Option<AdmissionPermit> {
        AdmissionPermit::take(&self.refreshes, self.limits.refreshes)
    }

    /// Returns whether a refresh would be refused now.
    pub(super) fn is_busy(&self) -> bool {
        self.refreshes.load(Ordering::Relaxed) >= self.limits.refreshes
    }

    /// Waits until a render that requests wait for may run.
    ///
    /// A notification of `hurry` lets it run at once and uncounted. It says that a render which is
    /// already admitted has come to wait for this one, and would hold its own turn in the meantime.
    pub(super) async fn admit_render(
        &self,
        clock: &Clock,
        hurry: &Notify,
    ) -> Result<Option<OwnedSemaphorePermit>, Failure> {
        let renders = Arc::clone(&self.renders);
        if let Ok(permit) = Arc::clone(&renders).try_acquire_owned() {
            if self.overloaded.load(Ordering::Relaxed) {
                self.overloaded.store(false, Ordering::Relaxed);
            }
            return Ok(Some(permit));
        }
        let Some(_queued) = AdmissionPermit::take(&self.queued, self.limits.queue) else {
            return Err(self.turn_away());
        };
        tokio::select! {
            biased;
            permit = renders.acquire_owned() => Ok(permit.ok()),
            () = hurry.notified() => Ok(None),
            () = clock.sleep(self.limits.queue_wait) => Err(self.turn_away()),
        }
    }

    /// Returns the failure of a request that is turned away. Logs only the first of a series.
    fn turn_away(&self) -> Failure {
        if !self.overloaded.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: target::CACHE,
                running = self.limits.renders,
                waiting = self.queued.load(Ordering::Relaxed),
                "more renders are asked for than are made: some requests are answered with 503"
            );
        }
        Failure::Overloaded {
            retry_after: self.limits.retry_after,
        }
    }
}

/// A permit of which there is a limited number. It is given back when dropped.
#[derive(Debug)]
pub(super) struct AdmissionPermit(Arc<AtomicUsize>);

impl AdmissionPermit {
    fn take(count: &Arc<AtomicUsize>, limit: usize) -> Option<Self> {
        count
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |taken| {
                (taken < limit).then_some(taken + 1)
            })
            .ok()
            .map(|_| Self(Arc::clone(count)))
    }
}

impl Drop for AdmissionPermit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
