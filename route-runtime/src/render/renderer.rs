//! The inside of a renderer: its blank app, and what the app makes of a request.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};

use actix_http::{Request, RequestHead};
use actix_service::boxed::{self, BoxService};
use actix_service::{IntoServiceFactory as _, Service as _, ServiceFactory as _};
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, Uri};
use actix_web::web::Bytes;
use actix_web::{App, Error, HttpMessage as _, HttpResponse};
use futures_util::FutureExt as _;
use tokio::sync::mpsc;

use super::blank::{BlankTask, RenderService};
use super::{BlankRequest, Fault, Rendered};
use crate::context::{Home, Render};
use crate::declaration::RouteDescriptor;
use crate::handler::Logged;
use crate::mode::Mode;
use crate::stored::{BrokenBody, RenderedBody, RenderedResponse, is_event_stream};
use crate::table::Setup;
use crate::target;
use crate::threads::Reply;

/// The number of chunks of a passed-on body that may wait for a slow client.
const CHUNKS: usize = 4;

/// The app of a renderer.
pub(super) type BlankApp = BoxService<Request, ServiceResponse<BoxBody>, Error>;

/// Makes the app of a renderer, on its thread.
pub(super) async fn blank_app(setup: Setup, home: Weak<Home>) -> Option<BlankApp> {
    let configure = setup.configure.clone();
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
        return None;
    };
    Some(boxed::service(app))
}

/// Runs a task that sends its result through a channel of its own; the app's response is dropped.
pub(super) async fn run_task(app: &BlankApp, task: BlankTask) {
    let request = blank_request(Uri::default());
    request.extensions_mut().insert(task);
    drop(app.call(request).await);
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

/// Renders a path, and sends the result. A body that is passed on goes on after that.
pub(super) async fn answer(
    app: &BlankApp,
    route: &RouteDescriptor,
    mode: Mode,
    asked: BlankRequest,
    reply: Reply<Rendered>,
) {
    let BlankRequest {
        handler,
        path,
        params,
        declared,
        caller,
        keep,
        most,
    } = asked;
    // A canonical path always parses unless it is too long, and a request with such a path was
    // refused before. It must not be taken for another path.
    let Ok(request) = path.parse().map(blank_request) else {
        let fault = Fault::unlogged("its path is no path of a request");
        reply.send(Rendered::failed(route.kind, fault));
        return;
    };
    let render = Arc::new(Render::of(&route.config));
    request.extensions_mut().insert(BlankTask::Render {
        handler,
        params,
        declared,
        caller,
        keep,
        render: Arc::clone(&render),
    });
    let response = match app.call(request).await {
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
    let read = read(body.as_mut(), if is_events { 0 } else { most }).await;
    if let Some(why) = render.used().refused {
        tracing::error!(
            target: target::CACHE,
            { http.route = route.pattern, why = &*why },
            "a render was refused"
        );
        let mut refused = Rendered::refused(route.kind, mode, &why);
        refused.used = render.used();
        reply.send(refused);
        return;
    }
    match read {
        Ok(ReadBody::Whole(bytes)) => {
            reply.send(rendered(RenderedBody::Full(bytes)));
        }
        Ok(ReadBody::Beyond(first)) => {
            let (sender, chunks) = mpsc::channel(CHUNKS);
            let body_of_chunks = RenderedBody::Stream { chunks, length };
            if reply.send(rendered(body_of_chunks)) {
                pass_on(first, body, sender).await;
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
