#![allow(unused_variables)]

use route_runtime::route;

async fn ids() -> Vec<u64> {
    vec![1]
}

#[route(GET, "/a/[id]", static_params = ids())]
async fn a(_id: u64, id: u64) -> String {
    todo!()
}

#[route(GET, "/b/[id]", static_params = [1, 2])]
async fn b(id: u64) -> String {
    todo!()
}

#[route(GET, "/c/[id]", static_params = "ids")]
async fn c(id: u64) -> String {
    todo!()
}

fn main() {
    let _ = a;
    let _ = b;
    let _ = c;
    let _ = ids;
}
