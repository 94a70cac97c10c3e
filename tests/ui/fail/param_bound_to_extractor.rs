#![allow(unused_variables)]

use route_runtime::route;

use actix_web::web;

#[route("/posts/[id]")]
async fn show(id: web::Path<u64>) -> String {
    todo!()
}

#[route("/docs/[...slug]")]
async fn docs(slug: web::Path<Vec<String>>) -> String {
    todo!()
}

fn main() {
    let _ = show;
    let _ = docs;
}
