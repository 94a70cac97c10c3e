//! Blank renders: cached handlers run here, and nothing of any request is within their reach.
//!
//! A renderer is a thread with an actix runtime and an `App` of its own. The app has our service,
//! the app data and the `configure` closures, but no middleware. A render gets a path and returns
//! what can cross threads. The request that the handler sees is made for it: its head is
//! `RequestHead::default()` with method and path. So headers, cookies, query and peer address are
//! empty, whichever request caused the render.

mod blank;
mod renderer;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::HttpResponse;
use tokio::sync::{mpsc, oneshot};

use crate::context::{Caller, Home, Used};
use crate::declaration::Kind;
use crate::handler::unrenderable;
use crate::mode::Mode;
use crate::pattern::Params;
use crate::store::Tag;
use crate::stored::RenderedResponse;
use crate::table::{HandlerId, MissingData, Setup, Table};

/// The renderer threads, and the number of the next in turn.
pub(crate) struct Renderers {
    table: Arc<Table>,
    all: Vec<Renderer>,
    next: AtomicUsize,
}

/// The handle to one renderer thread.
struct Renderer {
    jobs: mpsc::UnboundedSender<Job>,
    /// The reference count that the renderer's unfinished jobs share.
    unfinished: Arc<()>,
}

/// The proof that a renderer has not finished a job. The job counts as long as this value lives.
struct UnfinishedJob {
    _counted: Arc<()>,
}

/// A job for a renderer.
struct Job {
    asked: Errand,
    unfinished: UnfinishedJob,
}

/// The work of a job, and the channel for its result.
enum Errand {
    Render(BlankRequest, oneshot::Sender<Rendered>),
    /// The app data that the cached handlers lack.
    Missing(oneshot::Sender<Vec<MissingData>>),
    /// The paths that a handler's `static_params` gives.
    List(HandlerId, oneshot::Sender<ListedPaths>),
}

/// Canonical paths, or the reason why there are none.
pub(crate) type ListedPaths = Result<Vec<String>, String>;

/// Everything that a render gets: one handler and one path. No handler can read anything else of
/// the request.
#[derive(Clone)]
pub(crate) struct BlankRequest {
    pub(crate) handler: HandlerId,
    pub(crate) path: String,
    pub(crate) params: Params,
    /// The tags on which the response depends by its declaration.
    pub(crate) declared: Arc<[Tag]>,
    pub(crate) caller: Caller,
    /// The largest body in bytes that is read whole. Longer bodies are passed on as they come.
    pub(crate) most: usize,
}

/// The result of a render.
pub(crate) struct Rendered {
    pub(crate) response: RenderedResponse,
    pub(crate) used: Used,
    pub(crate) fault: Fault,
}

/// The cause of a failed render, by whether it has been logged.
pub(crate) enum Fault {
    /// The render did not fail, or the log says why.
    Logged,
    /// The message of an error that has not been logged, if the error has a message.
    Unlogged(Option<String>),
}

impl Rendered {
    /// Makes a stand-in for a response that could not be rendered.
    pub(crate) fn failed(kind: Kind, fault: Fault) -> Self {
        Self {
            fault,
            ..Self::of(unrenderable(kind, None))
        }
    }

    /// Makes a stand-in for a response that must not be sent. The log says why, and in development
    /// the response does, too.
    pub(crate) fn refused(kind: Kind, mode: Mode, why: &str) -> Self {
        let why = (mode == Mode::Development).then_some(why);
        Self::of(unrenderable(kind, why))
    }

    fn of(response: HttpResponse) -> Self {
        Self {
            response: RenderedResponse::of(response),
            used: Used::default(),
            fault: Fault::Logged,
        }
    }
}

impl Fault {
    fn unlogged(why: &str) -> Self {
        Self::Unlogged(Some(why.into()))
    }
}

/// The error of a renderer that is gone: its thread could not start, or died.
#[derive(Debug)]
pub(crate) struct RendererGone;

impl Renderers {
    /// Starts one renderer per core. A renderer that cannot start is passed over; if none is left,
    /// callers get an error.
    pub(crate) fn start(setup: &Setup, home: &Arc<Home>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let all = (0..threads)
            .map(|number| {
                let (renderer, jobs) = Renderer::new();
                renderer::spawn(number, setup.clone(), Arc::downgrade(home), jobs);
                renderer
            })
            .collect();
        Self {
            table: Arc::clone(&setup.table),
            all,
            next: AtomicUsize::new(0),
        }
    }

    /// Runs a cached handler with a blank request. If its renderer is gone, the result is an error
    /// response.
    pub(crate) async fn render(&self, request: BlankRequest) -> Rendered {
        let kind = self.table.handler(request.handler).descriptor.kind;
        let (reply, answer) = oneshot::channel();
        match self.send(Errand::Render(request, reply)) {
            Ok(()) => answer.await.ok(),
            Err(RendererGone) => None,
        }
        .unwrap_or_else(|| Rendered::failed(kind, Fault::unlogged("its renderer is gone")))
    }

    /// Returns the app data that the cached handlers lack. One renderer suffices, because all are
    /// alike.
    pub(crate) async fn missing(&self) -> Result<Vec<MissingData>, RendererGone> {
        let (reply, answer) = oneshot::channel();
        self.send(Errand::Missing(reply))?;
        answer.await.map_err(|_| RendererGone)
    }

    /// Calls the handler's `static_params`.
    pub(crate) async fn list(&self, handler: HandlerId) -> Result<ListedPaths, RendererGone> {
        let (reply, answer) = oneshot::channel();
        self.send(Errand::List(handler, reply))?;
        answer.await.map_err(|_| RendererGone)
    }

    /// Sends a job to the renderer with the fewest unfinished jobs, because a handler may block its
    /// thread. Of several such renderers, the next in turn gets the job. A renderer that is gone
    /// stays so, and is passed over.
    fn send(&self, mut asked: Errand) -> Result<(), RendererGone> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.all.len();
        let (before, from) = self.all.split_at(turn);
        loop {
            let there = from.iter().chain(before).filter(|it| !it.jobs.is_closed());
            let Some(idlest) = there.min_by_key(|it| it.unfinished()) else {
                return Err(RendererGone);
            };
            let unfinished = UnfinishedJob {
                _counted: Arc::clone(&idlest.unfinished),
            };
            match idlest.jobs.send(Job { asked, unfinished }) {
                Ok(()) => return Ok(()),
                // This renderer has gone just now.
                Err(mpsc::error::SendError(unsent)) => asked = unsent.asked,
            }
        }
    }
}

impl Renderer {
    fn new() -> (Self, mpsc::UnboundedReceiver<Job>) {
        let (jobs, receiver) = mpsc::unbounded_channel();
        let unfinished = Arc::default();
        (Self { jobs, unfinished }, receiver)
    }

    /// Returns the number of the renderer's unfinished jobs.
    fn unfinished(&self) -> usize {
        Arc::strong_count(&self.unfinished) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;

    type Jobs = mpsc::UnboundedReceiver<Job>;

    fn missing() -> Errand {
        Errand::Missing(oneshot::channel().0)
    }

    fn three() -> (Renderers, Vec<Jobs>) {
        let (all, jobs) = (0..3).map(|_| Renderer::new()).unzip();
        let all = Renderers {
            table: Arc::new(Table::build(Vec::new(), "").unwrap()),
            all,
            next: AtomicUsize::new(0),
        };
        (all, jobs)
    }

    /// Sends a job, and returns the index of the renderer that got it, and the job.
    fn sent(all: &Renderers, jobs: &mut [Jobs]) -> (usize, Job) {
        all.send(missing()).unwrap();
        let mut jobs = jobs.iter_mut().enumerate();
        let job = jobs.find_map(|(index, jobs)| Some((index, jobs.try_recv().ok()?)));
        job.expect("it was sent")
    }

    #[test]
    fn idle_renderers_take_turns() {
        let (all, mut jobs) = three();
        let asked = (0..6).map(|_| sent(&all, &mut jobs).0);
        assert_eq!(asked.collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn a_busy_renderer_gets_no_job_while_others_are_idle() {
        let (all, mut jobs) = three();
        // Nothing waits for the result of this job any more, but the renderer is busy all the same.
        let (busy, blocked) = sent(&all, &mut jobs);
        for _ in 0..6 {
            assert_ne!(sent(&all, &mut jobs).0, busy);
        }
        let others = [sent(&all, &mut jobs), sent(&all, &mut jobs)];
        assert!(others.iter().all(|(index, _)| *index != busy));
        drop(blocked);
        assert_eq!(sent(&all, &mut jobs).0, busy);
    }

    #[test]
    fn queued_jobs_count_as_unfinished() {
        let (all, _jobs) = three();
        for _ in 0..6 {
            all.send(missing()).unwrap();
        }
        let unfinished = all.all.iter().map(Renderer::unfinished);
        assert_eq!(unfinished.collect::<Vec<_>>(), [2, 2, 2]);
    }

    #[test]
    fn a_renderer_that_is_gone_is_passed_over() {
        let (all, mut jobs) = three();
        jobs.remove(1);
        for _ in 0..6 {
            all.send(missing()).unwrap();
        }
        let asked = jobs
            .iter_mut()
            .map(|jobs| std::iter::from_fn(|| jobs.try_recv().ok().map(drop)).count());
        assert_eq!(asked.collect::<Vec<_>>(), [3, 3]);
        jobs.clear();
        assert!(all.send(missing()).is_err(), "nobody is left");
    }
}
