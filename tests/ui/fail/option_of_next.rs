use route_runtime::route;

#[route("/posts", runtime = "edge", preferredRegion = "home")]
async fn posts() -> String {
    todo!()
}

fn main() {
    let _ = posts;
}
