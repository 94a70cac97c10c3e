//! Generated code does not allow a lint that the user forbids, on functions that obey the lint.
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
