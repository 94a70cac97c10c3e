//! Posts from the upstream: the list, a post by its number, and a new post.

use std::hash::{BuildHasher as _, RandomState};

use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, Responder, Result};
use route_runtime::{Problem, RequestExt as _, fetch, not_found, revalidate_tag, route};
use serde_json::{Map, Value, json};

use crate::upstream::Upstream;

/// The posts. The route is dynamic, because of the POST beside it. What it fetches is cached all
/// the same, because the call of `fetch` says so.
#[route("/api/posts")]
async fn list(upstream: Data<Upstream>) -> Result<impl Responder> {
    let posts = fetch(upstream.url("/posts")).revalidate(60).tags(["posts"]);
    let posts: Vec<Value> = posts.await?.error_for_status()?.json()?;
    Ok(Json(json!({ "data": posts })))
}

/// Adds a post. A JSON body is an argument like any other; broken JSON is answered with 400. The
/// handler returns the status beside the body. The next GET shows the new post, because the posts
/// that were fetched before are invalidated.
#[route(POST, "/api/posts")]
async fn create(
    upstream: Data<Upstream>,
    article: Json<Map<String, Value>>,
) -> Result<impl Responder> {
    let sent = fetch(upstream.url("/posts"))
        .method(Method::POST)
        .json(&article);
    sent.await?.error_for_status()?;
    revalidate_tag("posts").await?;
    let created = json!({ "id": random_id(), "data": article });
    Ok((Json(created), StatusCode::CREATED))
}

/// A post by its number. `id` is bound by name to `[id]`: a value that is no number matches no
/// path, so it is a 404. A post that the upstream does not have is a 404, too. The route is
/// dynamic, because it reads the query.
#[route("/api/posts/[id]")]
async fn show(id: u64, upstream: Data<Upstream>, req: HttpRequest) -> Result<Json<Value>> {
    let post = fetch(upstream.url(&format!("/posts/{id}")));
    let post = post.revalidate(60).tags(["posts"]).await?;
    if post.status() == StatusCode::NOT_FOUND {
        return Err(not_found().into());
    }
    let mut post: Value = post.error_for_status()?.json()?;
    let Some(field) = req.search_params().get("dataField") else {
        return Ok(Json(post));
    };
    match post.get_mut(&field).map(Value::take) {
        Some(value) => Ok(Json(json!({ field: value }))),
        None => {
            let detail = format!("a post has no field `{field}`");
            Err(Problem::new(StatusCode::BAD_REQUEST).detail(detail).into())
        }
    }
}

/// Returns eight random letters and digits.
fn random_id() -> String {
    const DIGITS: [u8; 36] = *b"0123456789abcdefghijklmnopqrstuvwxyz";
    // The standard library's hashers have random keys.
    let mut number = RandomState::new().hash_one(());
    let digits = (0..8).map(|_| {
        let digit = DIGITS[(number % 36) as usize];
        number /= 36;
        char::from(digit)
    });
    digits.collect()
}
