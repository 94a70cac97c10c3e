#![allow(unused_variables)]

use route_runtime::route;

async fn ids() -> Vec<u64> {
    vec![]
}

async fn pairs() -> Vec<(String, u64)> {
    vec![]
}

#[route(GET, "/a/[user]/[id]", static_params = ids)]
async fn too_few(user: String, id: u64) -> String {
    todo!()
}

#[route(GET, "/b/[id]", static_params = pairs)]
async fn too_many(id: u64) -> String {
    todo!()
}

fn main() {
    let _ = too_few;
    let _ = too_many;
}
