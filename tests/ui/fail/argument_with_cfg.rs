#![allow(unused_variables)]

use route_runtime::{cached, route};

#[route("/a")]
async fn handler(#[cfg(debug_assertions)] body: String) -> String {
    todo!()
}

#[route("/b")]
async fn by_attr(#[cfg_attr(unix, allow(unused), cfg(debug_assertions))] body: String) -> String {
    todo!()
}

#[cached]
async fn function(#[cfg(debug_assertions)] id: u64) -> String {
    todo!()
}

fn main() {
    let _ = function;
}
