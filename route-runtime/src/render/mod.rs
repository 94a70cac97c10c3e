//! Blank renders: cached handlers run here, and nothing of any request is within their reach.
//!
//! A renderer is one of our [threads](crate::threads) with an `App` of its own. The app has our service,
//! the app data and the `configure` closures, but no middleware. A render gets a path and returns
//! what can cross threads. The request that the handler sees is made for it: its head is
//! `RequestHead::default()` with method and path. So headers, cookies, query and peer address are
//! empty, whichever request caused the render.

mod blank;
mod renderer;

use std::sync::{Arc, Weak};

use actix_web::HttpResponse;

use self::blank::BlankTask;
use self::renderer::{BlankApp, answer, blank_app, run_task};
use crate::context::{Caller, Home, Used};
use crate::declaration::Kind;
use crate::engine::Keep;
use crate::handler::unrenderable;
use crate::mode::Mode;
use crate::owner::Owner;
use crate::pattern::Params;
use crate::store::Tag;
use crate::stored::RenderedResponse;
use crate::table::{Handler, HandlerId, MissingData, Setup, Table};
use crate::threads::Threads;

/// The renderer threads.
pub(crate) struct Renderers {
    table: Arc<Table>,
    threads: Threads<BlankApp>,
    mode: Mode,
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
    /// The part that a store has in keeping the response.
    pub(crate) keep: Keep,
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

/// The error of renderers that are gone: no thread could start, or those that had the job died.
#[derive(Debug)]
pub(crate) struct RendererGone;

impl Renderers {
    /// Starts one renderer per core. A renderer that cannot start is passed over; if none is left,
    /// callers get an error.
    pub(crate) fn start(setup: &Setup, home: &Arc<Home>) -> Self {
        let (app, home) = (setup.clone(), Arc::downgrade(home));
        Self {
            table: Arc::clone(&setup.table),
            threads: Threads::start("route-renderer", move || {
                Box::pin(blank_app(app.clone(), Weak::clone(&home)))
            }),
            mode: setup.mode,
        }
    }

    /// Runs a cached handler with a blank request. If its renderer is gone, the result is an error
    /// response.
    pub(crate) async fn render(&self, request: BlankRequest) -> Rendered {
        let Handler { descriptor, .. } = self.table.handler(request.handler);
        let (route, mode) = (*descriptor, self.mode);
        let owner = self.table.handler(request.handler).owner();
        let rendered = self.threads.run(owner, move |app, reply| {
            let request = request.clone();
            async move { answer(&app, &route, mode, request, reply).await }
        });
        let gone = || Rendered::failed(route.kind, Fault::unlogged("its renderer is gone"));
        rendered.await.unwrap_or_else(gone)
    }

    /// Returns the app data that the cached handlers lack. One renderer suffices, because all are
    /// alike.
    pub(crate) async fn missing(&self) -> Result<Vec<MissingData>, RendererGone> {
        let missing = self.threads.run(Owner::NOBODY, |app, reply| async move {
            run_task(&app, BlankTask::Missing(reply)).await;
        });
        missing.await.ok_or(RendererGone)
    }

    /// Calls the handler's `static_params`.
    pub(crate) async fn list(&self, handler: HandlerId) -> Result<ListedPaths, RendererGone> {
        let owner = self.table.handler(handler).owner();
        let listed = self.threads.run(owner, move |app, reply| async move {
            run_task(&app, BlankTask::List { handler, reply }).await;
        });
        listed.await.ok_or(RendererGone)
    }
}
