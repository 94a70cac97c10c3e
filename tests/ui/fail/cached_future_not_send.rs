use std::rc::Rc;

use route_runtime::cached;

async fn query(_: &str) -> u64 {
    7
}

#[cached]
async fn cats(id: u64) -> u64 {
    let name = Rc::new(String::from("cats"));
    query(&name).await + id
}

fn main() {
    let _ = cats(1);
}
