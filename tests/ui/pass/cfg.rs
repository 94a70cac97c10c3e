//! An item that `cfg` removes leaves nothing behind, not even a collision.

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

/// A segment with alternatives for one method. The types of the removed one need not exist.
#[route("/either/[id]", revalidate = 10)]
mod either {
    #[cfg(debug_assertions)]
    pub async fn GET(id: u64) -> String {
        id.to_string()
    }

    #[cfg(not(debug_assertions))]
    pub async fn GET(id: Missing) -> Missing {}
}

/// A segment whose `path` has the parameters of the handler that is always there.
#[route("/certain/[id]")]
mod certain {
    #[cfg(not(debug_assertions))]
    pub async fn GET(id: Missing) -> Missing {}

    pub async fn PUT(id: u64) -> String {
        id.to_string()
    }
}

#[route("/one")]
#[cfg_attr(debug_assertions, inline, allow(unused_variables))]
#[doc(hidden)]
pub async fn one(body: String) -> &'static str {
    "one"
}

fn main() {
    assert_eq!(Routes::collect().unwrap().iter().len(), 7);
    assert_eq!(here::PATTERN, "/here");
    assert_eq!(attr::PATTERN, "/attr");
    assert_eq!(segment::PATTERN, "/segment");
    let _ = segment::PUT::ROUTE;
    assert_eq!(either::path(7), "/either/7");
    let _ = either::revalidate(7);
    assert_eq!(certain::path(7), "/certain/7");
}
