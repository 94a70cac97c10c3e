//! The parts of a URL that a handler can read: parameters, path and query.

use actix_web::web::Json;
use actix_web::{HttpRequest, Responder};
use route_runtime::{RequestExt as _, route};
use serde_json::json;

/// The path and the query, by the names that Next.js gives them.
#[route("/home")]
async fn home(req: HttpRequest) -> impl Responder {
    let name = req.search_params().get("name");
    Json(json!({ "pathname": req.pathname(), "name": name }))
}

/// `[team]` matches one segment.
#[route("/dashboard/[team]")]
async fn dashboard(team: String) -> impl Responder {
    Json(json!({ "team": team }))
}

/// Two parameters. Arguments are bound by name, in any order.
#[route("/shop/[tag]/[item]")]
async fn shop(item: String, tag: String) -> impl Responder {
    Json(json!({ "tag": tag, "item": item }))
}

/// `[...slug]` matches one segment or more.
#[route("/blog/[...slug]")]
async fn blog(slug: Vec<String>) -> impl Responder {
    Json(json!({ "slug": slug }))
}

/// `[[...slug]]` matches any number of segments, including none.
#[route("/docs/[[...slug]]")]
async fn docs(slug: Vec<String>) -> impl Responder {
    Json(json!({ "slug": slug }))
}
