use route_runtime::route;

#[allow(non_camel_case_types)]
struct posts {}

#[route("/posts")]
async fn posts() -> String {
    todo!()
}

fn main() {
    let _ = posts;
}
