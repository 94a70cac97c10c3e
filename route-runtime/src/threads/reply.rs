//! The result of a job on its way back, however often the job is begun.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// The channel for a job's result, as one run of the job sees it. Of several runs, the first result
/// counts.
pub(crate) struct Reply<T> {
    sender: Arc<Mutex<Option<oneshot::Sender<T>>>>,
    progress: Arc<Progress>,
    run: u32,
}

impl<T> Reply<T> {
    /// Sends the result. Returns whether it got there: no other run was faster, and something still
    /// waits for it.
    pub(crate) fn send(&self, result: T) -> bool {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = sender.take() else {
            return false;
        };
        self.progress.sent.store(self.run, Ordering::Release);
        let got_there = sender.send(result).is_ok();
        self.progress.over.cancel();
        got_there
    }
}

/// The progress of a job.
#[derive(Debug)]
pub(super) struct Progress {
    /// The number of runs that were begun.
    runs: AtomicU32,
    /// The run whose result was sent, or 0.
    sent: AtomicU32,
    /// Cancelled once a result was sent, or nothing waits for one any more.
    over: CancellationToken,
    /// The number of times that the job may still be begun anew.
    left: AtomicU32,
}

/// The wait for a job's result. When it is dropped, the job is given up.
pub(super) struct AwaitedReply<T> {
    receiver: oneshot::Receiver<T>,
    progress: Arc<Progress>,
}

/// Makes the two ends of the way back. The first gives each run of the job its reply.
pub(super) fn replies<T>() -> (impl Fn() -> (Reply<T>, Run), AwaitedReply<T>, Arc<Progress>) {
    let (sender, receiver) = oneshot::channel();
    let sender = Arc::new(Mutex::new(Some(sender)));
    let progress = Arc::new(Progress::default());
    let awaited = AwaitedReply {
        receiver,
        progress: Arc::clone(&progress),
    };
    let begun = Arc::clone(&progress);
    let begin = move || {
        let run = begun.runs.fetch_add(1, Ordering::Relaxed) + 1;
        let reply = Reply {
            sender: Arc::clone(&sender),
            progress: Arc::clone(&begun),
            run,
        };
        let progress = Arc::clone(&begun);
        (reply, Run { progress, run })
    };
    (begin, awaited, progress)
}

impl<T> AwaitedReply<T> {
    /// Waits for the result. Returns `None` if no run of the job is left that could send one.
    pub(super) async fn received(mut self) -> Option<T> {
        (&mut self.receiver).await.ok()
    }
}

impl<T> Drop for AwaitedReply<T> {
    fn drop(&mut self) {
        self.progress.over.cancel();
    }
}

/// The number of times that a job is begun anew. Each time, a thread was kept by another owner, which
/// does not happen twice with the same one.
const ANEW: u32 = 3;

impl Default for Progress {
    fn default() -> Self {
        Self {
            runs: AtomicU32::new(0),
            sent: AtomicU32::new(0),
            over: CancellationToken::new(),
            left: AtomicU32::new(ANEW),
        }
    }
}

impl Progress {
    /// The progress of a job that is not begun anew.
    pub(super) fn of_one_run() -> Self {
        Self {
            left: AtomicU32::new(0),
            ..Self::default()
        }
    }

    /// Returns whether something waits for a result that was not sent yet.
    pub(super) fn is_wanted(&self) -> bool {
        !self.over.is_cancelled()
    }

    /// Returns whether the job is to be begun once more. Says so [a few times](ANEW) at most.
    pub(super) fn begin_anew(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        let (order, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.is_wanted() && self.left.fetch_update(order, fetch, one_less).is_ok()
    }
}

/// A run of a job.
pub(super) struct Run {
    progress: Arc<Progress>,
    run: u32,
}

impl Run {
    /// Resolves when this run is in vain: another run has sent a result, or nothing waits for one
    /// any more.
    pub(super) async fn in_vain(&self) {
        self.progress.over.cancelled().await;
        if self.progress.sent.load(Ordering::Acquire) == self.run {
            pending::<()>().await;
        }
    }
}
