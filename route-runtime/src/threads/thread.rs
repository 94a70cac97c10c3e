//! The inside of a thread: it takes jobs, begins them, and shows that it is alive.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt;
use futures_core::future::LocalBoxFuture;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::sleep;

use super::apart::drop_apart;
use super::roster::{JobId, NextStep, Pulse, ThreadId};
use super::starving::Starving;
use super::{Job, NewThread, Task as _, Workplace};
use crate::target;

/// The signs of life of a thread, for the watcher.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    moves: AtomicU64,
    /// The number of the job that is being polled, or 0.
    polled: AtomicU64,
    woken: Notify,
    starving: Starving,
}

impl Heartbeat {
    fn moved(&self) {
        self.moves.fetch_add(1, Ordering::Release);
    }
}

impl Pulse for Arc<Heartbeat> {
    fn beat(&self) -> (u64, Option<JobId>) {
        // Read in this order, and written in the other: if a job ends in between, the thread has
        // moved.
        let polled = match self.polled.load(Ordering::Acquire) {
            0 => None,
            number => Some(JobId(number)),
        };
        (self.moves.load(Ordering::Acquire), polled)
    }

    fn was_starved(&self) -> bool {
        self.starving.since_last_look()
    }

    fn wake(&self) {
        self.woken.notify_one();
    }
}

/// Starts a thread that is on the roster. If it cannot start, it is taken off.
pub(super) fn spawn<S: 'static>(workplace: &Arc<Workplace<S>>, thread: NewThread) {
    let NewThread { id, heartbeat } = thread;
    let enrolled = Enrolled {
        workplace: Arc::clone(workplace),
        id,
    };
    let builder = std::thread::Builder::new().name(workplace.name.into());
    let spawned = builder.spawn(move || rt::System::new().block_on(work(enrolled, &heartbeat)));
    if let Err(error) = spawned {
        tracing::error!(target: target::HANDLER, %error, "a thread could not start");
    }
}

/// The place of a thread on the roster, until the thread ends, also by a panic.
struct Enrolled<S: 'static> {
    workplace: Arc<Workplace<S>>,
    id: ThreadId,
}

impl<S> Drop for Enrolled<S> {
    fn drop(&mut self) {
        let removed = self.workplace.roster().remove_thread(self.id);
        drop_apart(removed);
    }
}

async fn work<S: 'static>(enrolled: Enrolled<S>, heartbeat: &Arc<Heartbeat>) {
    let Enrolled { workplace, id } = &enrolled;
    heartbeat.starving.is_of_this_thread();
    let Some(place) = (workplace.prepare)().await else {
        return;
    };
    let place = Rc::new(place);
    loop {
        heartbeat.moved();
        let mut unwanted = Vec::new();
        let step = workplace.roster().take(*id, &mut unwanted);
        drop_apart(unwanted);
        match step {
            NextStep::Run(number, job) => {
                let owner = job.owner();
                let mut begun = Begun {
                    work: Some((job.begin)(Rc::clone(&place))),
                    job: Some(job),
                    number,
                    thread: *id,
                    workplace: Arc::clone(workplace),
                    heartbeat: Arc::clone(heartbeat),
                };
                // Begun here: a job that another task keeps from being begun would seem to be
                // under way.
                let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut begun).poll(cx)));
                let is_over = first.await.is_ready();
                workplace.roster().polled_once(owner);
                if !is_over {
                    rt::spawn(begun);
                }
                yield_now().await;
            }
            NextStep::Wait => heartbeat.woken.notified().await,
            NextStep::End => break,
        }
    }
    // What else runs here may serve other threads, like the driver of a connection.
    for _ in 0..LONGEST_END {
        let is_alone = Handle::current().metrics().num_alive_tasks() == 0;
        if is_alone || workplace.roster().is_closed() {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// The number of seconds for which a thread that leaves waits for tasks that others may need.
const LONGEST_END: u32 = 300;

/// A job that was begun. While it is polled or dropped, the thread's heartbeat says so.
struct Begun<S: 'static> {
    work: Option<LocalBoxFuture<'static, ()>>,
    /// The job, until it is over.
    job: Option<Job<S>>,
    number: JobId,
    thread: ThreadId,
    workplace: Arc<Workplace<S>>,
    heartbeat: Arc<Heartbeat>,
}

impl<S> Begun<S> {
    /// Runs code of the job. Returns `None` if it panics.
    fn run<T>(
        &mut self,
        code: impl FnOnce(&mut Option<LocalBoxFuture<'static, ()>>) -> T,
    ) -> Option<T> {
        self.heartbeat.moved();
        self.heartbeat
            .polled
            .store(self.number.0, Ordering::Release);
        let result = catch_unwind(AssertUnwindSafe(|| code(&mut self.work)));
        self.heartbeat.polled.store(0, Ordering::Release);
        self.heartbeat.moved();
        result.ok()
    }

    /// Drops the work and the job, as code of the job.
    fn end(&mut self) {
        let Some(job) = self.job.take() else { return };
        self.run(|work| *work = None);
        let listed = self.workplace.roster().hand_over(self.thread, self.number);
        self.run(|_| drop((job, listed)));
        self.workplace.roster().finish(self.thread, self.number);
    }
}

impl<S> Future for Begun<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.run(|work| work.as_mut().map(|work| work.as_mut().poll(cx)));
        if let Some(Some(Poll::Pending)) = polled {
            return Poll::Pending;
        }
        self.end();
        Poll::Ready(())
    }
}

impl<S> Drop for Begun<S> {
    fn drop(&mut self) {
        self.end();
    }
}
