#![allow(unused_variables)]

use route_runtime::route;

#[route("/posts/[id]", tags = ["post:{id}", "user:{user}"])]
async fn show(id: u64) -> String {
    todo!()
}

#[route("/posts", tags = ["post:{id}"])]
async fn posts() -> String {
    todo!()
}

fn main() {
    let _ = show;
    let _ = posts;
}
