//! The inside of a renderer: a thread, its runtime, its blank app.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Weak};

use actix_http::{Request, RequestHead};
use actix_service::{IntoServiceFactory as _, Service, ServiceFactory as _};
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, Uri};
use actix_web::web::Bytes;
use actix_web::{App, Error, HttpMessage as _, HttpResponse, rt};
use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};

use super::blank::{BlankTask, RenderService};
use super::{BlankRequest, Errand, Fault, Job, Rendered, UnfinishedJob};
use crate::context::{Home, Render};
use crate::declaration::RouteDescriptor;
use crate::handler::Logged;
use crate::mode::Mode;
use crate::stored::{BrokenBody, RenderedBody, RenderedResponse, is_event_stream};
use crate::table::Setup;
use crate::target;

/// The number of chunks of a passed-on body that may wait for a slow client.
const CHUNKS: usize = 4;

pub(super) fn spawn(
    number: usize,
    setup: Setup,
    home: Weak<Home>,
    jobs: mpsc::UnboundedReceiver<Job>,
) {
    let name = format!("route-renderer-{number}");
    let result = std::thread::Builder::new()
        .name(name)
        .spawn(move || rt::System::new().block_on(run(setup, home, jobs)));
    if let Err(error) = result {
        tracing::error!(target: target::CACHE, %error, "a renderer could not start");
    }
}

async fn run(setup: Setup, home: Weak<Home>, mut jobs: mpsc::UnboundedReceiver<Job>) {
    let configure = setup.configure.clone();
    let table = Arc::clone(&setup.table);
    let mode = setup.mode;
    let app = App::new()
        .service(RenderService::new(setup, home))
        .configure(|config| {
            for configure in &configure {
                configure(config);
            }
        })
        .into_factory();
    // With the default configuration, a blank render sees the same of the server before it listens
    // and after.
    let Ok(app) = app.new_service(AppConfig::default()).await else {
        tracing::error!(target: target::CACHE, "the app of a renderer could not be built");
        return;
    };
    let app = Rc::new(app);
    while let Some(Job { asked, unfinished }) = jobs.recv().await {
        let app = Rc::clone(&app);
        match asked {
            Errand::Render(request, reply) => {
                let route = table.handler(request.handler).descriptor;
                let reply = Reply { reply, unfinished };
                rt::spawn(async move { answer(&*app, &route, mode, request, reply).await });
            }
            Errand::Missing(reply) => run_task(app, BlankTask::Missing(reply), unfinished),
            Errand::List(handler, reply) => {
                run_task(app, BlankTask::List { handler, reply }, unfinished);
            }
        }
    }
}

/// The channel for a render's result. The render counts as a job of its renderer until the result
/// is sent, or nothing waits for it any more.
struct Reply {
    reply: oneshot::Sender<Rendered>,
    unfinished: UnfinishedJob,
}

impl Reply {
    /// Resolves when nothing waits for the result any more.
    async fn closed(&mut self) {
        self.reply.closed().await;
    }

    /// Sends the result. The job is finished before that, so that it no longer counts when the
    /// receiver asks for something else.
    fn send(self, rendered: Rendered) {
        drop(self.unfinished);
        drop(self.reply.send(rendered));
    }

    /// Sends a result whose body is still to be passed on. Returns the job, which is not finished,
    /// unless nothing waits for the result any more.
    fn begin(self, rendered: Rendered) -> Option<UnfinishedJob> {
        self.reply.send(rendered).is_ok().then_some(self.unfinished)
    }
}

/// Runs a task that sends its result through a channel of its own; the app's response is dropped.
fn run_task<S>(app: Rc<S>, task: BlankTask, unfinished: UnfinishedJob)
where
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    rt::spawn(async move {
        let request = blank_request(Uri::default());
        request.extensions_mut().insert(task);
        drop(app.call(request).await);
        drop(unfinished);
    });
}

/// Makes a request with a method and a path, and with nothing of any other request. A head from the
/// pool would keep the peer address, method and version of its last request.
fn blank_request(path: Uri) -> Request {
    let mut request = Request::new();
    *request.head_mut() = RequestHead::default();
    request.head_mut().method = Method::GET;
    request.head_mut().uri = path;
    request
}

async fn answer<S>(
    app: &S,
    route: &RouteDescriptor,
    mode: Mode,
    asked: BlankRequest,
    mut reply: Reply,
) where
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    let BlankRequest {
        handler,
        path,
        params,
        declared,
        caller,
        most,
    } = asked;
    // A canonical path always parses unless it is too long, and a request with such a path was
    // refused before. It must not be taken for another path.
    let Ok(request) = path.parse().map(blank_request) else {
        let fault = Fault::unlogged("its path is no path of a request");
        return reply.send(Rendered::failed(route.kind, fault));
    };
    let render = Arc::new(Render::of(&route.config));
    request.extensions_mut().insert(BlankTask::Render {
        handler,
        params,
        declared,
        caller,
        render: Arc::clone(&render),
    });
    let answered = tokio::select! {
        answered = app.call(request) => answered,
        // Nothing waits for the render any more: its time is up.
        () = reply.closed() => return,
    };
    let response = match answered {
        Ok(response) => response.into_parts().1,
        Err(error) => HttpResponse::from_error(error),
    };
    let is_logged = response.extensions().contains::<Logged>();
    let fault = match response.status().as_u16() {
        500.. if !is_logged => Fault::Unlogged(response.error().map(ToString::to_string)),
        _ => Fault::Logged,
    };
    let (head, body) = response.into_parts();
    let mut headers = HeaderMap::new();
    for (name, value) in head.headers() {
        headers.append(name.clone(), value.clone());
    }
    let rendered = |body| Rendered {
        response: RenderedResponse {
            status: head.status(),
            headers,
            body,
        },
        used: render.used(),
        fault,
    };
    let length = match body.size() {
        BodySize::Sized(length) => Some(length),
        BodySize::None | BodySize::Stream => None,
    };
    let mut body = pin!(body);
    let is_events = is_event_stream(head.headers());
    let read = tokio::select! {
        read = read(body.as_mut(), if is_events { 0 } else { most }) => read,
        () = reply.closed() => return,
    };
    if let Some(why) = render.used().refused {
        tracing::error!(
            target: target::CACHE,
            { http.route = route.pattern, why = &*why },
            "a render was refused"
        );
        let mut refused = Rendered::refused(route.kind, mode, &why);
        refused.used = render.used();
        return reply.send(refused);
    }
    match read {
        Ok(ReadBody::Whole(bytes)) => reply.send(rendered(RenderedBody::Full(bytes))),
        Ok(ReadBody::Beyond(first)) => {
            let (sender, chunks) = mpsc::channel(CHUNKS);
            let body_of_chunks = RenderedBody::Stream { chunks, length };
            if let Some(unfinished) = reply.begin(rendered(body_of_chunks)) {
                pass_on(first, body, sender).await;
                drop(unfinished);
            }
        }
        // Nothing of the body was sent yet, so the failure can still be reported.
        Err(BrokenBody) => {
            tracing::error!(target: target::CACHE, { url.path = path }, "the body of a response failed");
            let mut failed = Rendered::failed(route.kind, Fault::Logged);
            failed.used = render.used();
            reply.send(failed);
        }
    }
}

enum ReadBody {
    Whole(Bytes),
    /// The first bytes of a body that is longer than the limit.
    Beyond(Bytes),
}

async fn read(mut body: Pin<&mut BoxBody>, most: usize) -> Result<ReadBody, BrokenBody> {
    if let BodySize::Sized(length) = body.size()
        && length > most as u64
    {
        return Ok(ReadBody::Beyond(Bytes::new()));
    }
    if most == 0 && body.size() == BodySize::Stream {
        return Ok(ReadBody::Beyond(Bytes::new()));
    }
    let mut whole = match body.size() {
        BodySize::Sized(length) => Vec::with_capacity(usize::try_from(length).unwrap_or_default()),
        BodySize::None | BodySize::Stream => Vec::new(),
    };
    while let Some(chunk) = next_chunk(body.as_mut()).await {
        let chunk = chunk?;
        whole.extend_from_slice(&chunk);
        if whole.len() > most {
            return Ok(ReadBody::Beyond(whole.into()));
        }
    }
    // The body may be kept for as long as it is fresh, so it is stored without spare capacity.
    Ok(ReadBody::Whole(whole.into_boxed_slice().into()))
}

/// Passes a body on until it ends, or until nothing listens any more.
async fn pass_on(
    first: Bytes,
    mut body: Pin<&mut BoxBody>,
    chunks: mpsc::Sender<Result<Bytes, BrokenBody>>,
) {
    if !first.is_empty() && chunks.send(Ok(first)).await.is_err() {
        return;
    }
    loop {
        let chunk = tokio::select! {
            chunk = next_chunk(body.as_mut()) => chunk,
            () = chunks.closed() => return,
        };
        let Some(chunk) = chunk else { return };
        let is_last = chunk.is_err();
        if chunks.send(chunk).await.is_err() || is_last {
            return;
        }
    }
}

/// Returns the next chunk. A panic is an error like any other: a body that was cut short must not
/// look whole.
async fn next_chunk(mut body: Pin<&mut BoxBody>) -> Option<Result<Bytes, BrokenBody>> {
    let chunk = poll_fn(|context| body.as_mut().poll_next(context));
    match AssertUnwindSafe(chunk).catch_unwind().await {
        Ok(chunk) => chunk.map(|chunk| chunk.map_err(|_| BrokenBody)),
        Err(_) => Some(Err(BrokenBody)),
    }
}
