use route_runtime::route;

#[route(post, "/posts")]
async fn create() -> String {
    todo!()
}

#[route(Delete, "/posts")]
async fn remove() -> String {
    todo!()
}

fn main() {
    let _ = create;
    let _ = remove;
}
