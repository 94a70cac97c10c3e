//! Blank renders: what is cached runs here, and nothing of any request is within reach.
//!
//! A renderer is a thread with an actix runtime and an `App` of its own: our service, the app data
//! and the `configure` closures, no middleware. A render is asked for with a path and answered
//! with what can cross threads. The request that the handler sees is made for it: the head is
//! `RequestHead::default()` with method and path, so headers, cookies, query and peer address are
//! empty, whoever caused the render.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use actix_web::HttpResponse;
use actix_web::body::MessageBody as _;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::context::{Used, WeakCache};
use crate::descriptor::Kind;
use crate::mode::Mode;
use crate::responses::Caller;
use crate::routes::{Setup, Table};
use crate::service;
use crate::store::Tag;
use crate::trie::Params;

mod blank;
mod renderer;

/// The threads, and the next one's turn.
pub(crate) struct Renderers {
    table: Arc<Table>,
    jobs: Vec<mpsc::UnboundedSender<Job>>,
    next: AtomicUsize,
}

/// What a renderer is asked.
enum Job {
    Render(BlankRequest, oneshot::Sender<Rendered>),
    /// Which app data the cached handlers lack.
    Missing(oneshot::Sender<Vec<MissingData>>),
    /// The paths that a handler's `static_params` gives.
    List(usize, oneshot::Sender<Listed>),
}

/// Canonical paths, or why there are none.
pub(crate) type Listed = Result<Vec<String>, String>;

/// Everything a render is told: one handler, one path, and nothing of a request.
#[derive(Clone)]
pub(crate) struct BlankRequest {
    pub(crate) handler: usize,
    pub(crate) path: String,
    pub(crate) params: Params,
    /// What the response depends on by its declaration.
    pub(crate) declared: Arc<[Tag]>,
    pub(crate) caller: Caller,
    /// Bodies beyond this many bytes are passed on as they come.
    pub(crate) most: usize,
}

/// What a handler answered, ready to cross threads.
pub(crate) struct Rendered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: RenderedBody,
    pub(crate) used: Used,
}

pub(crate) enum RenderedBody {
    /// Whole.
    Full(Bytes),
    /// Longer than asked for, or endless: chunks, as they come. The last is an error if the
    /// handler's own stream fails or panics.
    Stream {
        chunks: mpsc::Receiver<Result<Bytes, BrokenBody>>,
        /// Where it is known ahead.
        length: Option<u64>,
    },
}

impl Rendered {
    /// What stands for a response that could not be had.
    pub(crate) fn failed(kind: Kind) -> Self {
        Self::of(service::unrenderable(kind, None))
    }

    /// What stands for a response that must not be given. In development it says why.
    pub(crate) fn refused(kind: Kind, mode: Mode, why: &str) -> Self {
        let why = (mode == Mode::Development).then_some(why);
        Self::of(service::unrenderable(kind, why))
    }

    fn of(response: HttpResponse) -> Self {
        let (head, body) = response.into_parts();
        Self {
            status: head.status(),
            headers: head.headers().clone(),
            body: RenderedBody::Full(body.try_into_bytes().unwrap_or_default()),
            used: Used::default(),
        }
    }
}

/// A handler's body ended with an error, or its renderer did.
#[derive(Debug)]
pub(crate) struct BrokenBody;

impl fmt::Display for BrokenBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body of a render ended early")
    }
}

impl std::error::Error for BrokenBody {}

/// A cached handler's argument needs app data that nobody registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MissingData {
    pub(crate) handler: usize,
    pub(crate) argument: &'static str,
    pub(crate) data: String,
}

/// The renderer is gone: its thread could not start, or died.
#[derive(Debug)]
pub(crate) struct RendererGone;

impl Renderers {
    /// One per core. A renderer that cannot start answers nothing; whoever asks is told.
    pub(crate) fn start(setup: &Setup, cache: &WeakCache) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = (0..threads)
            .map(|number| {
                let (sender, jobs) = mpsc::unbounded_channel();
                renderer::spawn(number, setup.clone(), Weak::clone(cache), jobs);
                sender
            })
            .collect();
        Self {
            table: Arc::clone(&setup.table),
            jobs,
            next: AtomicUsize::new(0),
        }
    }

    /// Runs a cached handler with a blank request. A renderer that is gone answers with an error.
    pub(crate) async fn render(&self, request: BlankRequest) -> Rendered {
        let kind = self.table.handlers[request.handler].descriptor.kind;
        let (reply, answer) = oneshot::channel();
        match self.send(Job::Render(request, reply)) {
            Ok(()) => answer.await.ok(),
            Err(RendererGone) => None,
        }
        .unwrap_or_else(|| Rendered::failed(kind))
    }

    /// Asks one renderer, which are all alike.
    pub(crate) async fn missing(&self) -> Result<Vec<MissingData>, RendererGone> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Missing(reply))?;
        answer.await.map_err(|_| RendererGone)
    }

    /// Calls the handler's `static_params`.
    pub(crate) async fn list(&self, handler: usize) -> Result<Listed, RendererGone> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::List(handler, reply))?;
        answer.await.map_err(|_| RendererGone)
    }

    /// To the next in turn, or to whoever follows: one that is gone stays so, and its turn comes
    /// again and again.
    fn send(&self, mut job: Job) -> Result<(), RendererGone> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.jobs.len();
        let (before, from) = self.jobs.split_at(turn);
        for jobs in from.iter().chain(before) {
            match jobs.send(job) {
                Ok(()) => return Ok(()),
                Err(mpsc::error::SendError(unsent)) => job = unsent,
            }
        }
        Err(RendererGone)
    }
}

/// A body that never ends: nothing of it is kept or waited for.
pub(crate) fn is_event_stream(headers: &HeaderMap) -> bool {
    const NAME: &str = "text/event-stream";
    let content_type = headers.get(header::CONTENT_TYPE);
    let named = content_type.and_then(|value| value.to_str().ok());
    let named = named.and_then(|value| value.split(';').next());
    named.is_some_and(|name| name.trim().eq_ignore_ascii_case(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::Routes;

    fn missing() -> Job {
        Job::Missing(oneshot::channel().0)
    }

    #[test]
    fn the_turn_of_one_that_is_gone_is_the_next_ones() {
        let (jobs, mut renderers): (Vec<_>, Vec<_>) =
            (0..3).map(|_| mpsc::unbounded_channel()).unzip();
        let all = Renderers {
            table: Routes::from_iter([]).unwrap().setup.table,
            jobs,
            next: AtomicUsize::new(0),
        };
        drop(renderers.remove(1));
        for _ in 0..6 {
            all.send(missing()).unwrap();
        }
        let [first, third] = &mut renderers[..] else {
            panic!("two are left")
        };
        let asked = |it: &mut mpsc::UnboundedReceiver<Job>| {
            std::iter::from_fn(|| it.try_recv().ok()).count()
        };
        assert_eq!((asked(first), asked(third)), (2, 4));
        renderers.clear();
        assert!(all.send(missing()).is_err(), "nobody is left");
    }
}
