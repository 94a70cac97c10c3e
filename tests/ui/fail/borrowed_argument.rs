#![allow(unused_variables)]

use route_runtime::route;

#[route("/[name]")]
async fn greet(name: &str) -> String {
    todo!()
}

fn main() {
    let _ = greet;
}
