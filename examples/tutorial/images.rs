//! Images of the upstream, which gives another one each time.

use std::time::Duration;

use actix_web::web::{Data, Json};
use route_runtime::{Problem, cache, route};
use serde_json::Value;

use crate::upstream::Upstream;

/// Reads nothing of the request, so it shows the image that it found first, for ever.
#[route("/api/image")]
async fn image(upstream: Data<Upstream>) -> Result<Json<Value>, Problem> {
    Ok(Json(upstream.get("/images/random").await?))
}

/// What it uses is good for five seconds, and it says so while it runs: another image after that.
#[route("/api/image/revalidate")]
async fn revalidated(upstream: Data<Upstream>) -> Result<Json<Value>, Problem> {
    cache::revalidate_after(Duration::from_secs(5));
    Ok(Json(upstream.get("/images/random").await?))
}
