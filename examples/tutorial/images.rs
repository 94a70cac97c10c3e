//! Images of the upstream, which gives another one each time.

use actix_web::web::{Data, Json};
use route_runtime::{FetchError, fetch, route};
use serde_json::Value;

use crate::upstream::Upstream;

/// Reads nothing of the request, so it is kept, and with it what it fetched: one image for ever, in
/// development too.
#[route("/api/image")]
async fn image(upstream: Data<Upstream>) -> Result<Json<Value>, FetchError> {
    let image = fetch(upstream.url("/images/random")).await?;
    Ok(Json(image.error_for_status()?.json()?))
}

/// What it uses is fresh for five seconds, and so is what it answers.
#[route("/api/image/revalidate")]
async fn revalidated(upstream: Data<Upstream>) -> Result<Json<Value>, FetchError> {
    let image = fetch(upstream.url("/images/random")).revalidate(5).await?;
    Ok(Json(image.error_for_status()?.json()?))
}
