#![allow(unused_variables)]

use route_runtime::route;

#[route("/a")]
async fn types<T>() -> String {
    todo!()
}

#[route("/b")]
async fn constants<const N: usize>() -> String {
    todo!()
}

#[route("/c")]
async fn lifetimes<'a>(name: &'a str) -> String {
    todo!()
}

#[route("/d")]
async fn clause()
where
    String: Send,
{
}

fn main() {
    let _ = types::<u8>;
    let _ = constants::<1>;
    let _ = lifetimes;
    let _ = clause;
}
