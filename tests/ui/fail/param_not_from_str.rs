#![allow(unused_variables)]

use route_runtime::route;

struct Id(u64);

#[route("/posts/[id]")]
async fn show(id: Id) -> String {
    todo!()
}

#[route("/users/[id]")]
async fn user(id: Option<u64>) -> String {
    todo!()
}

#[route("/docs/[...slug]")]
async fn docs(slug: Vec<Id>) -> String {
    todo!()
}

fn main() {
    let _ = show;
    let _ = user;
    let _ = docs;
}
