#![allow(unused_variables)]

use route_runtime::route;

struct Posts;

impl Posts {
    #[route("/posts")]
    async fn list(&self) -> String {
        todo!()
    }
}

fn main() {
    let _ = Posts.list();
}
