use route_runtime::route;

#[route("/posts")]
fn posts() -> &'static str {
    "posts"
}

fn main() {
    let _ = posts();
}
