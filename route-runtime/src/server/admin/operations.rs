//! The requests of operators, and the responses to them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, ContentType, HeaderName, HeaderValue, WWW_AUTHENTICATE,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage as _, HttpResponse, ResponseError as _};
use futures_util::StreamExt as _;

use super::secret::{NAME, Secret};
use crate::declaration::Kind;
use crate::handler::body_limit::BodyWatch;
use crate::respond::{Problem, not_found, unauthorized};
use crate::revalidate::RevalidateError;
use crate::routes::{Routes, Selection};
use crate::server::error::with_causes;

/// The most bytes that the body of a request may have.
const BODY_BYTES: u64 = 64 * 1024;

/// The longest that a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(5);

/// The description of a body, as an error message gives it.
const EXPECTED: &str = "expected a JSON object that names what to invalidate, such as \
    {\"tags\":[\"posts\"],\"paths\":[\"/posts/7\"],\"patterns\":[\"/posts/[id]\"],\"stale\":false}";

/// Everything that an operator can ask of a running server.
pub(super) struct Operations {
    routes: Routes,
    secret: Option<Secret>,
    /// Set once the server has been told to end.
    is_ending: AtomicBool,
}

impl Operations {
    pub(super) fn new(routes: Routes, secret: Option<Secret>) -> Self {
        Self {
            routes,
            secret,
            is_ending: AtomicBool::new(false),
        }
    }

    /// Notes that the server has been told to end.
    pub(super) fn end(&self) {
        self.is_ending.store(true, Ordering::Release);
    }

    /// Answers a request.
    pub(super) async fn answer(&self, mut request: ServiceRequest) -> ServiceResponse {
        let mut response = self.respond(&mut request).await;
        let no_store = HeaderValue::from_static("no-store");
        response.headers_mut().insert(CACHE_CONTROL, no_store);
        request.into_response(response)
    }

    async fn respond(&self, request: &mut ServiceRequest) -> HttpResponse {
        match (request.path(), &self.secret) {
            ("/health", _) => match *request.method() {
                Method::GET | Method::HEAD => self.health(),
                _ => not_allowed("GET, HEAD"),
            },
            ("/revalidate", None) => {
                let why = format!("{NAME} is not set, so nothing can be invalidated here");
                not_found().detail(why).error_response()
            }
            ("/revalidate", Some(_)) if request.method() != Method::POST => not_allowed("POST"),
            ("/revalidate", Some(secret)) if !secret.is_in(request.headers()) => {
                with_header(unauthorized(), WWW_AUTHENTICATE, "Bearer")
            }
            ("/revalidate", Some(_)) => match self.selection_of(request).await {
                Ok(selection) => self.revalidate(&selection).await,
                Err(refusal) => refusal,
            },
            _ => not_found().error_response(),
        }
    }

    fn health(&self) -> HttpResponse {
        if self.is_ending.load(Ordering::Acquire) {
            let why = "the server is shutting down";
            return problem(StatusCode::SERVICE_UNAVAILABLE, why);
        }
        HttpResponse::Ok()
            .content_type(ContentType::plaintext())
            .body("ok")
    }

    /// Reads what a request is to invalidate, or makes the response that refuses the request.
    async fn selection_of(&self, request: &mut ServiceRequest) -> Result<Selection, HttpResponse> {
        if !is_plain_json(request) {
            let why = "expected `Content-Type: application/json` and no `Content-Encoding`";
            return Err(problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
        }
        let body = self.body_of(request).await?;
        selection(&body).map_err(|why| problem(StatusCode::BAD_REQUEST, why))
    }

    async fn body_of(&self, request: &mut ServiceRequest) -> Result<Vec<u8>, HttpResponse> {
        let watch = BodyWatch::put_on(request, BODY_BYTES);
        let mut payload = request.take_payload();
        let read = async {
            let mut body = Vec::new();
            while let Some(chunk) = payload.next().await {
                body.extend_from_slice(&chunk?);
            }
            Ok::<_, PayloadError>(body)
        };
        let clock = &self.routes.served.setup.clock;
        match clock.within(BODY_TIME, read).await {
            Some(Ok(body)) => Ok(body),
            Some(Err(_)) if watch.is_exceeded() => Err(watch.too_large(Kind::Route)),
            Some(Err(error)) => {
                let why = format!("the body cannot be read: {error}");
                Err(problem(StatusCode::BAD_REQUEST, why))
            }
            None => {
                let late = Problem::new(StatusCode::REQUEST_TIMEOUT);
                Err(watch.close_after(late.error_response()))
            }
        }
    }

    /// Invalidates the selection. The response says so only once that is recorded.
    async fn revalidate(&self, selection: &Selection) -> HttpResponse {
        match selection.invalidate(&self.routes).await {
            Ok(()) => HttpResponse::Ok().json(selection),
            Err(error @ RevalidateError::Store(_)) => {
                problem(StatusCode::SERVICE_UNAVAILABLE, with_causes(&error))
            }
            Err(error) => problem(StatusCode::BAD_REQUEST, error.to_string()),
        }
    }
}

/// Returns whether a request says that its body is JSON, and not compressed.
fn is_plain_json(request: &ServiceRequest) -> bool {
    let mime = request.mime_type().ok().flatten();
    mime.is_some_and(|mime| mime.essence_str() == "application/json")
        && !request.headers().contains_key(CONTENT_ENCODING)
}

/// Reads a body, or returns the reason why it cannot be used.
fn selection(body: &[u8]) -> Result<Selection, String> {
    // Read as a selection, an array would be the values of the members in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(format!("the body is no JSON object; {EXPECTED}"));
    }
    let selection = serde_json::from_slice::<Selection>(body);
    let selection = selection.map_err(|error| format!("{error}; {EXPECTED}"))?;
    match selection.is_empty() {
        true => Err(format!("the body names nothing; {EXPECTED}")),
        false => Ok(selection),
    }
}

fn problem(status: StatusCode, why: impl Into<String>) -> HttpResponse {
    Problem::new(status).detail(why).error_response()
}

fn not_allowed(allow: &'static str) -> HttpResponse {
    with_header(Problem::new(StatusCode::METHOD_NOT_ALLOWED), ALLOW, allow)
}

fn with_header(problem: Problem, name: HeaderName, value: &'static str) -> HttpResponse {
    let mut response = problem.error_response();
    let value = HeaderValue::from_static(value);
    response.headers_mut().insert(name, value);
    response
}
