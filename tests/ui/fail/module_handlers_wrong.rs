#![allow(unused_variables)]

use route_runtime::route;

#[route("/posts/[id]")]
mod posts {
    pub fn GET(id: u64) -> String {
        todo!()
    }
    pub async fn POST<T>() -> String {
        todo!()
    }
}

fn main() {
    let _ = (posts::GET, posts::POST::<u8>);
}
