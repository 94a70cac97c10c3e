use route_runtime::route;

#[route("/posts", revalidate = 10, dynamic = "auto", revalidate = 20)]
async fn posts() -> String {
    todo!()
}

fn main() {
    let _ = posts;
}
