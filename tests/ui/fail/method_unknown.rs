use route_runtime::route;

#[route(FETCH, "/posts")]
async fn fetched() -> String {
    todo!()
}

#[route(CONNECT, "/tunnel")]
async fn tunnel() -> String {
    todo!()
}

#[route(GTE, "/swapped")]
async fn swapped() -> String {
    todo!()
}

fn main() {
    let _ = fetched;
    let _ = swapped;
    let _ = tunnel;
}
