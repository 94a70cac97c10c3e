#![allow(unused_variables)]

use route_runtime::route;

#[route("/posts/[id]")]
async fn by_id(id: u64) -> String {
    todo!()
}

#[route("/posts/[slug]")]
async fn by_slug(slug: String) -> String {
    todo!()
}

#[route("/(shop)/cart")]
async fn cart() -> String {
    todo!()
}

#[route("/(blog)/cart")]
async fn cart_too() -> String {
    todo!()
}

fn main() {
    let _ = by_id;
    let _ = by_slug;
    let _ = cart;
    let _ = cart_too;
}
