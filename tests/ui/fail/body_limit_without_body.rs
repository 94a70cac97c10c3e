use route_runtime::route;

#[route("/posts", body_limit = "1MB")]
async fn posts() -> String {
    todo!()
}

fn main() {
    let _ = posts;
}
