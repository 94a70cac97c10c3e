//! Generated code passes the strictest lints.

#![forbid(unsafe_code, non_ascii_idents)]
#![deny(warnings, missing_docs, unreachable_pub, unnameable_types)]
#![deny(
    future_incompatible,
    keyword_idents,
    let_underscore,
    nonstandard_style,
    rust_2018_idioms
)]
#![deny(
    missing_debug_implementations,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts
)]
#![deny(
    unused,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![deny(
    explicit_outlives_requirements,
    absolute_paths_not_starting_with_crate,
    unit_bindings
)]

#![forbid(
    dead_code,
    deprecated,
    missing_copy_implementations,
    missing_debug_implementations,
    non_camel_case_types,
    unused_imports
)]

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, Responder};
use route_runtime::{page, route};

/// A public handler with many options.
#[route(
    GET,
    "/posts/[id]/[...path]",
    dynamic = "auto",
    revalidate = 10,
    expire = 20,
    static_params = listed,
    dynamic_params = true,
    fetch_cache = "only-cache",
    tags = ["posts", "post:{id}"],
    cdn = false,
    wrap = pass,
    max_duration = 3
)]
pub async fn show(id: u64, path: Vec<String>, db: Data<u64>) -> String {
    format!("{id} {path:?} {db:?}")
}

/// A handler that only this crate sees.
#[route(POST, "/posts/[id]", body_limit = "1KB")]
pub(crate) async fn create(id: u64, body: Json<u64>, req: HttpRequest) -> impl Responder {
    format!("{id} {body} {req:?}")
}

#[page("/")]
async fn home() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// A segment.
#[route("/comments/[[...path]]", revalidate = false)]
pub mod comments {
    /// Answers GET.
    pub async fn GET(path: Option<Vec<u8>>) -> String {
        format!("{path:?}")
    }

    /// Answers POST.
    pub async fn POST(path: Vec<u8>) -> String {
        format!("{path:?}")
    }
}

/// A private segment, with a method in lower case.
#[route("/private")]
mod private {
    pub async fn get() -> &'static str {
        "private"
    }
}

async fn listed() -> Vec<(u64, Vec<String>)> {
    Vec::new()
}

async fn pass(request: ServiceRequest, next: Next<BoxBody>) -> actix_web::Result<ServiceResponse> {
    next.call(request).await
}

fn main() {
    /// A route in a function, from which nothing can be exported.
    #[route("/local/[id]", wrap = pass)]
    async fn local(id: u64) -> String {
        id.to_string()
    }
    let _ = local::ROUTE;
}
