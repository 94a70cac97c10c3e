#![allow(unused_variables)]

use route_runtime::route;

#[route(
    FETCH,
    "/posts/",
    ttl = 10,
    dynamic = "static",
    revalidate,
    cdn = 1,
    expire = 5
)]
fn posts<T>(name: impl ToString) {}

#[route(POST, "/a/[id]", revalidate = 10, static_params)]
async unsafe fn update(&id: &u64) {}

fn main() {
    let _ = (posts::<u8>("a"), update);
}
