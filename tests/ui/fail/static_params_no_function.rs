#![allow(unused_variables)]

use route_runtime::route;

const IDS: [u64; 2] = [1, 2];

fn sync() -> Vec<u64> {
    vec![]
}

async fn argument(count: u64) -> Vec<u64> {
    vec![count]
}

#[route(GET, "/a/[id]", static_params = IDS)]
async fn constant(id: u64) -> String {
    todo!()
}

#[route(GET, "/b/[id]", static_params = sync)]
async fn not_async(id: u64) -> String {
    todo!()
}

#[route(GET, "/c/[id]", static_params = argument)]
async fn no_extractor(id: u64) -> String {
    todo!()
}

#[route(GET, "/d/[id]", static_params = missing)]
async fn not_found(id: u64) -> String {
    todo!()
}

fn main() {
    let _ = constant;
    let _ = not_async;
    let _ = no_extractor;
    let _ = not_found;
}
