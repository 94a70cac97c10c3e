use route_runtime::route;

#[route(revalidate = 10, "/posts")]
async fn posts() -> String {
    todo!()
}

fn main() {
    let _ = posts;
}
