use actix_web::middleware::{Logger, from_fn};
use route_runtime::route;

#[route("/constructor", wrap = Logger::default)]
async fn constructor() -> &'static str {
    "a function that makes a middleware"
}

#[route("/number", wrap = 7 + 1)]
async fn number() -> &'static str {
    "no middleware"
}

#[route("/nothing", wrap = from_fn(async || {}))]
async fn nothing() -> &'static str {
    "a function of the wrong shape"
}

fn main() {}
