//! From a matched request to a response: path, method, middleware, handler.

use std::cell::OnceCell;
use std::future::{Ready, ready};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;

use actix_service::{Service, always_ready};
use actix_web::body::{BodySize, BoxBody, MessageBody as _};
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorInternalServerError, InternalError};
use actix_web::http::header;
use actix_web::http::{Method as HttpMethod, StatusCode, Uri};
use actix_web::{Error, HttpMessage as _, HttpResponse};
use futures_core::future::LocalBoxFuture;
use futures_util::FutureExt as _;
use futures_util::future::Either;
use tracing::{Instrument as _, Span};

use super::answer::answer;
use super::body_limit::{self, BodyWatch};
use super::head::HeadBody;
use super::matched::{Matched, MatchedPath, matched};
use super::wrap::Endpoint;
use super::{cached, fault, finish};
use crate::context::{Context, Declared, Requested};
use crate::descriptor::Method;
use crate::mode::Mode;
use crate::panic;
use crate::respond::{Problem, in_context, when_sent};
use crate::responses::{Caller, directives};
use crate::routes::{Handler, Node, Routes, Table};
use crate::trie::Params;

/// The longest path of a blank request. The canonical spelling of a request's own may be longer, since
/// it escapes what a client need not.
const LONGEST: usize = u16::MAX as usize - 1;

/// An answer that has to be waited for.
pub(super) type Answer = LocalBoxFuture<'static, Result<ServiceResponse, Error>>;

/// An answer, at once or later.
type Answered = Either<Ready<Result<ServiceResponse, Error>>, Answer>;

/// One worker's service for every route.
pub(super) struct Dispatcher {
    pub(super) routes: Rc<Routes>,
    /// By handler, as the table's.
    pub(super) endpoints: Vec<WorkerEndpoint>,
    pub(super) data: Option<Rc<Extensions>>,
}

/// What a worker keeps for a handler.
pub(super) struct WorkerEndpoint {
    /// `None` where no middleware is asked for.
    pub(super) wrapped: Option<Endpoint>,
    pub(super) body_limit: Option<u64>,
    /// Made for the first request, which shows what the user configured.
    pub(super) extractor_limits: OnceCell<Rc<Extensions>>,
}

impl Service<ServiceRequest> for Dispatcher {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = Answered;

    always_ready!();

    fn call(&self, mut request: ServiceRequest) -> Answered {
        if let Some(response) = self.hit(&request) {
            return respond(request, response);
        }
        if let Some(data) = &self.data {
            request.add_data_container(Rc::clone(data));
        }
        let table = &self.routes.setup.table;
        let Matched { node, path, .. } = matched(&request);
        let node = &table.nodes[node];
        let params = match path {
            MatchedPath::Clean(params) => params,
            MatchedPath::Unclean(clean) => {
                let response = redirect_to_clean(&clean, &request);
                return respond(request, response);
            }
            MatchedPath::Malformed => {
                let problem = Problem::new(StatusCode::BAD_REQUEST)
                    .detail("the path is not percent-encoded UTF-8");
                return respond(request, refusal(&problem, node));
            }
        };
        let Some(index) = handler_of(node, &request) else {
            let response = match *request.method() {
                HttpMethod::OPTIONS => finish::asked_again(HttpResponse::NoContent().finish()),
                _ => refusal(&Problem::new(StatusCode::METHOD_NOT_ALLOWED), node),
            };
            return respond(request, with_allow(response, node));
        };

        let handler = &table.handlers[index];
        if handler.rendering.is_cached() && params.path(request.path()).len() > LONGEST {
            let problem = Problem::new(StatusCode::URI_TOO_LONG);
            return respond(request, refusal(&problem, node));
        }
        table.capture(handler, &mut request);
        let endpoint = &self.endpoints[index];
        if let Some(limit) = endpoint.body_limit {
            let limits = endpoint.extractor_limits.get_or_init(|| {
                Rc::new(body_limit::extractor_limits(&request, &handler.descriptor))
            });
            request.add_data_container(Rc::clone(limits));
            if let Err(watch) = BodyWatch::put_on(&mut request, limit) {
                return respond(request, finish::asked_again(watch.too_large(node.kind)));
            }
        }
        match &endpoint.wrapped {
            Some(wrapped) => {
                let uri = MatchedUri(request.uri().clone());
                request.extensions_mut().insert(uri);
                Either::Right(call(wrapped, &self.routes, index, request))
            }
            None => Either::Right(run(&self.routes, index, params, request)),
        }
    }
}

impl Dispatcher {
    /// The shortest way: a fresh entry of a route without middleware.
    fn hit(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        let extensions = request.extensions();
        let Matched { node, path, .. } = extensions.get()?;
        let MatchedPath::Clean(params) = path else {
            return None;
        };
        let node = &self.routes.setup.table.nodes[*node];
        let index = handler_of(node, request)?;
        match self.endpoints[index].wrapped {
            Some(_) => None,
            None => cached::hit(&self.routes, index, params, request),
        }
    }
}

/// The URI that a request for a route with middleware had when it was matched.
struct MatchedUri(Uri);

/// Undoes what a middleware made of the path: the parameters are parts of the one that was matched,
/// and so is the key of what is kept for everybody.
fn as_matched(request: &mut ServiceRequest) {
    let matched = request.extensions_mut().remove::<MatchedUri>();
    if let Some(MatchedUri(uri)) = matched
        && uri.path() != request.path()
    {
        request.head_mut().uri = uri;
    }
}

/// Calls a route's middleware. What it answers itself, also by an error or a panic, is for the one
/// request, as in the handler.
///
/// An error stays one, for what stands round the routes; but the response that is made of it out there
/// is decided here. No response is made of it here: that would take the request, which a middleware
/// can only change as long as nobody else keeps it.
fn call(wrapped: &Endpoint, routes: &Rc<Routes>, index: usize, request: ServiceRequest) -> Answer {
    let (wrapped, routes) = (Rc::clone(wrapped), Rc::clone(routes));
    let answered = AssertUnwindSafe(async move { wrapped.call(request).await }).catch_unwind();
    Box::pin(async move {
        let handler = &routes.setup.table.handlers[index];
        let (route, mode) = (&handler.descriptor, routes.setup.mode);
        let (error, mut response): (Error, _) = match answered.await {
            Ok(Ok(mut response)) => {
                finish::for_one_request(response.response_mut(), handler);
                return Ok(response);
            }
            Ok(Err(error)) => {
                let response = fault::of_middleware(&error, route, mode);
                (error, response)
            }
            Err(panic) => {
                let message = panic::message(&*panic).to_owned();
                tracing::error!(http.route = route.pattern, message, "a middleware panicked");
                let response = fault::of_panic("a middleware", &message, route.kind, mode);
                (ErrorInternalServerError(message), response)
            }
        };
        finish::for_one_request(&mut response, handler);
        Err(InternalError::from_response(error, response).into())
    })
}

/// What a route's middleware goes round.
pub(super) struct HandlerService {
    pub(super) routes: Rc<Routes>,
    pub(super) index: usize,
}

impl Service<ServiceRequest> for HandlerService {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = Answered;

    always_ready!();

    fn call(&self, mut request: ServiceRequest) -> Answered {
        as_matched(&mut request);
        let MatchedPath::Clean(params) = matched(&request).path else {
            unreachable!("other paths are answered before any middleware")
        };
        match cached::hit(&self.routes, self.index, &params, &request) {
            Some(response) => respond(request, response),
            None => Either::Right(run(&self.routes, self.index, params, request)),
        }
    }
}

/// The handler that answers the request's method: GET's answers HEAD where none is declared.
fn handler_of(node: &Node, request: &ServiceRequest) -> Option<usize> {
    let method = Method::of(request.method())?;
    node.handler(method).or_else(|| {
        let is_head = method == Method::Head;
        is_head.then(|| node.handler(Method::Get)).flatten()
    })
}

/// Answers from the cache, by a render, or by calling the handler here.
fn run(routes: &Rc<Routes>, index: usize, params: Params, request: ServiceRequest) -> Answer {
    let table = &routes.setup.table;
    let handler = &table.handlers[index];
    if handler.rendering.is_cached() {
        return cached::run(routes, index, params, request);
    }
    let span = request_span(table, handler, &request);
    let routes = Rc::clone(routes);
    let answered = async move {
        let handler = &routes.setup.table.handlers[index];
        if let Some(response) = cached::unlisted(&routes, index, params.path(request.path())).await
        {
            record(response.status(), "refused");
            return Ok(request.into_response(response));
        }
        let Caller { ancestry, reloads } = caller(&routes, &request);
        let context = Context {
            fetch_cache: handler.descriptor.config.fetch_cache,
            ancestry,
            reloads,
            declared: Declared::Of(Arc::new(Requested {
                handler: index,
                uri: request.uri().clone(),
                params: params.clone(),
            })),
            ..routes.context()
        };
        let answered = answer(handler, params, &routes.setup, request);
        let mut response = in_context(context, answered).await;
        finish::uncached(response.response_mut(), handler, finish::DYNAMIC);
        record(response.status(), "dynamic");
        let is_headless = handler.descriptor.method == Method::Get
            && *response.request().method() == HttpMethod::HEAD;
        Ok(if is_headless {
            without_body(response)
        } else {
            response
        })
    };
    Box::pin(when_sent(answered.instrument(span)))
}

/// What of a request decides how data is had for it, and nothing else does.
pub(super) fn caller(routes: &Routes, request: &ServiceRequest) -> Caller {
    Caller {
        ancestry: routes.cache().loops().caller(request.headers()),
        reloads: routes.setup.mode == Mode::Development && is_reload(request),
    }
}

/// A browser that is told to reload everything says so.
fn is_reload(request: &ServiceRequest) -> bool {
    let values = request.headers().get_all(header::CACHE_CONTROL);
    values
        .filter_map(|value| value.to_str().ok())
        .any(|value| directives(value).any(|name| name == "no-cache"))
}

/// A request, from its match to its response.
pub(super) fn request_span(table: &Table, handler: &Handler, request: &ServiceRequest) -> Span {
    tracing::info_span!(
        "request",
        http.request.method = %request.method(),
        http.route = table.nodes[handler.node].pattern,
        http.response.status_code = tracing::field::Empty,
        outcome = tracing::field::Empty,
    )
}

/// What became of it.
pub(super) fn record(status: StatusCode, outcome: &str) {
    let span = Span::current();
    span.record("http.response.status_code", status.as_u16());
    span.record("outcome", outcome);
}

fn respond(request: ServiceRequest, response: HttpResponse) -> Answered {
    Either::Left(ready(Ok(request.into_response(response))))
}

/// 308 to the canonical path, which starts with one slash and so can name no other host.
fn redirect_to_clean(clean: &str, request: &ServiceRequest) -> HttpResponse {
    let location = match request.uri().query() {
        Some(query) => format!("{clean}?{query}"),
        None => clean.into(),
    };
    finish::asked_again(
        HttpResponse::PermanentRedirect()
            .insert_header((header::LOCATION, location))
            .finish(),
    )
}

/// Refuses a request before any handler.
fn refusal(problem: &Problem, node: &Node) -> HttpResponse {
    finish::asked_again(fault::response(problem, node.kind))
}

fn with_allow(mut response: HttpResponse, node: &Node) -> HttpResponse {
    response
        .headers_mut()
        .insert(header::ALLOW, node.allow.clone());
    response
}

/// Keeps the length, drops the body: an endless stream is not even begun.
pub(super) fn without_body(response: ServiceResponse) -> ServiceResponse {
    response.map_body(|_, body| match body.size() {
        BodySize::Sized(length) => BoxBody::new(HeadBody(length)),
        // A length of 0 would be one that GET does not have.
        BodySize::None | BodySize::Stream => BoxBody::new(actix_web::body::None::new()),
    })
}
