#![allow(unused_variables)]

use route_runtime::route;

#[route("/docs/[...slug]")]
async fn docs(slug: String) -> String {
    todo!()
}

#[route("/tree/[[...path]]")]
async fn tree(path: String) -> String {
    todo!()
}

#[route("/list/[...slug]")]
async fn list(slug: Option<Vec<String>>) -> String {
    todo!()
}

fn main() {
    let _ = docs;
    let _ = tree;
    let _ = list;
}
