//! Lint levels on a handler apply to generated code too. An `expect` applies only to the user's.

#![deny(warnings)]

use route_runtime::{Routes, route};

#[route(GET, "/a")]
#[allow(non_snake_case, unused_variables)]
async fn GetAll(body: String) -> &'static str {
    "a"
}

#[route("/b")]
#[expect(unused_variables)]
async fn expecting(body: String) -> &'static str {
    "b"
}

#[route("/c")]
#[deny(dead_code)]
#[forbid(unsafe_code)]
#[warn(missing_docs)]
async fn strict() -> &'static str {
    "c"
}

#[route("/d")]
#[deprecated]
#[must_use]
#[inline]
async fn old() -> &'static str {
    "d"
}

/// A segment: its functions are named after their methods, and no style lint reports that.
#[route("/e")]
mod segment {
    pub async fn GET() -> &'static str {
        "GET"
    }
    #[expect(unused_variables)]
    pub async fn POST(body: String) -> &'static str {
        "POST"
    }
}

#[route("/f")]
async fn DELETE() -> &'static str {
    "f"
}

fn main() {
    assert_eq!(Routes::collect().unwrap().iter().len(), 7);
}
