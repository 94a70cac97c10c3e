//! Every option, alone and together.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, error};
use route_runtime::{CachedReason, DynamicReason, Rendering, Revalidate, Routes, page, route};

#[route(
    GET,
    "/all/[id]",
    dynamic = "auto",
    revalidate = 10,
    expire = 100,
    static_params = lists::from_data,
    dynamic_params = false,
    fetch_cache = "default-no-store",
    tags = ["posts", "post:{id}"],
    cdn = "public",
    wrap = exact,
    wrap = generic,
    wrap = crate::extracting,
    max_duration = 5,
)]
async fn all(id: u64, db: Data<Vec<u64>>) -> String {
    format!("{id} {db:?}")
}

#[page("/forever", revalidate = false)]
async fn forever() -> &'static str {
    ""
}

#[page("/static", dynamic = "force-static")]
async fn forced(req: HttpRequest) -> String {
    req.path().into()
}

#[page("/strict", dynamic = "error", cdn = false)]
async fn strict() -> &'static str {
    ""
}

#[page("/never", revalidate = 0, max_duration = 1)]
async fn never(req: HttpRequest) -> String {
    req.path().into()
}

/// `"force-dynamic"` wins over the other options, and the table of routes says so.
#[page("/dynamic/[id]", dynamic = "force-dynamic", revalidate = 10, static_params = lists::plain)]
async fn dynamic(id: u64) -> String {
    id.to_string()
}

#[page("/listed/[id]", static_params = lists::plain)]
async fn listed(id: u64) -> String {
    id.to_string()
}

#[route(PATCH, "/limited", body_limit = 1024, fetch_cache = "auto", wrap = exact)]
async fn limited(body: String) -> String {
    body
}

mod lists {
    use super::*;

    pub async fn from_data(db: Data<Vec<u64>>) -> Result<Vec<u64>, Error> {
        if db.is_empty() {
            return Err(error::ErrorServiceUnavailable("not yet"));
        }
        Ok(db.to_vec())
    }

    pub async fn plain() -> [u64; 2] {
        [1, 2]
    }
}

async fn exact(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    next.call(request).await
}

async fn generic<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    next.call(request).await
}

async fn extracting(
    _: Data<u64>,
    _: HttpRequest,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    next.call(request).await
}

fn main() {
    let routes = Routes::collect().unwrap();
    let rendering = |pattern| {
        let mut routes = routes.iter();
        routes
            .find(|route| route.pattern() == pattern)
            .unwrap()
            .rendering()
    };
    let cached = Rendering::Cached;
    assert_eq!(
        rendering("/all/[id]"),
        cached(CachedReason::Revalidate(Revalidate::After(10)))
    );
    assert_eq!(
        rendering("/forever"),
        cached(CachedReason::Revalidate(Revalidate::Never))
    );
    assert_eq!(rendering("/static"), cached(CachedReason::Forced));
    assert_eq!(rendering("/strict"), cached(CachedReason::Error));
    assert_eq!(
        rendering("/listed/[id]"),
        cached(CachedReason::StaticParams)
    );
    let dynamic = Rendering::Dynamic;
    assert_eq!(rendering("/never"), dynamic(DynamicReason::RevalidateZero));
    assert_eq!(rendering("/dynamic/[id]"), dynamic(DynamicReason::Forced));
    assert!(!rendering("/limited").is_cached());
}
