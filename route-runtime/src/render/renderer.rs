//! One renderer: a thread, its runtime, its blank app.

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

use super::blank::{RenderService, Task};
use super::{Asked, BlankRequest, Fault, Job, Rendered, Unfinished};
use crate::context::{Home, Render};
use crate::declaration::RouteDescriptor;
use crate::handler::Logged;
use crate::mode::Mode;
use crate::stored::{BrokenBody, RenderedBody, RenderedResponse, is_event_stream};
use crate::table::Setup;
use crate::target;

/// How many chunks of a passed-on body wait for a slow client.
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
    // What a blank render sees of the server is the same before it listens and after.
    let Ok(app) = app.new_service(AppConfig::default()).await else {
        tracing::error!(target: target::CACHE, "the app of a renderer could not be built");
        return;
    };
    let app = Rc::new(app);
    while let Some(Job { asked, unfinished }) = jobs.recv().await {
        let app = Rc::clone(&app);
        match asked {
            Asked::Render(request, reply) => {
                let route = table.handler(request.handler).descriptor;
                let reply = Reply { reply, unfinished };
                rt::spawn(async move { answer(&*app, &route, mode, request, reply).await });
            }
            Asked::Missing(reply) => ask(app, Task::Missing(reply), unfinished),
            Asked::List(handler, reply) => ask(app, Task::List { handler, reply }, unfinished),
        }
    }
}

/// Where a render goes. It is a job of its renderer until it is sent there, or nobody wants it.
struct Reply {
    reply: oneshot::Sender<Rendered>,
    unfinished: Unfinished,
}

impl Reply {
    /// Resolves when nobody wants it any more.
    async fn closed(&mut self) {
        self.reply.closed().await;
    }

    /// Before whoever waits for it asks for something else, nothing of it is left to do.
    fn send(self, rendered: Rendered) {
        drop(self.unfinished);
        drop(self.reply.send(rendered));
    }

    /// Sends what there is of one whose body is still to be passed on.
    fn begin(self, rendered: Rendered) -> Option<Unfinished> {
        self.reply.send(rendered).is_ok().then_some(self.unfinished)
    }
}

/// Calls the app for the sake of what it sends back beside its answer.
fn ask<S>(app: Rc<S>, task: Task, unfinished: Unfinished)
where
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    rt::spawn(async move {
        let request = blank(Uri::default());
        request.extensions_mut().insert(task);
        drop(app.call(request).await);
        drop(unfinished);
    });
}

/// A request with a method and a path, and nothing of any other. A head from the pool would keep
/// the peer address, method and version of the last one.
fn blank(path: Uri) -> Request {
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
    // A canonical path is always a valid one, unless it is too long: that of a request is refused
    // before. It must not be taken for another.
    let Ok(request) = path.parse().map(blank) else {
        let fault = Fault::unlogged("its path is no path of a request");
        return reply.send(Rendered::failed(route.kind, fault));
    };
    let render = Arc::new(Render::of(&route.config));
    request.extensions_mut().insert(Task::Render {
        handler,
        params,
        declared,
        caller,
        render: Arc::clone(&render),
    });
    let answered = tokio::select! {
        answered = app.call(request) => answered,
        // Nobody wants it any more: its time is up.
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
        Ok(Read::Whole(bytes)) => reply.send(rendered(RenderedBody::Full(bytes))),
        Ok(Read::Beyond(first)) => {
            let (sender, chunks) = mpsc::channel(CHUNKS);
            let body_of_chunks = RenderedBody::Stream { chunks, length };
            if let Some(unfinished) = reply.begin(rendered(body_of_chunks)) {
                pass_on(first, body, sender).await;
                drop(unfinished);
            }
        }
        // Nothing of it was sent, so it can be said.
        Err(BrokenBody) => {
            tracing::error!(target: target::CACHE, { url.path = path }, "the body of a response failed");
            let mut failed = Rendered::failed(route.kind, Fault::Logged);
            failed.used = render.used();
            reply.send(failed);
        }
    }
}

enum Read {
    Whole(Bytes),
    /// The first bytes of what is longer than was asked for.
    Beyond(Bytes),
}

async fn read(mut body: Pin<&mut BoxBody>, most: usize) -> Result<Read, BrokenBody> {
    if let BodySize::Sized(length) = body.size()
        && length > most as u64
    {
        return Ok(Read::Beyond(Bytes::new()));
    }
    if most == 0 && body.size() == BodySize::Stream {
        return Ok(Read::Beyond(Bytes::new()));
    }
    let mut whole = match body.size() {
        BodySize::Sized(length) => Vec::with_capacity(usize::try_from(length).unwrap_or_default()),
        BodySize::None | BodySize::Stream => Vec::new(),
    };
    while let Some(chunk) = next(body.as_mut()).await {
        let chunk = chunk?;
        whole.extend_from_slice(&chunk);
        if whole.len() > most {
            return Ok(Read::Beyond(whole.into()));
        }
    }
    // It may be kept, and then for as long as it is good: without room to grow.
    Ok(Read::Whole(whole.into_boxed_slice().into()))
}

/// Ends when the body does, or when nobody listens any more.
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
            chunk = next(body.as_mut()) => chunk,
            () = chunks.closed() => return,
        };
        let Some(chunk) = chunk else { return };
        let is_last = chunk.is_err();
        if chunks.send(chunk).await.is_err() || is_last {
            return;
        }
    }
}

/// The next chunk. A panic is an error like any other: what is cut short must not look whole.
async fn next(mut body: Pin<&mut BoxBody>) -> Option<Result<Bytes, BrokenBody>> {
    let chunk = poll_fn(|context| body.as_mut().poll_next(context));
    match AssertUnwindSafe(chunk).catch_unwind().await {
        Ok(chunk) => chunk.map(|chunk| chunk.map_err(|_| BrokenBody)),
        Err(_) => Some(Err(BrokenBody)),
    }
}
