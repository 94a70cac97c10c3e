#![allow(unused_variables)]

use route_runtime::cached;

#[cached(ttl = 10, revalidate = 0, tags = ["{nme}"], skip(db))]
fn cats(&(id,): &(u64,), name: &str) {}

fn main() {
    cats(&(1,), "a");
}
