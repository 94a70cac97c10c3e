//! Three routes and a server.

use actix_web::web::Json;
use route_runtime::{ServeError, route, serve};

#[route("/")]
async fn home() -> &'static str {
    "Hello!\n"
}

#[route("/hello/[name]")]
async fn hello(name: String) -> String {
    format!("Hello, {name}!\n")
}

#[route(POST, "/sum")]
async fn sum(numbers: Json<Vec<f64>>) -> Json<f64> {
    Json(numbers.iter().sum())
}

#[actix_web::main]
async fn main() -> Result<(), ServeError> {
    serve().await
}

#[cfg(test)]
mod tests;
