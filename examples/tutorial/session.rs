//! Sessions: cookies, authorisation, redirects, and work after the response.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::web::{Data, Json, Query};
use actix_web::{Responder, ResponseError as _};
use route_runtime::{Cookies, after, redirect, route, unauthorized};
use serde::Deserialize;
use serde_json::json;

use crate::time::now;

/// The theme that the client chose.
#[route("/api/theme")]
async fn theme(cookies: Cookies) -> impl Responder {
    Json(json!({ "theme": cookies.get("theme") }))
}

#[derive(Deserialize)]
struct Theme {
    theme: String,
}

/// Sets the theme's cookie: `?theme=dark`. The handler can read it at once.
#[route(POST, "/api/theme")]
async fn choose(query: Query<Theme>, cookies: Cookies) -> impl Responder {
    cookies.set(("theme", &*query.theme));
    Json(json!({ "theme": cookies.get("theme") }))
}

/// Deletes the theme's cookie.
#[route(DELETE, "/api/theme")]
async fn forget(cookies: Cookies) -> impl Responder {
    cookies.delete("theme");
    Json(json!({ "theme": cookies.get("theme") }))
}

/// Redirects to another path with 307. `permanent_redirect` does so with 308.
#[route("/api/redirect")]
async fn moved() -> impl Responder {
    redirect("/about")
}

/// Lets a request with the token pass. It answers other requests itself, rather than with an `Err`,
/// so that middleware around the app sees that response like any other.
async fn authorised(
    req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, actix_web::Error> {
    let token = req.headers().get(AUTHORIZATION);
    if token.is_some_and(|token| token == "Bearer tutorial") {
        return next.call(req).await;
    }
    let mut refusal = unauthorized().error_response();
    let scheme = HeaderValue::from_static("Bearer");
    refusal.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    Ok(req.into_response(refusal))
}

/// A response that is cached for ever, but only for clients with the token: the route's middleware
/// sees each request before the cache does.
#[route("/api/admin", wrap = authorised)]
async fn admin() -> impl Responder {
    Json(json!({ "data": now() }))
}

/// The number of visits counted so far.
#[derive(Default)]
pub(crate) struct Visits(Arc<AtomicU64>);

/// Counts the visit when the response has been sent. The client does not wait for that, and sees
/// the new count the next time.
#[route("/api/after", dynamic = "force-dynamic")]
async fn visit(visits: Data<Visits>) -> impl Responder {
    let before = visits.0.load(Ordering::Relaxed);
    let count = Arc::clone(&visits.0);
    after(async move {
        count.fetch_add(1, Ordering::Relaxed);
    });
    Json(json!({ "visits": before }))
}
