#![allow(unused_variables)]

use route_runtime::route;

async fn ids() -> Vec<u64> {
    vec![1]
}

#[route(
    POST,
    "/posts/[id]",
    dynamic = "auto",
    revalidate = 10,
    expire = 20,
    static_params = ids,
    dynamic_params = false,
    tags = ["posts"],
    cdn = true
)]
async fn create(id: u64) -> String {
    todo!()
}

#[route("/upper", revalidate = 10)]
async fn POST() -> String {
    todo!()
}

fn main() {
    let _ = create;
    let _ = POST;
    let _ = ids;
}
