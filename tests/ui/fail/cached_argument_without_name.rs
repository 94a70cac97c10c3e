#![allow(unused_variables)]

use route_runtime::cached;

#[cached]
async fn cats((a, b): (u64, u64), _: u8, ref c: u8) -> String {
    todo!()
}

fn main() {
    let _ = cats((1, 2), 3, 4);
}
