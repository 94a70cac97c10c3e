//! The inside of a thread: it takes jobs, begins them, and shows that it is alive.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use actix_web::rt;
use futures_core::future::LocalBoxFuture;
use tokio::sync::Notify;
use tokio::task::yield_now;

use super::roster::{JobId, NextStep, Pulse, ThreadId};
use super::{NewThread, Task as _, Workplace};
use crate::target;

/// The signs of life of a thread, for the watcher.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    moves: AtomicU64,
    /// The number of the job that is being polled, or 0.
    polled: AtomicU64,
    woken: Notify,
}

impl Heartbeat {
    fn moved(&self) {
        self.moves.fetch_add(1, Ordering::Relaxed);
    }
}

impl Pulse for Arc<Heartbeat> {
    fn moves(&self) -> u64 {
        self.moves.load(Ordering::Relaxed)
    }

    fn polled(&self) -> Option<JobId> {
        match self.polled.load(Ordering::Relaxed) {
            0 => None,
            number => Some(JobId(number)),
        }
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
        self.workplace.roster().remove_thread(self.id);
    }
}

async fn work<S: 'static>(enrolled: Enrolled<S>, heartbeat: &Arc<Heartbeat>) {
    let Enrolled { workplace, id } = &enrolled;
    let Some(place) = (workplace.prepare)().await else {
        return;
    };
    let place = Rc::new(place);
    loop {
        heartbeat.moved();
        let step = workplace.roster().take(*id);
        match step {
            NextStep::Run(number, job) => {
                let mut begun = Begun {
                    work: Some((job.begin)(Rc::clone(&place))),
                    heartbeat: Arc::clone(heartbeat),
                    finished: Finished {
                        workplace: Arc::clone(workplace),
                        id: *id,
                        number,
                    },
                };
                // Begun here: a job that another task keeps from being begun would seem to be
                // under way.
                let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut begun).poll(cx)));
                let is_over = first.await.is_ready();
                workplace.roster().polled_once(job.owner());
                if !is_over {
                    rt::spawn(begun);
                }
                yield_now().await;
            }
            NextStep::Wait => heartbeat.woken.notified().await,
            NextStep::End => return,
        }
    }
}

/// A job that was begun. While it is polled or dropped, the thread's heartbeat says so.
struct Begun<S: 'static> {
    work: Option<LocalBoxFuture<'static, ()>>,
    heartbeat: Arc<Heartbeat>,
    finished: Finished<S>,
}

impl<S> Begun<S> {
    /// Does something with the job that may take long. A panic ends the job.
    fn doing(&mut self, what: impl FnOnce(&mut Option<LocalBoxFuture<'static, ()>>)) {
        let number = self.finished.number.0;
        self.heartbeat.moved();
        self.heartbeat.polled.store(number, Ordering::Relaxed);
        let work = &mut self.work;
        if catch_unwind(AssertUnwindSafe(|| what(work))).is_err() {
            self.work = None;
        }
        self.heartbeat.polled.store(0, Ordering::Relaxed);
        self.heartbeat.moved();
    }
}

impl<S> Future for Begun<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.doing(|work| {
            let is_over = work
                .as_mut()
                .is_none_or(|work| work.as_mut().poll(cx).is_ready());
            if is_over {
                *work = None;
            }
        });
        match self.work {
            Some(_) => Poll::Pending,
            None => Poll::Ready(()),
        }
    }
}

impl<S> Drop for Begun<S> {
    fn drop(&mut self) {
        if self.work.is_some() {
            self.doing(|work| *work = None);
        }
    }
}

/// The end of a job, which the roster learns when this value is dropped.
struct Finished<S: 'static> {
    workplace: Arc<Workplace<S>>,
    id: ThreadId,
    number: JobId,
}

impl<S> Drop for Finished<S> {
    fn drop(&mut self) {
        self.workplace.roster().finish(self.id, self.number);
    }
}
