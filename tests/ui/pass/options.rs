//! Every option compiles, with all others. Generated from the table of options.

#![forbid(unsafe_code, missing_debug_implementations, unused_imports)]
#![deny(warnings, missing_docs, unreachable_pub, unused, rust_2018_idioms, future_incompatible)]

use actix_web::Error;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use route_runtime::route;

async fn guard(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    next.call(request).await
}

async fn paths() -> [&'static str; 1] {
    ["ann"]
}

#[route(
    GET,
    "/all/[user]",
    dynamic = "auto",
    revalidate = 60,
    expire = 600,
    static_params = paths,
    dynamic_params = false,
    fetch_cache = "force-cache",
    tags = ["posts", "user:{user}"],
    cdn = "public",
    store = false,
    wrap = guard,
    max_duration = 5,
)]
async fn get(user: String) -> String {
    user
}

#[route(
    POST,
    "/all/[user]",
    fetch_cache = "force-cache",
    wrap = guard,
    max_duration = 5,
    body_limit = "64KB",
)]
async fn post(user: String) -> String {
    user
}

fn main() {
    let routes = route_runtime::Routes::from_iter([get::ROUTE, post::ROUTE]).unwrap();
    assert_eq!(routes.iter().len(), 2);
}
