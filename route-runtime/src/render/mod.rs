//! Blank renders: what is cached runs here, and nothing of any request is within reach.
//!
//! A renderer is a thread with an actix runtime and an `App` of its own: our service, the app data
//! and the `configure` closures, no middleware. A render is asked for with a path and answered
//! with what can cross threads. The request that the handler sees is made for it: the head is
//! `RequestHead::default()` with method and path, so headers, cookies, query and peer address are
//! empty, whoever caused the render.

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

/// The threads, and the next one's turn.
pub(crate) struct Renderers {
    table: Arc<Table>,
    all: Vec<Renderer>,
    next: AtomicUsize,
}

/// The way to one thread.
struct Renderer {
    jobs: mpsc::UnboundedSender<Job>,
    /// Shared by the jobs that it has not finished.
    unfinished: Arc<()>,
}

/// One of the jobs that a renderer has not finished, for as long as this lives.
struct Unfinished(#[expect(dead_code, reason = "counted")] Arc<()>);

/// What a renderer is given to do.
struct Job {
    asked: Asked,
    unfinished: Unfinished,
}

/// What a renderer is asked.
enum Asked {
    Render(BlankRequest, oneshot::Sender<Rendered>),
    /// Which app data the cached handlers lack.
    Missing(oneshot::Sender<Vec<MissingData>>),
    /// The paths that a handler's `static_params` gives.
    List(HandlerId, oneshot::Sender<Listed>),
}

/// Canonical paths, or why there are none.
pub(crate) type Listed = Result<Vec<String>, String>;

/// Everything a render is told: one handler, one path, and nothing of a request.
#[derive(Clone)]
pub(crate) struct BlankRequest {
    pub(crate) handler: HandlerId,
    pub(crate) path: String,
    pub(crate) params: Params,
    /// What the response depends on by its declaration.
    pub(crate) declared: Arc<[Tag]>,
    pub(crate) caller: Caller,
    /// Bodies beyond this many bytes are passed on as they come.
    pub(crate) most: usize,
}

/// What became of a render.
pub(crate) struct Rendered {
    pub(crate) response: RenderedResponse,
    pub(crate) used: Used,
    pub(crate) fault: Fault,
}

/// Why a render failed, if it did.
pub(crate) enum Fault {
    /// It did not, or the log says why.
    Logged,
    /// What its error says, where it has one.
    Unlogged(Option<String>),
}

impl Rendered {
    /// What stands for a response that could not be had.
    pub(crate) fn failed(kind: Kind, fault: Fault) -> Self {
        Self {
            fault,
            ..Self::of(unrenderable(kind, None))
        }
    }

    /// What stands for a response that must not be given, which the log says. In development it says
    /// why, too.
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

/// The renderer is gone: its thread could not start, or died.
#[derive(Debug)]
pub(crate) struct RendererGone;

impl Renderers {
    /// One per core. A renderer that cannot start answers nothing; whoever asks is told.
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

    /// Runs a cached handler with a blank request. A renderer that is gone answers with an error.
    pub(crate) async fn render(&self, request: BlankRequest) -> Rendered {
        let kind = self.table.handler(request.handler).descriptor.kind;
        let (reply, answer) = oneshot::channel();
        match self.send(Asked::Render(request, reply)) {
            Ok(()) => answer.await.ok(),
            Err(RendererGone) => None,
        }
        .unwrap_or_else(|| Rendered::failed(kind, Fault::unlogged("its renderer is gone")))
    }

    /// Asks one renderer, which are all alike.
    pub(crate) async fn missing(&self) -> Result<Vec<MissingData>, RendererGone> {
        let (reply, answer) = oneshot::channel();
        self.send(Asked::Missing(reply))?;
        answer.await.map_err(|_| RendererGone)
    }

    /// Calls the handler's `static_params`.
    pub(crate) async fn list(&self, handler: HandlerId) -> Result<Listed, RendererGone> {
        let (reply, answer) = oneshot::channel();
        self.send(Asked::List(handler, reply))?;
        answer.await.map_err(|_| RendererGone)
    }

    /// To the one that has the least to finish, since a handler may block its thread; of several, to
    /// the next in turn. One that is gone stays so, and is passed over.
    fn send(&self, mut asked: Asked) -> Result<(), RendererGone> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.all.len();
        let (before, from) = self.all.split_at(turn);
        loop {
            let there = from.iter().chain(before).filter(|it| !it.jobs.is_closed());
            let Some(idlest) = there.min_by_key(|it| it.unfinished()) else {
                return Err(RendererGone);
            };
            let unfinished = Unfinished(Arc::clone(&idlest.unfinished));
            match idlest.jobs.send(Job { asked, unfinished }) {
                Ok(()) => return Ok(()),
                // It has gone just now.
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

    /// How many jobs it has.
    fn unfinished(&self) -> usize {
        Arc::strong_count(&self.unfinished) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;

    type Jobs = mpsc::UnboundedReceiver<Job>;

    fn missing() -> Asked {
        Asked::Missing(oneshot::channel().0)
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

    /// Who is asked next, and what.
    fn sent(all: &Renderers, jobs: &mut [Jobs]) -> (usize, Job) {
        all.send(missing()).unwrap();
        let mut jobs = jobs.iter_mut().enumerate();
        let job = jobs.find_map(|(index, jobs)| Some((index, jobs.try_recv().ok()?)));
        job.expect("it was sent")
    }

    #[test]
    fn those_with_nothing_to_finish_take_turns() {
        let (all, mut jobs) = three();
        let asked = (0..6).map(|_| sent(&all, &mut jobs).0);
        assert_eq!(asked.collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn one_that_is_busy_is_asked_last() {
        let (all, mut jobs) = three();
        // Nobody waits for its answer any more; it is busy all the same.
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
    fn what_is_asked_and_not_begun_counts() {
        let (all, _jobs) = three();
        for _ in 0..6 {
            all.send(missing()).unwrap();
        }
        let unfinished = all.all.iter().map(Renderer::unfinished);
        assert_eq!(unfinished.collect::<Vec<_>>(), [2, 2, 2]);
    }

    #[test]
    fn one_that_is_gone_is_passed_over() {
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
