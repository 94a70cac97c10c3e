//! Handlers, arguments and functions may have the names of generated items.

#![allow(non_snake_case)]

use actix_web::HttpRequest;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use route_runtime::{Routes, route};

#[route("/call")]
async fn call(call: HttpRequest) -> String {
    call.path().into()
}

#[route("/output/[output]")]
async fn output(output: String, argument0: HttpRequest) -> String {
    output + argument0.path()
}

#[route("/argument0/[argument1]/[argument0]")]
async fn argument0(argument0: u8, argument1: u8) -> String {
    format!("{argument0} {argument1}")
}

#[route(GET, "/req/[path]", static_params = request, wrap = inner)]
async fn req(path: String) -> String {
    path
}

#[route("/handle/[handle]/[segments]")]
async fn handle(handle: String, segments: String, payload: String) -> String {
    handle + &segments + &payload
}

#[route("/path/[path]/[source]/[name]")]
async fn path(path: String, source: String, name: String) -> String {
    path + &source + &name
}

#[route("/route")]
async fn route_GET() -> &'static str {
    "route"
}

#[route("/single")]
mod single {
    pub async fn GET(many: String) -> String {
        many
    }
}

async fn request() -> Vec<String> {
    vec!["out".into()]
}

async fn inner(
    request: ServiceRequest,
    inner: Next<BoxBody>,
) -> actix_web::Result<ServiceResponse> {
    inner.call(request).await
}

fn main() {
    let routes = Routes::from_iter([
        call::ROUTE,
        output::ROUTE,
        argument0::ROUTE,
        req::ROUTE,
        handle::ROUTE,
        path::ROUTE,
        route_GET::ROUTE,
        single::GET::ROUTE,
    ]);
    assert_eq!(routes.unwrap().iter().len(), 8);
    assert_eq!(argument0::path(1, 2), "/argument0/1/2");
    assert_eq!(path::path("a", "b", "c"), "/path/a/b/c");
}
