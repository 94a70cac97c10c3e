#![allow(unused_variables)]

use route_runtime::route;

#[route("/posts")]
async fn posts(body: impl ToString, more: Vec<impl ToString>) -> String {
    todo!()
}

fn main() {
    let _ = posts(1, vec![2]);
}
