use route_runtime::route;

#[route("/posts", "/articles")]
async fn posts() -> String {
    todo!()
}

fn main() {
    let _ = posts;
}
