use route_runtime::page;

#[page(POST, "/contact")]
async fn contact() -> String {
    todo!()
}

fn main() {
    let _ = contact;
}
