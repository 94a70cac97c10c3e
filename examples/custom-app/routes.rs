//! The routes, declared as in any other app. `main` puts them behind `/v1`.

use actix_web::Responder;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use route_runtime::{Problem, RevalidateError, not_found, revalidate_tag, route};
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

/// Adds a product and invalidates the responses without it. The section of `/admin` lets only
/// clients with the token in.
#[route(POST, "/admin/products")]
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

/// An order, only for clients with the token. It is cached nevertheless: sections are passed before
/// the cache is asked.
#[route("/admin/orders/[number]", revalidate = 60)]
async fn order(number: u32) -> impl Responder {
    Json(json!({ "order": number }))
}
