use route_runtime::route;

#[route(FETCH, "/posts")]
async fn fetched() -> String {
    todo!()
}

#[route(CONNECT, "/tunnel")]
async fn tunnel() -> String {
    todo!()
}

fn main() {
    let _ = fetched;
    let _ = tunnel;
}
