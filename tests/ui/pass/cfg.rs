//! What is configured away leaves nothing behind, not even a collision.

#![deny(warnings)]

use route_runtime::{Routes, route};

#[route("/here")]
#[cfg(debug_assertions)]
async fn here() -> &'static str {
    "here"
}

#[cfg(not(debug_assertions))]
#[route("/here")]
async fn here_too() -> Missing {}

#[route("/attr")]
#[cfg_attr(debug_assertions, allow(unused_variables))]
#[cfg_attr(not(debug_assertions), cfg(missing))]
async fn attr(body: String) -> &'static str {
    "attr"
}

#[cfg(not(debug_assertions))]
#[route_runtime::page("/attr")]
async fn away() -> Missing {}

#[route("/segment")]
mod segment {
    pub async fn GET() -> &'static str {
        "GET"
    }

    #[cfg(not(debug_assertions))]
    pub async fn POST() -> Missing {}

    #[cfg(debug_assertions)]
    #[cfg_attr(debug_assertions, allow(unused_variables))]
    pub async fn PUT(body: String) -> &'static str {
        "PUT"
    }
}

fn main() {
    assert_eq!(Routes::collect().unwrap().iter().len(), 4);
    assert_eq!(here::PATTERN, "/here");
    assert_eq!(attr::PATTERN, "/attr");
    assert_eq!(segment::PATTERN, "/segment");
    let _ = segment::PUT::ROUTE;
}
