//! Three routes and a server.

use actix_web::{HttpRequest, Responder, web::Json};
use route_runtime::{ServeError, route, serve};
use serde_json::json;

/// Looks at nothing of the request.
#[route("/")]
async fn hello() -> &'static str {
    "Hello, world!\n"
}

/// `name` is bound to `[name]`.
#[route("/hello/[name]")]
async fn greet(name: String) -> impl Responder {
    Json(json!({ "hello": name }))
}

/// Whatever actix-web can extract is an argument.
#[route(POST, "/echo")]
async fn echo(body: String, req: HttpRequest) -> String {
    format!("{} bytes from {:?}: {body}\n", body.len(), req.peer_addr())
}

#[actix_web::main]
async fn main() -> Result<(), ServeError> {
    serve().await
}
