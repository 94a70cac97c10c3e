use route_runtime::route;

#[route("GET", "/posts")]
async fn posts() -> String {
    todo!()
}

fn main() {
    let _ = posts;
}
