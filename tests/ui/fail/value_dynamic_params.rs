#![allow(unused_variables)]

use route_runtime::route;

#[route("/[id]", static_params = ids, dynamic_params = "false")]
async fn show(id: u64) -> String {
    todo!()
}

fn main() {
    let _ = show;
}
