//! The time: when a response is rendered, and for how long it is cached.
//!
//! Every route responds with the time at which its handler ran, which shows whether the handler ran
//! again. `Cache-Status` says why.

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Iso8601;
use actix_web::http::StatusCode;
use actix_web::http::header::USER_AGENT;
use actix_web::web::{Json, Query};
use actix_web::{HttpRequest, HttpResponse, Responder};
use route_runtime::{
    Cookies, Problem, RevalidateError, SearchParams, revalidate_path, revalidate_tag, route,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Reads nothing of the request, so it is rendered once, ahead of the first request, and cached for
/// ever.
#[route("/api/time")]
async fn forever() -> Json<Value> {
    Json(json!({ "data": now() }))
}

/// Fresh for ten seconds. After that, the first request still gets the stale response at once, and
/// starts the next render.
#[route("/api/time/revalidate", revalidate = 10)]
async fn every_ten_seconds() -> Json<Value> {
    Json(json!({ "data": now() }))
}

/// Rendered for each request, because its option says so.
#[route("/api/time/force-dynamic", dynamic = "force-dynamic")]
async fn each_time() -> Json<Value> {
    Json(json!({ "data": now() }))
}

/// Cached for ever although it takes the request: it gets a blank one, whose query is empty.
#[route("/api/time/force-static", dynamic = "force-static")]
async fn in_spite_of_request(req: HttpRequest) -> Json<Value> {
    Json(json!({ "data": now(), "query": req.query_string() }))
}

/// Cached for ever. It does not compile if an argument reads the request.
#[route("/api/time/error", dynamic = "error")]
async fn on_pain_of_error() -> Json<Value> {
    Json(json!({ "data": now() }))
}

/// Rendered for each request, because it reads the query.
#[route("/api/time/search")]
async fn by_search(params: SearchParams) -> Json<Value> {
    Json(json!({ "data": now(), "query": params.to_string() }))
}

/// Rendered for each request, because it reads cookies.
#[route("/api/time/cookies")]
async fn by_cookies(cookies: Cookies) -> Json<Value> {
    Json(json!({ "data": now(), "theme": cookies.get("theme") }))
}

/// Rendered for each request, because it reads headers.
#[route("/api/time/headers")]
async fn by_headers(req: HttpRequest) -> Json<Value> {
    let agent = req.headers().get(USER_AGENT);
    let agent = agent.map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    Json(json!({ "data": now(), "userAgent": agent }))
}

/// Reads nothing of the request, but is rendered for each one, because of the POST beside it.
#[route("/api/time/with-post")]
async fn beside_post() -> Json<Value> {
    Json(json!({ "data": now() }))
}

/// The POST that makes the route above dynamic.
#[route(POST, "/api/time/with-post")]
async fn with_post() -> Json<Value> {
    Json(json!({ "data": now() }))
}

/// Cached for each `id`, from the first request for it, and fresh for ten seconds. The tags let
/// `/api/revalidate` invalidate one `id`, or all. A response that is a minute old is no longer
/// served: the next request waits for a new render.
#[route("/api/stock/[id]", revalidate = 10, expire = 60, tags = ["stock", "stock:{id}"])]
async fn stock(id: String) -> Json<Value> {
    Json(json!({ "id": id, "data": now() }))
}

/// Returns the zones that are known ahead of any request.
async fn zones() -> [&'static str; 3] {
    ["utc", "gmt", "zulu"]
}

/// Rendered ahead for each parameter that `zones` returns, and cached for ever. Any other parameter
/// is a 404 without a render. A CDN may cache the response too. It then answers without a request
/// to this server, even after the response has been invalidated here.
#[route("/api/zones/[zone]", static_params = zones, dynamic_params = false, cdn = true)]
async fn zone(zone: String) -> Json<Value> {
    Json(json!({ "zone": zone, "data": now() }))
}

#[derive(Deserialize)]
struct What {
    path: Option<String>,
    tag: Option<String>,
}

/// Invalidates responses, by `?path=/api/time` or by `?tag=stock`. The next request gets a response
/// that is rendered after the invalidation. In a real app, first check who is calling.
#[route(POST, "/api/revalidate")]
async fn revalidate(what: Query<What>) -> Result<impl Responder, Problem> {
    let bad = |detail: String| Problem::new(StatusCode::BAD_REQUEST).detail(detail);
    let revalidation = match what.into_inner() {
        What {
            path: Some(path),
            tag: None,
        } => revalidate_path(path),
        What {
            path: None,
            tag: Some(tag),
        } => revalidate_tag(tag),
        _ => return Err(bad("name a path or a tag, as in `?tag=stock`".into())),
    };
    match revalidation.await {
        Ok(()) => Ok(HttpResponse::Ok().json(json!({ "revalidated": true, "now": now() }))),
        Err(error @ (RevalidateError::UnknownPath(_) | RevalidateError::InvalidTag(_))) => {
            Err(bad(error.to_string()))
        }
        Err(_) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR)),
    }
}

/// Returns the current time, such as `2026-11-20T09:30:00.123456789Z`.
pub(crate) fn now() -> String {
    let now = OffsetDateTime::now_utc().format(&Iso8601::DEFAULT);
    now.expect("the year has four digits")
}
