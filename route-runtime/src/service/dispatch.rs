//! The way of a request from its match to the visit of its handler: sections, refusals, ready
//! responses, the middleware of its route.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::future::{Ready, ready};
use std::ops::ControlFlow::{self, Break, Continue};
use std::rc::Rc;

use actix_service::{Service, always_ready};
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::{Method as HttpMethod, StatusCode, header};
use actix_web::{Error, HttpMessage as _, HttpResponse};
use futures_util::future::Either;

use super::boundary::{self, AsMatched, Depth, Of};
use super::chain::{Chain, Passing};
use super::matched::{Matched, MatchedPath};
use super::visit::{Later, Visit, answer};
use super::{cached, finish};
use crate::declaration::{Kind, Method};
use crate::handler::body_limit::{self, BodyWatch};
use crate::handler::fault;
use crate::middleware::Endpoint;
use crate::pattern::nearest;
use crate::respond::{Problem, not_found};
use crate::responses::Served;
use crate::table::{ByHandler, HandlerId, Node, SectionIds};

/// The longest path of a blank request. A request's canonical path may be longer than the path that
/// the client sent, because it escapes characters that a client need not escape.
const LONGEST: usize = u16::MAX as usize - 1;

/// A response that is ready now or later.
pub(super) type Answered = Either<Ready<Result<ServiceResponse, Error>>, Later>;

/// The service of one worker, for every route.
#[derive(Clone)]
pub(crate) struct Dispatcher {
    pub(super) worker: Rc<Worker>,
    pub(super) chain: Chain,
}

/// The endpoints of one worker, which are inside all sections.
pub(super) struct Worker {
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
        if self.chain.is_some()
            && let Some((sections, kind)) = self.worker.covering(&request)
        {
            self.worker.prepare_for_sections(&mut request);
            return Passing::begin(sections, kind, &self.chain, &self.worker, request);
        }
        self.worker.answer(request)
    }
}

impl Worker {
    /// Returns the sections that cover a request's path, unless there are none, and the kind of what
    /// they cover there.
    fn covering(&self, request: &ServiceRequest) -> Option<(SectionIds, Kind)> {
        let table = &self.served.setup.table;
        let extensions = request.extensions();
        let matched = extensions.get::<Matched>();
        let node = matched.map(Matched::node);
        if node.is_some_and(|node| node.sections.is_empty()) {
            return None;
        }
        let path = match matched.map(|it| &it.path) {
            Some(MatchedPath::Clean(params)) => Cow::Borrowed(params.path(request.path())),
            Some(MatchedPath::Unclean(clean)) => Cow::Borrowed(&**clean),
            Some(MatchedPath::Malformed) | None => nearest(request.path()),
        };
        let sections = table.covering(node, &path);
        let kind = node.map_or_else(|| table.kind(), |node| node.kind);
        (!sections.is_empty()).then_some((sections, kind))
    }

    /// Answers a request that is in no section.
    fn answer(&self, mut request: ServiceRequest) -> Answered {
        let id = match self.find(&request) {
            Continue(id) => id,
            Break(response) => return at_once(request, response),
        };
        self.give_data(&mut request);
        self.give_params_and_body(id, &mut request);
        self.send(id, Depth::Outermost, request)
    }

    /// Answers a request that has passed its sections.
    pub(super) fn answer_prepared(&self, depth: Depth, request: ServiceRequest) -> Answered {
        match self.find(&request) {
            Continue(id) => self.send(id, depth, request),
            Break(response) => at_once(request, response),
        }
    }

    /// Sends a request that has what its handler may read to the handler's middleware, or else to
    /// the handler.
    fn send(&self, id: HandlerId, depth: Depth, request: ServiceRequest) -> Answered {
        if let Some(response) = self.refuse_body(id, &request) {
            return at_once(request, response);
        }
        match &self.endpoints[id].wrapped {
            Some(wrapped) => {
                let as_matched = AsMatched::of(&request);
                request.extensions_mut().insert(as_matched);
                let of = Of::Handler(id);
                Either::Right(boundary::call(wrapped, of, depth, &self.served, request))
            }
            None => Either::Right(answer(Visit::new(&self.served, id, request))),
        }
    }

    /// Refuses a request whose headers, or whose sections, have shown that its body is too large. For
    /// a handler without a limit, which may be asked for an upgrade to something endless, none holds
    /// any more.
    fn refuse_body(&self, id: HandlerId, request: &ServiceRequest) -> Option<HttpResponse> {
        let body = request.extensions().get::<BodyWatch>().cloned()?;
        if self.endpoints[id].body_limit.is_none() {
            body.lift();
        }
        if !body.is_too_long() {
            return None;
        }
        let kind = self.served.setup.table.handler(id).descriptor.kind;
        Some(finish::with_no_cache(body.too_large(kind)))
    }

    /// Finds the handler of a request. Breaks with a response if the request is not for any
    /// handler, or if its response is ready.
    fn find(&self, request: &ServiceRequest) -> ControlFlow<HttpResponse, HandlerId> {
        let table = &self.served.setup.table;
        let extensions = request.extensions();
        let Some(matched) = extensions.get::<Matched>() else {
            return Break(nothing_here(table.kind()));
        };
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

    /// Gives a request what its sections and its handler may read. Later is too late: a request can
    /// be changed only while nothing else keeps it.
    fn prepare_for_sections(&self, request: &mut ServiceRequest) {
        self.give_data(request);
        let id = {
            let extensions = request.extensions();
            let node = extensions.get::<Matched>().map(Matched::node);
            node.and_then(|node| handler_of(node, request))
        };
        if let Some(id) = id {
            self.give_params_and_body(id, request);
        }
        // What no handler limits, a section may read before it knows who asks.
        if !request.extensions().contains::<BodyWatch>() {
            BodyWatch::put_on(request, body_limit::DEFAULT);
        }
    }

    /// Gives a request the app data.
    fn give_data(&self, request: &mut ServiceRequest) {
        if let Some(data) = &self.data {
            request.add_data_container(Rc::clone(data));
        }
    }

    /// Gives a request the parameters that its handler may read, and a body up to its limit.
    fn give_params_and_body(&self, id: HandlerId, request: &mut ServiceRequest) {
        let table = &self.served.setup.table;
        let handler = table.handler(id);
        table.capture(handler, request);
        let endpoint = &self.endpoints[id];
        let Some(limit) = endpoint.body_limit else {
            return;
        };
        let limits = endpoint
            .extractor_limits
            .get_or_init(|| Rc::new(body_limit::extractor_limits(request, &handler.descriptor)));
        request.add_data_container(Rc::clone(limits));
        BodyWatch::put_on(request, limit);
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
        // It stays: a middleware may call the handler again.
        let as_matched = request.extensions().get::<AsMatched>().cloned();
        if let Some(as_matched) = as_matched {
            as_matched.restore(&mut request);
        }
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

/// Answers a request that no route matches, in the form in which the routes say that something is
/// not there.
fn nothing_here(kind: Kind) -> HttpResponse {
    finish::with_no_cache(fault::response(&not_found(), kind))
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
