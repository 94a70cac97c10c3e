//! Images from the upstream, which returns a different one for each request.

use actix_web::web::{Data, Json};
use route_runtime::{FetchError, fetch, route};
use serde_json::Value;

use crate::upstream::Upstream;

/// An image that stays for ever. The handler reads nothing of the request, so the response is
/// cached, and so is the data that it fetched. The data is cached in development too.
///
/// `revalidate = false` is what holds anyway. It says that this is meant: `check` warns of a route
/// that reads app data, such as a database, and says nothing of its lifetime.
#[route("/api/image", revalidate = false)]
async fn image(upstream: Data<Upstream>) -> Result<Json<Value>, FetchError> {
    let image = fetch(upstream.url("/images/random")).await?;
    Ok(Json(image.error_for_status()?.json()?))
}

/// An image that stays for five seconds. Its data is fresh for so long, and so is the response,
/// whatever longer time the route gives it.
#[route("/api/image/revalidate", revalidate = false)]
async fn revalidated(upstream: Data<Upstream>) -> Result<Json<Value>, FetchError> {
    let image = fetch(upstream.url("/images/random")).revalidate(5).await?;
    Ok(Json(image.error_for_status()?.json()?))
}
