//! Posts of the upstream: a list, one of it by its number, and a new one.

use std::hash::{BuildHasher as _, RandomState};

use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, Responder};
use route_runtime::{Problem, RequestExt as _, route};
use serde_json::{Map, Value, json};

use crate::upstream::Upstream;

/// Dynamic, because of the POST beside it: what it shows may change at any time.
#[route("/api/posts")]
async fn list(upstream: Data<Upstream>) -> Result<impl Responder, Problem> {
    let posts: Vec<Value> = upstream.get("/posts").await?;
    Ok(Json(json!({ "data": posts })))
}

/// A body of JSON is an argument like any other; one that is broken is answered with 400. The
/// status stands beside the body.
#[route(POST, "/api/posts")]
async fn create(
    upstream: Data<Upstream>,
    article: Json<Map<String, Value>>,
) -> Result<impl Responder, Problem> {
    let _: Value = upstream.post("/posts", &article).await?;
    let created = json!({ "id": random_id(), "data": article });
    Ok((Json(created), StatusCode::CREATED))
}

/// `id` is bound by name to `[id]`: what is no number is no path, and so 404, as is a post that the
/// upstream does not have. Dynamic, because it reads the query.
#[route("/api/posts/[id]")]
async fn show(id: u64, upstream: Data<Upstream>, req: HttpRequest) -> Result<Json<Value>, Problem> {
    let mut post: Value = upstream.get(&format!("/posts/{id}")).await?;
    let Some(field) = req.search_params().get("dataField") else {
        return Ok(Json(post));
    };
    match post.get_mut(&field).map(Value::take) {
        Some(value) => Ok(Json(json!({ field: value }))),
        None => {
            let detail = format!("a post has no field `{field}`");
            Err(Problem::new(StatusCode::BAD_REQUEST).detail(detail))
        }
    }
}

/// Eight letters and digits.
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
