//! Responses of cached routes, from the cache or from a render, shared as widely as they may be.

use std::rc::Rc;
use std::sync::atomic::Ordering;

use actix_web::body::{BodyStream, BoxBody, SizedStream};
use actix_web::dev::ServiceRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentEncoding, HeaderValue};
use actix_web::{HttpMessage as _, HttpResponse, HttpResponseBuilder};
use tokio_stream::wrappers::ReceiverStream;

use super::chain::Passing;
use super::finish;
use super::replay::{OutsideTags, Replay, Shared, cache_status, encoding_for, replay};
use super::visit::Visit;
use crate::declaration::Cdn;
use crate::engine::{Content, Entry, Failure, Status};
use crate::handler::fault;
use crate::mode::Mode;
use crate::pattern::Params;
use crate::respond::Problem;
use crate::responses::Served;
use crate::stored::{Encoded, OwnCaching, RenderedBody, RenderedResponse, Stored, StoredResponse};
use crate::table::{Handler, HandlerId};
use crate::tags::{path_tag, pattern_tag};
use crate::target;

/// Returns the response that the cache has ready, if there is one. Starts nothing and waits for
/// nothing.
pub(super) fn hit(
    served: &Served,
    id: HandlerId,
    params: &Params,
    request: &ServiceRequest,
) -> Option<HttpResponse> {
    let handler = served.setup.table.handler(id);
    if !handler.rendering.is_cached() || served.setup.mode != Mode::Production {
        return None;
    }
    let cache = served.cache();
    let path = params.path(request.path());
    let hit = cache.lookup(id, path)?;
    // A render that sends this request over HTTP may be one that accepts no stale content.
    if hit.is_stale && cache.home().loops.caller(request.headers()).is_some() {
        return None;
    }
    let stored = hit.entry.value().response()?;
    let (encoding, is_final) = encoding_for(stored, request);
    let encoded = stored.encoded(encoding, is_final)?;
    let answer = Replay {
        kind: handler.descriptor.kind,
        status: hit.status(),
        age: hit.age,
        cdn: is_shared_outside(served, handler, request)
            .then(|| instructions(served, handler, path, &hit.entry, hit.is_current())),
    };
    cache.count(&hit);
    Some(replay(stored, &encoded, &answer, request))
}

/// Answers in production, with what the cache has or renders. Also returns the outcome, for the
/// request's span.
pub(super) async fn answer_in_production(visit: &Visit) -> (HttpResponse, &'static str) {
    let handler = visit.handler();
    let cache = visit.served.cache();
    let answer = cache.get(visit.id, visit.path(), &visit.params, visit.caller());
    let answer = match answer.await {
        Ok(answer) => answer,
        Err(failure) => return (failed(&failure, handler, Mode::Production), "failed"),
    };
    let status = answer.status;
    let response = match answer.content {
        Content::Entry(entry) => {
            let Some(stored) = entry.value().response() else {
                return (not_a_response(handler), "failed");
            };
            let (encoding, is_final) = encoding_for(stored, &visit.request);
            let encoded = stored.encode(encoding, is_final).await;
            let (served, is_current) = (&visit.served, answer.is_current);
            let how = Replay {
                kind: handler.descriptor.kind,
                status,
                age: answer.age,
                cdn: is_shared_outside(served, handler, &visit.request)
                    .then(|| instructions(served, handler, visit.path(), &entry, is_current)),
            };
            replay(stored, &encoded, &how, &visit.request)
        }
        Content::Once(stored) => match stored.response() {
            Some(stored) => once_shared(stored, status),
            None => return (not_a_response(handler), "failed"),
        },
        Content::Individual(individual) => {
            let mut response = passed_on(individual.response);
            finish::uncached(
                &mut response,
                handler,
                finish::individual_status(&individual.reason),
            );
            response
        }
    };
    (response, status.as_str())
}

/// Answers in development, from a render for this request alone that is not kept. Also returns the
/// outcome, for the request's span.
pub(super) async fn answer_in_development(visit: &Visit) -> (HttpResponse, &'static str) {
    const OUTCOME: &str = "development";
    let handler = visit.handler();
    let cache = visit.served.cache();
    let rendered = cache.render_once(visit.id, visit.path(), &visit.params, visit.caller());
    let Some(rendered) = rendered.await else {
        return (
            failed(&Failure::TimedOut, handler, Mode::Development),
            OUTCOME,
        );
    };
    let mut response = passed_on(rendered.response);
    finish::uncached(&mut response, handler, finish::DEVELOPMENT);
    (response, OUTCOME)
}

/// Returns whether shared caches outside may keep the response to this request.
fn is_shared_outside(served: &Served, handler: &Handler, request: &ServiceRequest) -> bool {
    let table = &served.setup.table;
    let cdn = served.setup.cdn && !table.is_guarded(table.node(handler.node));
    match handler.descriptor.config.cdn_under(cdn) {
        Cdn::No => false,
        Cdn::Yes => !has_credentials(request) && !passed_a_guard(request),
        Cdn::Public => true,
    }
}

/// Makes the instructions for shared caches outside that may keep the response of a path.
fn instructions(
    served: &Served,
    handler: &Handler,
    path: &str,
    entry: &Entry<Stored>,
    is_current: bool,
) -> Shared {
    let pattern = &served.setup.table.node(handler.node).pattern;
    let own = || [path_tag(path), pattern_tag(pattern)];
    let tags = OutsideTags::of(served.setup.tag_header, entry.tags(), own);
    if tags.is_cut && !handler.are_tags_told.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            target: target::CACHE,
            { http.route = handler.descriptor.pattern },
            "a response has more tags than fit in a header; shared caches outside get only those of \
             its path and its pattern, and cannot purge it by the others"
        );
    }
    Shared {
        lifetime: entry.lifetime(),
        is_current,
        tags,
    }
}

/// Returns whether a request has passed a section that may decide who reads the response. A section
/// may cover only some of a route's paths.
fn passed_a_guard(request: &ServiceRequest) -> bool {
    let extensions = request.extensions();
    let passing = extensions.get::<Rc<Passing>>();
    passing.is_some_and(|passing| passing.is_guarded)
}

/// Returns whether a request says who sends it. Something in front of the routes may have let the
/// request through for that reason alone.
fn has_credentials(request: &ServiceRequest) -> bool {
    let names = [header::AUTHORIZATION, header::PROXY_AUTHORIZATION];
    names
        .iter()
        .any(|name| request.headers().contains_key(name))
}

/// Makes a response of a result that is shared among the requests that waited for it, and not kept.
fn once_shared(stored: &StoredResponse, status: Status) -> HttpResponse {
    let mut response = HttpResponse::with_body(stored.status, BoxBody::new(stored.body.clone()));
    let headers = response.headers_mut();
    for (name, value) in &stored.headers {
        headers.append(name.clone(), value.clone());
    }
    let plain = stored.encoded(ContentEncoding::Identity, false);
    if let Some(etag) = plain.as_ref().and_then(Encoded::etag) {
        headers.insert(header::ETAG, etag.clone());
    }
    if stored.own_caching != OwnCaching::CacheControl {
        headers.insert(header::CACHE_CONTROL, finish::PRIVATE);
    }
    headers.append(super::replay::CACHE_STATUS, cache_status(status));
    response
}

/// Makes a response of what was rendered, unchanged.
fn passed_on(rendered: RenderedResponse) -> HttpResponse {
    let mut response = HttpResponseBuilder::new(rendered.status);
    for (name, value) in &rendered.headers {
        response.append_header((name.clone(), value.clone()));
    }
    match rendered.body {
        RenderedBody::Full(bytes) => response.body(bytes),
        RenderedBody::Stream { chunks, length } => {
            let chunks = ReceiverStream::new(chunks);
            match length {
                Some(length) => response.body(SizedStream::new(length, chunks)),
                None => response.body(BodyStream::new(chunks)),
            }
        }
    }
}

/// Answers a request whose key holds something other than a response. No path is the key of
/// anything else, so the store behind memory has mixed up its keys.
fn not_a_response(handler: &Handler) -> HttpResponse {
    failed(&Failure::Abandoned, handler, Mode::Production)
}

fn failed(failure: &Failure, handler: &Handler, mode: Mode) -> HttpResponse {
    let (status, why) = match failure {
        Failure::Overloaded { .. } => (
            StatusCode::SERVICE_UNAVAILABLE,
            "route; fwd=miss; detail=overloaded",
        ),
        Failure::Abandoned => (
            StatusCode::SERVICE_UNAVAILABLE,
            "route; fwd=miss; detail=abandoned",
        ),
        Failure::TimedOut => (
            StatusCode::GATEWAY_TIMEOUT,
            "route; fwd=miss; detail=timeout",
        ),
        Failure::Panicked(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "route; fwd=miss; detail=panic",
        ),
        Failure::Cycle => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "route; fwd=miss; detail=cycle",
        ),
    };
    let mut problem = Problem::new(status);
    let is_overloaded = matches!(failure, Failure::Overloaded { .. });
    if is_overloaded || mode == Mode::Development {
        problem = problem.detail(failure.to_string());
    }
    let mut response = fault::response(&problem, handler.descriptor.kind);
    if let Failure::Overloaded { retry_after, .. } = failure {
        let seconds = retry_after.as_secs().max(1);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    finish::uncached(&mut response, handler, HeaderValue::from_static(why));
    response
}
