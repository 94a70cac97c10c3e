//! Threads that run what users write, apart from the threads on which others wait.
//!
//! A job belongs to an [`Owner`], a handler or a cached function. Jobs wait in a queue of their
//! owner, and the threads take jobs of the owners in turns. Each thread has an actix
//! runtime, so it runs many jobs at once, as long as none keeps it.
//!
//! A watcher looks at the threads every 20 ms. A thread that has been polling the same job for five
//! looks is *stuck*, and another thread takes its place. The job's owner keeps the stuck thread, and
//! from then on its jobs run on threads of its own, until these have had nothing to do for a minute.
//! What other owners had begun on the stuck thread is begun anew elsewhere, if nothing of the result
//! was sent; the result that comes first counts.

mod apart;
mod reply;
mod roster;
mod starving;
mod thread;

#[cfg(test)]
mod tests;

use std::future::ready;
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread as os;
use std::time::Duration;

use futures_core::future::{BoxFuture, LocalBoxFuture};

use self::apart::drop_apart;
pub(crate) use self::apart::{DroppedApart, is_needed};
pub(crate) use self::reply::Reply;
use self::reply::{Progress, replies};
use self::roster::{Consequences, Roster, Task, ThreadId};
use self::thread::Heartbeat;
use crate::owner::Owner;
use crate::target;

/// The time between two looks of the watcher. It is counted in looks, so that a process that was
/// stopped, or had no processor, takes none of its threads for stuck.
const TICK: Duration = Duration::from_millis(20);

/// A number of threads that run the jobs that are given to them.
///
/// Each thread has an `S` of its own, which every job on it sees. When this value is dropped, the
/// threads end, and what they run is dropped.
pub(crate) struct Threads<S: 'static>(Arc<Workplace<S>>);

/// Everything that the threads share.
struct Workplace<S: 'static> {
    /// The name of each thread.
    name: &'static str,
    prepare: Prepare<S>,
    roster: Mutex<Roster<Job<S>, Arc<Heartbeat>>>,
    /// Signals that there may be something to watch, or that the workplace was closed.
    work: Condvar,
}

/// The function that makes the `S` of a thread, on that thread.
type Prepare<S> = Box<dyn Fn() -> LocalBoxFuture<'static, Option<S>> + Send + Sync>;

/// A job, which can be begun on any thread.
struct Job<S: 'static> {
    owner: Owner,
    begin: Arc<dyn Fn(Rc<S>) -> LocalBoxFuture<'static, ()> + Send + Sync>,
    progress: Arc<Progress>,
}

impl<S> Clone for Job<S> {
    fn clone(&self) -> Self {
        Self {
            owner: self.owner,
            begin: Arc::clone(&self.begin),
            progress: Arc::clone(&self.progress),
        }
    }
}

impl<S> Task for Job<S> {
    fn owner(&self) -> Owner {
        self.owner
    }

    fn is_wanted(&self) -> bool {
        self.progress.is_wanted()
    }

    fn begin_anew(&self) -> bool {
        self.progress.begin_anew()
    }
}

impl<S: 'static> Threads<S> {
    /// Starts a thread for each core. Each calls `prepare` first; a thread for which that returns
    /// `None`, or that cannot start, is passed over.
    pub(crate) fn start(
        name: &'static str,
        prepare: impl Fn() -> LocalBoxFuture<'static, Option<S>> + Send + Sync + 'static,
    ) -> Self {
        let cores = os::available_parallelism().map_or(1, usize::from);
        Self::start_some(name, cores, prepare)
    }

    /// Starts this many threads.
    fn start_some(
        name: &'static str,
        count: usize,
        prepare: impl Fn() -> LocalBoxFuture<'static, Option<S>> + Send + Sync + 'static,
    ) -> Self {
        let most = os::available_parallelism().map_or(1, usize::from);
        let workplace = Arc::new(Workplace {
            name,
            prepare: Box::new(prepare),
            roster: Mutex::new(Roster::new(count, most)),
            work: Condvar::new(),
        });
        let first = {
            let mut roster = workplace.roster();
            let threads = (0..count).map(|_| new_thread(&mut roster, None));
            threads.collect::<Vec<_>>()
        };
        for thread in first {
            thread::spawn(&workplace, thread);
        }
        let watched = Arc::clone(&workplace);
        let watcher = os::Builder::new().name(format!("{name}-watch"));
        if let Err(error) = watcher.spawn(move || watched.watch()) {
            tracing::error!(target: target::HANDLER, %error, "threads that are kept cannot be replaced");
        }
        Self(workplace)
    }

    /// Runs a job on one of the threads, and returns its result.
    ///
    /// `begin` is called where the job runs. It may be called again, if the first run is held up by
    /// a job of another owner. Returns `None` if no thread could run the job to its end. The job is
    /// given up when the returned future is dropped.
    pub(crate) async fn run<T, F>(
        &self,
        owner: Owner,
        begin: impl Fn(Rc<S>, Reply<T>) -> F + Send + Sync + 'static,
    ) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = ()> + 'static,
    {
        let (next_run, awaited, progress) = replies();
        let begin = Arc::new(begin);
        let begin = move |place: Rc<S>| {
            let (reply, run) = next_run();
            let begin = Arc::clone(&begin);
            let work: LocalBoxFuture<'static, ()> = Box::pin(async move {
                tokio::select! {
                    biased;
                    () = run.in_vain() => {}
                    () = begin(place, reply) => {}
                }
            });
            work
        };
        self.add(Job {
            owner,
            begin: Arc::new(begin),
            progress,
        });
        awaited.received().await
    }

    /// Runs a future on one of the threads, once and for its own sake. Returns `false` if no thread
    /// is there to run it, or too much work of the owner waits already.
    pub(crate) fn spawn(&self, owner: Owner, work: BoxFuture<'static, ()>) -> bool {
        let work = Mutex::new(Some(work));
        let begin = move |_| {
            let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
            let work: LocalBoxFuture<'static, ()> = match work {
                Some(work) => work,
                None => Box::pin(ready(())),
            };
            work
        };
        self.add(Job {
            owner,
            begin: Arc::new(begin),
            progress: Arc::new(Progress::of_one_run()),
        })
    }

    fn add(&self, job: Job<S>) -> bool {
        let added = self.0.roster().add(job);
        self.0.work.notify_one();
        // Dropped without the lock.
        added.map_err(|job| drop_apart(vec![job])).is_ok()
    }
}

impl Threads<()> {
    /// Starts one thread. Jobs are begun in the order in which they are given to it, unless one
    /// blocks it.
    pub(crate) fn start_one(name: &'static str) -> Self {
        Self::start_some(name, 1, || Box::pin(ready(Some(()))))
    }
}

impl<S: 'static> Drop for Threads<S> {
    fn drop(&mut self) {
        let removed = self.0.roster().close();
        self.0.work.notify_all();
        drop_apart(removed);
    }
}

impl<S: 'static> Workplace<S> {
    fn roster(&self) -> MutexGuard<'_, Roster<Job<S>, Arc<Heartbeat>>> {
        // Nothing that holds the lock can panic halfway through a change.
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches the threads until the workplace is closed.
    fn watch(self: Arc<Self>) {
        loop {
            let mut roster = self.roster();
            while roster.is_idle() && !roster.is_closed() {
                roster = self
                    .work
                    .wait(roster)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            if roster.is_closed() {
                return;
            }
            drop(roster);
            os::sleep(TICK);
            self.look();
        }
    }

    fn look(self: &Arc<Self>) {
        let mut unwanted = Vec::new();
        let mut roster = self.roster();
        let Consequences {
            for_all,
            own,
            named,
            unnamed,
            unready,
        } = roster.tick(&mut unwanted);
        let for_all = (0..for_all).map(|_| None);
        let more = for_all.chain(own.into_iter().map(Some));
        let more: Vec<_> = more.map(|own| new_thread(&mut roster, own)).collect();
        drop(roster);
        drop_apart(unwanted);
        for thread in more {
            thread::spawn(self, thread);
        }
        if unready > 0 {
            tracing::warn!(
                target: target::HANDLER,
                "a thread `{}` is not ready after 5 s: does `configure` block?",
                self.name
            );
        }
        for owner in named {
            tracing::warn!(
                target: target::HANDLER,
                "`{owner}` blocks its thread, for 0.1 s by now. From now on it runs on a few threads \
                 of its own, for as long as it is used, and waits for those alone. Put code that \
                 blocks or computes for long into `web::block`"
            );
        }
        if unnamed > 0 {
            tracing::warn!(
                target: target::HANDLER,
                "a task that a handler or a cached function has left behind blocks its thread, for \
                 0.5 s by now. The thread was replaced. Put code that blocks or computes for long \
                 into `web::block`"
            );
        }
    }
}

/// A thread that is on the roster and has to be started.
struct NewThread {
    id: ThreadId,
    heartbeat: Arc<Heartbeat>,
}

fn new_thread<S>(roster: &mut Roster<Job<S>, Arc<Heartbeat>>, own: Option<Owner>) -> NewThread {
    let heartbeat = Arc::default();
    let id = roster.add_thread(own, Arc::clone(&heartbeat));
    NewThread { id, heartbeat }
}
