//! The routes, declared as in any other app. `main` puts them behind `/v1`.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::web::{Data, Json};
use actix_web::{Responder, ResponseError as _};
use route_runtime::{Problem, RevalidateError, not_found, revalidate_tag, route, unauthorized};
use serde_json::json;

use crate::shop::Shop;

/// The products, rendered at most once a minute, and again after a product is added.
#[route("/products", revalidate = 60, tags = ["products"])]
async fn products(shop: Data<Shop>) -> impl Responder {
    Json(json!({ "products": *shop.products() }))
}

/// A product. Its response is too short for the cache to compress; `Compress` compresses it.
#[route("/products/[number]", revalidate = 60, tags = ["products"])]
async fn product(number: usize, shop: Data<Shop>) -> Result<impl Responder, Problem> {
    let products = shop.products();
    let name = number.checked_sub(1).and_then(|index| products.get(index));
    let name = name.ok_or_else(not_found)?;
    Ok(Json(json!({ "number": number, "name": name })))
}

/// Adds a product and invalidates the responses without it. Only for clients with the token.
#[route(POST, "/products", wrap = authorise)]
async fn add_product(
    shop: Data<Shop>,
    name: Json<String>,
) -> Result<impl Responder, RevalidateError> {
    let number = {
        let mut products = shop.products();
        products.push(name.into_inner());
        products.len()
    };
    revalidate_tag("products").await?;
    Ok((Json(json!({ "number": number })), StatusCode::CREATED))
}

/// An order, only for clients with the token. It is cached nevertheless: middleware runs before the
/// cache.
#[route("/orders/[number]", revalidate = 60, wrap = authorise)]
async fn order(number: u32) -> impl Responder {
    Json(json!({ "order": number }))
}

/// Lets a request with the shop's token pass. It reads the real request and the app's data.
///
/// It answers other requests itself, rather than with an `Err`, so that CORS adds its headers to
/// that response as to any other.
async fn authorise(
    shop: Data<Shop>,
    req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, actix_web::Error> {
    let token = req.headers().get(AUTHORIZATION);
    if token.is_some_and(|token| shop.admits(token.as_bytes())) {
        return next.call(req).await;
    }
    let mut refusal = unauthorized().error_response();
    let scheme = HeaderValue::from_static("Bearer");
    refusal.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    Ok(req.into_response(refusal))
}
