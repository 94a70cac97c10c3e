//! What the user forbids is not allowed on functions that keep to it.
#![forbid(non_snake_case, unreachable_pub)]

use route_runtime::{Routes, route};

#[route("/posts")]
mod posts {
    pub(crate) async fn get() -> &'static str {
        "posts"
    }

    pub(crate) async fn post(body: String) -> String {
        body
    }
}

#[route("/cats")]
async fn get() -> &'static str {
    "cats"
}

fn main() {
    assert_eq!(Routes::collect().unwrap().iter().len(), 3);
}
