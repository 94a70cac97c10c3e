//! The way of one request for one handler to its response: refused, from the cache, or dynamic.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method as HttpMethod, StatusCode, header};
use actix_web::{Error, HttpMessage as _, HttpResponse};
use futures_core::future::LocalBoxFuture;
use tracing::{Instrument as _, Span};

use super::matched::{MatchedPath, matched};
use super::{cached, finish, head};
use crate::context::{Caller, Context, Declared, Requested, in_context, when_sent};
use crate::declaration::Method;
use crate::handler;
use crate::mode::Mode;
use crate::pattern::Params;
use crate::respond::Problem;
use crate::responses::{Served, warn_of_no_paths};
use crate::stored::directives;
use crate::table::{Handler, HandlerId};
use crate::target;

/// A response that has to be waited for.
pub(super) type Later = LocalBoxFuture<'static, Result<ServiceResponse, Error>>;

/// A request for one handler.
pub(super) struct Visit {
    pub(super) served: Rc<Served>,
    pub(super) id: HandlerId,
    pub(super) params: Params,
    pub(super) request: ServiceRequest,
}

impl Visit {
    /// Makes the visit of a request whose path is clean. Other paths are answered before any
    /// handler.
    pub(super) fn new(served: &Rc<Served>, id: HandlerId, request: ServiceRequest) -> Self {
        let params = match &matched(&request.extensions()).path {
            MatchedPath::Clean(params) => params.clone(),
            _ => unreachable!("other paths are answered before any handler"),
        };
        Self {
            served: Rc::clone(served),
            id,
            params,
            request,
        }
    }

    pub(super) fn handler(&self) -> &Handler {
        self.served.setup.table.handler(self.id)
    }

    /// Returns the canonical path, which is the key of the response.
    pub(super) fn path(&self) -> &str {
        self.params.path(self.request.path())
    }

    /// Returns the parts of the request that decide how its data is fetched.
    pub(super) fn caller(&self) -> Caller {
        Caller {
            ancestry: self
                .served
                .cache()
                .home()
                .loops
                .caller(self.request.headers()),
            reloads: self.served.setup.mode == Mode::Development && is_reload(&self.request),
        }
    }

    /// Makes the span of the request. The outcome is recorded in it at the end. A hit that is
    /// answered without a visit has no span.
    fn span(&self) -> Span {
        tracing::info_span!(
            target: target::REQUEST,
            "request",
            http.request.method = %self.request.method(),
            http.route = self.served.setup.table.node(self.handler().node).pattern,
            http.response.status_code = tracing::field::Empty,
            outcome = tracing::field::Empty,
        )
    }

    /// Makes the context of a dynamic handler.
    fn context(&self) -> Context {
        let Caller { ancestry, reloads } = self.caller();
        Context {
            owner: self.handler().owner(),
            fetch_cache: self.handler().descriptor.config.fetch_cache,
            ancestry,
            reloads,
            declared: Declared::Of(Arc::new(Requested {
                handler: self.id,
                uri: self.request.uri().clone(),
                params: self.params.clone(),
            })),
            ..self.served.context()
        }
    }
}

/// Answers a visit for which no response was ready: refuses it, answers it from the cache or a
/// render, or runs the handler for it.
pub(super) fn answer(visit: Visit) -> Later {
    let span = visit.span();
    if visit.handler().rendering.is_cached() {
        Box::pin(from_cache(visit).instrument(span))
    } else {
        Box::pin(when_sent(by_handler(visit).instrument(span)))
    }
}

async fn from_cache(visit: Visit) -> Result<ServiceResponse, Error> {
    let (response, outcome) = match refuse_unlisted(&visit).await {
        Some(response) => (response, "refused"),
        None if visit.served.setup.mode == Mode::Production => {
            cached::answer_in_production(&visit).await
        }
        None => cached::answer_in_development(&visit).await,
    };
    record_outcome(response.status(), outcome);
    Ok(without_body_for_head(visit.request.into_response(response)))
}

async fn by_handler(visit: Visit) -> Result<ServiceResponse, Error> {
    if let Some(response) = refuse_unlisted(&visit).await {
        record_outcome(response.status(), "refused");
        return Ok(without_body_for_head(visit.request.into_response(response)));
    }
    let context = visit.context();
    let Visit {
        served,
        id,
        params,
        request,
    } = visit;
    let handler = served.setup.table.handler(id);
    let answered = handler::answer(handler, params, &served.setup, request);
    let mut response = in_context(context, answered).await;
    finish::uncached(response.response_mut(), handler, finish::DYNAMIC);
    record_outcome(response.status(), "dynamic");
    let answers_get = handler.descriptor.method == Method::Get;
    Ok(if answers_get {
        without_body_for_head(response)
    } else {
        response
    })
}

/// Refuses a path that `static_params` does not list, with `dynamic_params = false`: the path does
/// not exist, however it would be rendered. While the list is unknown, the path is unavailable.
async fn refuse_unlisted(visit: &Visit) -> Option<HttpResponse> {
    let handler = visit.handler();
    if handler.descriptor.config.dynamic_params {
        return None;
    }
    let status = match visit.served.cache().listed(visit.id).await {
        Ok(listed) if listed.contains(visit.path()) => return None,
        Ok(listed) => {
            // In production, the start has said so.
            if listed.is_empty() && visit.served.setup.mode == Mode::Development {
                warn_of_no_paths(handler.descriptor.pattern);
            }
            StatusCode::NOT_FOUND
        }
        Err(reason) => {
            let pattern = handler.descriptor.pattern;
            tracing::error!(target: target::HANDLER, { http.route = pattern, reason }, "`static_params` failed");
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    let mut response = handler::fault::response(&Problem::new(status), handler.descriptor.kind);
    finish::uncached(&mut response, handler, finish::UNLISTED);
    Some(response)
}

/// Returns whether a browser was told to reload everything, which it says with `no-cache`.
fn is_reload(request: &ServiceRequest) -> bool {
    let values = request.headers().get_all(header::CACHE_CONTROL);
    values
        .filter_map(|value| value.to_str().ok())
        .any(|value| directives(value).any(|name| name == "no-cache"))
}

/// Records the outcome of a request in its span.
fn record_outcome(status: StatusCode, outcome: &str) {
    let span = Span::current();
    span.record("http.response.status_code", status.as_u16());
    span.record("outcome", outcome);
}

/// Removes the body of a response to HEAD and keeps its length.
fn without_body_for_head(response: ServiceResponse) -> ServiceResponse {
    match *response.request().method() {
        HttpMethod::HEAD => response.map_body(|_, body| head::without_bytes(body)),
        _ => response,
    }
}
