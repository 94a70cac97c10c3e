#![allow(unused_variables)]

use route_runtime::route;

async fn names() -> Vec<String> {
    vec![]
}

async fn one() -> u64 {
    1
}

#[route(GET, "/a/[id]", static_params = names)]
async fn wrong_type(id: u64) -> String {
    todo!()
}

#[route(GET, "/b/[id]", static_params = one)]
async fn no_list(id: u64) -> String {
    todo!()
}

#[route(GET, "/c/[...slug]", static_params = names)]
async fn no_list_per_path(slug: Vec<String>) -> String {
    todo!()
}

fn main() {
    let _ = wrong_type;
    let _ = no_list;
    let _ = no_list_per_path;
}
