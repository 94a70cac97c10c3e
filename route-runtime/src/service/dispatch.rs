//! The way of a request from its match to the visit of its handler: refusals, ready responses,
//! middleware.

use std::cell::OnceCell;
use std::future::{Ready, ready};
use std::ops::ControlFlow::{self, Break, Continue};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use actix_service::{Service, always_ready};
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorInternalServerError, InternalError};
use actix_web::http::{Method as HttpMethod, StatusCode, Uri, header};
use actix_web::{Error, HttpMessage as _, HttpResponse};
use futures_util::FutureExt as _;
use futures_util::future::Either;

use super::matched::{MatchedPath, matched};
use super::visit::{Later, Visit, answer};
use super::{cached, finish};
use crate::declaration::{Endpoint, Method};
use crate::handler::body_limit::{self, BodyWatch};
use crate::handler::fault;
use crate::panic;
use crate::respond::Problem;
use crate::responses::Served;
use crate::table::{ByHandler, HandlerId, Node};
use crate::target;

/// The longest path of a blank request. A request's canonical path may be longer than the path that
/// the client sent, because it escapes characters that a client need not escape.
const LONGEST: usize = u16::MAX as usize - 1;

/// A response that is ready now or later.
type Answered = Either<Ready<Result<ServiceResponse, Error>>, Later>;

/// The service of one worker, for every route.
pub(crate) struct Dispatcher {
    pub(super) served: Rc<Served>,
    pub(super) endpoints: ByHandler<WorkerEndpoint>,
    pub(super) data: Option<Rc<Extensions>>,
}

/// The state that a worker keeps for one handler.
pub(super) struct WorkerEndpoint {
    /// The handler inside its middleware. `None` if it has no middleware.
    pub(super) wrapped: Option<Endpoint>,
    pub(super) body_limit: Option<u64>,
    /// The limits of actix-web's extractors. They are made for the first request, because only a
    /// request shows what the user configured.
    pub(super) extractor_limits: OnceCell<Rc<Extensions>>,
}

impl Service<ServiceRequest> for Dispatcher {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = Answered;

    always_ready!();

    fn call(&self, mut request: ServiceRequest) -> Answered {
        let id = match self.find(&request) {
            Continue(id) => id,
            Break(response) => return at_once(request, response),
        };
        if let Break(response) = self.prepare(id, &mut request) {
            return at_once(request, response);
        }
        match &self.endpoints[id].wrapped {
            Some(wrapped) => {
                let uri = MatchedUri(request.uri().clone());
                request.extensions_mut().insert(uri);
                Either::Right(call_middleware(wrapped, &self.served, id, request))
            }
            None => Either::Right(answer(Visit::new(&self.served, id, request))),
        }
    }
}

impl Dispatcher {
    /// Finds the handler of a request. Breaks with a response if the request is not for any
    /// handler, or if its response is ready.
    fn find(&self, request: &ServiceRequest) -> ControlFlow<HttpResponse, HandlerId> {
        let table = &self.served.setup.table;
        let extensions = request.extensions();
        let matched = matched(&extensions);
        let node = table.node(matched.node);
        let params = match &matched.path {
            MatchedPath::Clean(params) => params,
            MatchedPath::Unclean(clean) => return Break(redirect_to_clean(clean, request)),
            MatchedPath::Malformed => {
                let problem = Problem::new(StatusCode::BAD_REQUEST)
                    .detail("the path is not percent-encoded UTF-8");
                return Break(refusal(&problem, node));
            }
        };
        let Some(id) = handler_of(node, request) else {
            let response = match *request.method() {
                HttpMethod::OPTIONS => finish::with_no_cache(HttpResponse::NoContent().finish()),
                _ => refusal(&Problem::new(StatusCode::METHOD_NOT_ALLOWED), node),
            };
            return Break(with_allow(response, node));
        };
        let is_wrapped = self.endpoints[id].wrapped.is_some();
        if !is_wrapped && let Some(hit) = cached::hit(&self.served, id, params, request) {
            return Break(hit);
        }
        let is_cached = table.handler(id).rendering.is_cached();
        if is_cached && params.path(request.path()).len() > LONGEST {
            return Break(refusal(&Problem::new(StatusCode::URI_TOO_LONG), node));
        }
        Continue(id)
    }

    /// Gives a request what its handler may read: app data, parameters, a body up to its limit.
    /// Breaks with a response if the body is too large.
    fn prepare(&self, id: HandlerId, request: &mut ServiceRequest) -> ControlFlow<HttpResponse> {
        if let Some(data) = &self.data {
            request.add_data_container(Rc::clone(data));
        }
        let table = &self.served.setup.table;
        let handler = table.handler(id);
        table.capture(handler, request);
        let endpoint = &self.endpoints[id];
        let Some(limit) = endpoint.body_limit else {
            return Continue(());
        };
        let limits = endpoint
            .extractor_limits
            .get_or_init(|| Rc::new(body_limit::extractor_limits(request, &handler.descriptor)));
        request.add_data_container(Rc::clone(limits));
        match BodyWatch::put_on(request, limit) {
            Ok(_) => Continue(()),
            Err(watch) => Break(finish::with_no_cache(
                watch.too_large(handler.descriptor.kind),
            )),
        }
    }
}

/// Returns the handler for the request's method. GET's handler answers HEAD if none is declared for
/// it.
fn handler_of(node: &Node, request: &ServiceRequest) -> Option<HandlerId> {
    let method = Method::of(request.method())?;
    node.handler(method).or_else(|| {
        let is_head = method == Method::Head;
        is_head.then(|| node.handler(Method::Get)).flatten()
    })
}

/// The URI that a request had when it was matched. Only routes with middleware keep it.
struct MatchedUri(Uri);

/// Restores the path that the request was matched with, if a middleware has changed it. The
/// parameters are parts of the matched path, and so is the key of a shared response.
fn as_matched(request: &mut ServiceRequest) {
    let matched = request.extensions_mut().remove::<MatchedUri>();
    if let Some(MatchedUri(uri)) = matched
        && uri.path() != request.path()
    {
        request.head_mut().uri = uri;
    }
}

/// Calls a route's middleware. A response that the middleware itself makes is for this one request,
/// like a handler's, even if it comes of an error or a panic.
///
/// An error is returned as an error, for the services around the routes. The response that they
/// will make of it is decided here. It is not yet made into a `ServiceResponse` here, because that
/// needs the request, and a middleware can change the request only while nothing else keeps it.
fn call_middleware(
    wrapped: &Endpoint,
    served: &Rc<Served>,
    id: HandlerId,
    request: ServiceRequest,
) -> Later {
    let (wrapped, served) = (Rc::clone(wrapped), Rc::clone(served));
    let answered = AssertUnwindSafe(async move { wrapped.call(request).await }).catch_unwind();
    Box::pin(async move {
        let handler = served.setup.table.handler(id);
        let (route, mode) = (&handler.descriptor, served.setup.mode);
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
                tracing::error!(target: target::HANDLER, { http.route = route.pattern, message }, "a middleware panicked");
                let response = fault::of_panic("a middleware", &message, route.kind, mode);
                (ErrorInternalServerError(message), response)
            }
        };
        finish::for_one_request(&mut response, handler);
        Err(InternalError::from_response(error, response).into())
    })
}

/// The service that a route's middleware wraps: the handler itself.
pub(super) struct HandlerService {
    pub(super) served: Rc<Served>,
    pub(super) id: HandlerId,
}

impl Service<ServiceRequest> for HandlerService {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = Answered;

    always_ready!();

    fn call(&self, mut request: ServiceRequest) -> Answered {
        as_matched(&mut request);
        let visit = Visit::new(&self.served, self.id, request);
        match cached::hit(&self.served, self.id, &visit.params, &visit.request) {
            Some(response) => at_once(visit.request, response),
            None => Either::Right(answer(visit)),
        }
    }
}

fn at_once(request: ServiceRequest, response: HttpResponse) -> Answered {
    Either::Left(ready(Ok(request.into_response(response))))
}

/// Redirects with 308 to the canonical path. That path starts with exactly one slash, so it can
/// name no other host.
fn redirect_to_clean(clean: &str, request: &ServiceRequest) -> HttpResponse {
    let location = match request.uri().query() {
        Some(query) => format!("{clean}?{query}"),
        None => clean.into(),
    };
    finish::with_no_cache(
        HttpResponse::PermanentRedirect()
            .insert_header((header::LOCATION, location))
            .finish(),
    )
}

/// Refuses a request before it reaches any handler.
fn refusal(problem: &Problem, node: &Node) -> HttpResponse {
    finish::with_no_cache(fault::response(problem, node.kind))
}

fn with_allow(mut response: HttpResponse, node: &Node) -> HttpResponse {
    response
        .headers_mut()
        .insert(header::ALLOW, node.allow.clone());
    response
}
