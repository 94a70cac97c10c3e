#![allow(unused_variables)]

use route_runtime::route;

struct Filter;

#[route("/posts")]
async fn posts(filter: Filter, page: u64) -> String {
    todo!()
}

fn main() {
    let _ = posts;
}
