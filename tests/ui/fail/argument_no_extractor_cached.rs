#![allow(unused_variables)]

use route_runtime::route;

struct Filter;

#[route("/a", revalidate = 10)]
async fn a(filter: Filter) -> String {
    todo!()
}

#[route("/b", dynamic = "error")]
async fn b(filter: Filter) -> String {
    todo!()
}

#[route("/c/[id]")]
async fn c(filter: Filter) -> String {
    todo!()
}

fn main() {
    let _ = a;
    let _ = b;
    let _ = c;
}
