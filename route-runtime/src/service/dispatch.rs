//! From a matched request to the visit of its handler: what is refused, what is ready, middleware.

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
use super::visit::{Answer, Visit, answer};
use super::{cached, finish};
use crate::declaration::{Endpoint, Method};
use crate::handler::body_limit::{self, BodyWatch};
use crate::handler::fault;
use crate::panic;
use crate::respond::Problem;
use crate::responses::Served;
use crate::table::{ByHandler, HandlerId, Node};
use crate::target;

/// The longest path of a blank request. The canonical spelling of a request's own may be longer, since
/// it escapes what a client need not.
const LONGEST: usize = u16::MAX as usize - 1;

/// An answer, at once or later.
type Answered = Either<Ready<Result<ServiceResponse, Error>>, Answer>;

/// One worker's service for every route.
pub(crate) struct Dispatcher {
    pub(super) served: Rc<Served>,
    pub(super) endpoints: ByHandler<WorkerEndpoint>,
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
    /// Finds the handler of a request. Breaks off with the response to one that is not for any
    /// handler, or for which a response is ready.
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
                HttpMethod::OPTIONS => finish::asked_again(HttpResponse::NoContent().finish()),
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

    /// Gives a request what its handler may read: app data, parameters, a body up to its limit. Breaks
    /// off with the response to one whose body is too large.
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
            Ok(()) => Continue(()),
            Err(watch) => Break(finish::asked_again(
                watch.too_large(handler.descriptor.kind),
            )),
        }
    }
}

/// The handler that answers the request's method: GET's answers HEAD where none is declared.
fn handler_of(node: &Node, request: &ServiceRequest) -> Option<HandlerId> {
    let method = Method::of(request.method())?;
    node.handler(method).or_else(|| {
        let is_head = method == Method::Head;
        is_head.then(|| node.handler(Method::Get)).flatten()
    })
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
fn call_middleware(
    wrapped: &Endpoint,
    served: &Rc<Served>,
    id: HandlerId,
    request: ServiceRequest,
) -> Answer {
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

/// What a route's middleware goes round.
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
