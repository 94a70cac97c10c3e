//! The services and the middleware that this app had before it had any routes, written in actix-web's
//! own way.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, ContentType, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::DefaultHeaders;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder, get};

use crate::shop::Shop;

#[get("/health")]
pub(crate) async fn health() -> impl Responder {
    "ok\n"
}

/// The number of products. A service in a scope, with the state that the routes have too.
#[get("/products")]
pub(crate) async fn old_products(shop: Data<Shop>) -> impl Responder {
    format!("{} products\n", shop.products().len())
}

/// The not-found page, for every path that neither a service nor a route has.
pub(crate) async fn nothing_here(req: HttpRequest) -> impl Responder {
    let path = req.path().replace('&', "&amp;").replace('<', "&lt;");
    HttpResponse::build(StatusCode::NOT_FOUND)
        .content_type(ContentType::html())
        .body(format!(
            "<!doctype html><title>Nothing here</title><h1>Nothing here</h1><p>{path}</p>\n"
        ))
}

/// Adds headers that make browsers more careful. They are round the app, not in a section of the
/// routes, so that the services and the not-found page have them too.
pub(crate) fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((REFERRER_POLICY, "strict-origin-when-cross-origin"))
        .add((
            CONTENT_SECURITY_POLICY,
            "default-src 'self'; frame-ancestors 'none'",
        ))
}
