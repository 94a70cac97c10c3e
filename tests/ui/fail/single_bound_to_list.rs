#![allow(unused_variables)]

use route_runtime::route;

#[route("/posts/[id]")]
async fn show(id: Vec<String>) -> String {
    todo!()
}

fn main() {
    let _ = show;
}
