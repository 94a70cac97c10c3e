#![allow(unused_variables)]

use route_runtime::route;

#[route("/posts/[id]")]
async fn nothing() -> String {
    todo!()
}

#[route("/users/[user]/posts/[...path]")]
async fn two() -> String {
    todo!()
}

#[route("/data/[id]")]
async fn data(db: actix_web::web::Data<u64>) -> String {
    todo!()
}

fn main() {
    let _ = nothing;
    let _ = two;
    let _ = data;
}
