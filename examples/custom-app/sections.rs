//! Middleware for the sections of the routes.

use std::time::Duration;

use actix_cors::Cors;
use actix_extensible_rate_limit::RateLimiter;
use actix_extensible_rate_limit::backend::memory::InMemoryBackend;
use actix_extensible_rate_limit::backend::{
    SimpleInputFunctionBuilder, SimpleInputFuture, SimpleOutput,
};
use actix_session::storage::CookieSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::body::BoxBody;
use actix_web::cookie::Key;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, ResponseError as _};
use actix_web_httpauth::extractors::bearer::BearerAuth;
use route_runtime::unauthorized;

use crate::account::CUSTOMER;
use crate::shop::Shop;

/// Lets scripts of the shop's own site read the responses.
pub(crate) fn cors() -> Cors {
    Cors::default()
        .allowed_origin("https://shop.example")
        .allowed_methods([Method::GET, Method::POST])
        .allowed_headers([AUTHORIZATION, CONTENT_TYPE])
        .max_age(600)
}

/// Keeps sessions in a cookie that browsers send over HTTPS and to localhost only.
pub(crate) fn sessions(key: Key) -> SessionMiddleware<CookieSessionStore> {
    SessionMiddleware::new(CookieSessionStore::default(), key)
}

/// Lets each address try ten times a minute.
pub(crate) fn limited(
    attempts: InMemoryBackend,
) -> RateLimiter<InMemoryBackend, SimpleOutput, impl Fn(&ServiceRequest) -> SimpleInputFuture> {
    let limit = SimpleInputFunctionBuilder::new(Duration::from_secs(60), 10).peer_ip_key();
    RateLimiter::builder(attempts, limit.build()).build()
}

/// Lets a request with the shop's token pass. It reads the real request and the app's data.
///
/// It answers other requests itself, rather than with an `Err`, so that CORS adds its headers to
/// that response as to any other.
pub(crate) async fn only_admins(
    shop: Data<Shop>,
    token: Option<BearerAuth>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    if token.is_some_and(|token| shop.admits(token.token())) {
        return next.call(request).await;
    }
    let mut refusal = unauthorized().error_response();
    let scheme = HeaderValue::from_static("Bearer");
    refusal.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    Ok(request.into_response(refusal))
}

/// Lets a request of a customer who has logged in pass.
pub(crate) async fn only_customers(
    session: Session,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    if session.contains_key(CUSTOMER) {
        return next.call(request).await;
    }
    Ok(request.into_response(unauthorized().error_response()))
}
