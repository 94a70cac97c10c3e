//! Requests for cached routes: from the cache, or from a render, shared as far as it may be.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{BodyStream, SizedStream};
use actix_web::dev::ServiceRequest;
use actix_web::http::header;
use actix_web::http::{Method as HttpMethod, StatusCode};
use actix_web::{HttpResponse, HttpResponseBuilder};
use tokio_stream::wrappers::ReceiverStream;
use tracing::Instrument as _;

use super::dispatch::{Answer, caller, record, request_span, without_body};
use super::replay::{Replay, Shared, cache_status, encoding_for, replay};
use super::{fault, finish};
use crate::cache::{Content, Entry, Failure, Status};
use crate::config::Cdn;
use crate::mode::Mode;
use crate::render::{Rendered, RenderedBody};
use crate::respond::Problem;
use crate::responses::StoredResponse;
use crate::routes::{Handler, Routes};
use crate::store::Tag;
use crate::stored::Stored;
use crate::trie::Params;

/// Answers from what is ready, without starting or waiting for anything.
pub(super) fn hit(
    routes: &Routes,
    index: usize,
    params: &Params,
    request: &ServiceRequest,
) -> Option<HttpResponse> {
    let handler = &routes.setup.table.handlers[index];
    if !handler.rendering.is_cached() || routes.setup.mode != Mode::Production {
        return None;
    }
    let path = params.path(request.path());
    let hit = routes.cache().lookup(index, path)?;
    // A render that asks over HTTP may be one that takes no stale content.
    if hit.is_stale && routes.cache().loops().caller(request.headers()).is_some() {
        return None;
    }
    let stored = hit.entry.value().response()?;
    let (encoding, is_final) = encoding_for(stored, request);
    let encoded = stored.encoded(encoding, is_final)?;
    let tags = outside_tags(routes, handler, &hit.entry, request);
    let answer = Replay {
        status: hit.status(),
        age: Some(hit.age),
        cdn: tags.as_deref().map(|tags| Shared {
            lifetime: hit.entry.lifetime(),
            is_current: hit.is_current(),
            tags,
        }),
    };
    routes.cache().count(&hit);
    Some(replay(stored, &encoded, &answer, request))
}

/// Answers a request for which nothing was ready.
pub(super) fn run(
    routes: &Rc<Routes>,
    index: usize,
    params: Params,
    request: ServiceRequest,
) -> Answer {
    let handler = &routes.setup.table.handlers[index];
    let span = request_span(&routes.setup.table, handler, &request);
    let routes = Rc::clone(routes);
    let answered = async move {
        let path = params.path(request.path()).to_owned();
        let (response, outcome) = match unlisted(&routes, index, &path).await {
            Some(response) => (response, "refused"),
            None if routes.setup.mode == Mode::Production => {
                kept(&routes, index, &path, &params, &request).await
            }
            None => once(&routes, index, &path, &params, &request).await,
        };
        record(response.status(), outcome);
        let is_head = *request.method() == HttpMethod::HEAD;
        let response = request.into_response(response);
        Ok(if is_head {
            without_body(response)
        } else {
            response
        })
    };
    Box::pin(answered.instrument(span))
}

/// With `dynamic_params = false`, a path that `static_params` does not give is not there, however it
/// would be rendered; as long as nobody can tell, it is unavailable.
pub(super) async fn unlisted(routes: &Routes, index: usize, path: &str) -> Option<HttpResponse> {
    let handler = &routes.setup.table.handlers[index];
    if handler.descriptor.config.dynamic_params {
        return None;
    }
    let problem = refusal(routes, handler, index, path).await?;
    let mut response = fault::response(&problem, handler.descriptor.kind);
    finish::uncached(&mut response, handler, "route; fwd=bypass; detail=unlisted");
    Some(response)
}

async fn refusal(routes: &Routes, handler: &Handler, index: usize, path: &str) -> Option<Problem> {
    match routes.cache().listed(index).await {
        Ok(listed) if listed.contains(path) => None,
        Ok(_) => Some(Problem::new(StatusCode::NOT_FOUND)),
        Err(reason) => {
            let pattern = handler.descriptor.pattern;
            tracing::error!(http.route = pattern, reason, "`static_params` failed");
            Some(Problem::new(StatusCode::SERVICE_UNAVAILABLE))
        }
    }
}

/// In production: whatever the cache has or has rendered.
async fn kept(
    routes: &Routes,
    index: usize,
    path: &str,
    params: &Params,
    request: &ServiceRequest,
) -> (HttpResponse, &'static str) {
    let handler = &routes.setup.table.handlers[index];
    let caller = caller(routes, request);
    let answer = match routes.cache().get(index, path, params, caller).await {
        Ok(answer) => answer,
        Err(failure) => return (failed(&failure, handler, routes.setup.mode), "failed"),
    };
    let status = answer.status;
    let response = match answer.content {
        Content::Entry(entry) => {
            let Some(stored) = entry.value().response() else {
                return (not_a_response(handler), "failed");
            };
            let (encoding, is_final) = encoding_for(stored, request);
            let encoded = stored.encode(encoding, is_final).await;
            let tags = outside_tags(routes, handler, &entry, request);
            let how = Replay {
                status,
                age: Some(answer.age),
                cdn: tags.as_deref().map(|tags| Shared {
                    lifetime: entry.lifetime(),
                    is_current: answer.is_current,
                    tags,
                }),
            };
            replay(stored, &encoded, &how, request)
        }
        Content::Once(stored) => match stored.response() {
            Some(stored) => once_shared(stored, status),
            None => return (not_a_response(handler), "failed"),
        },
        Content::Individual(rendered) => {
            let why = why_individual(&rendered);
            let mut response = passed_on(rendered);
            finish::uncached(&mut response, handler, why);
            response
        }
    };
    (response, status.as_str())
}

/// In development: always anew, and kept nowhere.
async fn once(
    routes: &Routes,
    index: usize,
    path: &str,
    params: &Params,
    request: &ServiceRequest,
) -> (HttpResponse, &'static str) {
    let handler = &routes.setup.table.handlers[index];
    let caller = caller(routes, request);
    let rendered = routes.cache().render_once(index, path, params, caller);
    let mut response = match rendered.await {
        Some(rendered) => passed_on(rendered),
        None => {
            let failed = failed(&Failure::TimedOut, handler, routes.setup.mode);
            return (failed, "development");
        }
    };
    finish::uncached(&mut response, handler, finish::DEVELOPMENT);
    (response, "development")
}

/// The entry's tags as `Cache-Tag` wants them, if shared caches outside may keep the response to this
/// request.
fn outside_tags(
    routes: &Routes,
    handler: &Handler,
    entry: &Arc<Entry<Stored>>,
    request: &ServiceRequest,
) -> Option<String> {
    let is_shared = match handler.descriptor.config.cdn_under(routes.setup.cdn) {
        Cdn::No => false,
        Cdn::Yes => !has_credentials(request),
        Cdn::Public => true,
    };
    is_shared.then(|| {
        let tags = entry.tags().iter().map(Tag::as_str);
        // Our own, for paths and patterns, and what could not be told apart there.
        let tags = tags.filter(|tag| {
            tag.bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b',')
        });
        tags.collect::<Vec<_>>().join(",")
    })
}

/// Whether a request says who sends it. Whatever stands before the routes may have let it through for
/// that alone.
fn has_credentials(request: &ServiceRequest) -> bool {
    let names = [header::AUTHORIZATION, header::PROXY_AUTHORIZATION];
    names
        .iter()
        .any(|name| request.headers().contains_key(name))
}

/// A result that is shared among those who waited, and not kept.
fn once_shared(stored: &StoredResponse, status: Status) -> HttpResponse {
    let mut response = HttpResponse::with_body(
        stored.status,
        actix_web::body::BoxBody::new(stored.body.clone()),
    );
    let headers = response.headers_mut();
    for (name, value) in &stored.headers {
        headers.append(name.clone(), value.clone());
    }
    if !stored.has_cache_control {
        headers.insert(header::CACHE_CONTROL, finish::PRIVATE);
    }
    headers.append(super::replay::CACHE_STATUS, cache_status(status));
    response
}

fn why_individual(rendered: &Rendered) -> &'static str {
    match rendered.body {
        _ if rendered.used.uncached.is_some() => "route; fwd=bypass; detail=data",
        _ if rendered.headers.contains_key(header::SET_COOKIE) => {
            "route; fwd=bypass; detail=set-cookie"
        }
        RenderedBody::Stream { .. } => "route; fwd=bypass; detail=stream",
        RenderedBody::Full(_) => "route; fwd=bypass; detail=private",
    }
}

/// A render's answer as it is.
fn passed_on(rendered: Rendered) -> HttpResponse {
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

/// No path is the key of anything else; a store behind memory that says so is not believed.
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
    if mode == Mode::Development {
        problem = problem.detail(failure.to_string());
    }
    let mut response = fault::response(&problem, handler.descriptor.kind);
    if let Failure::Overloaded { retry_after } = failure {
        let seconds = retry_after.as_secs().max(1);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    finish::uncached(&mut response, handler, why);
    response
}
