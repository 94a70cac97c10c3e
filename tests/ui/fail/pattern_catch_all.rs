use route_runtime::route;

#[route("/docs/[...slug]/edit")]
async fn not_last() -> String {
    todo!()
}

#[route("/[...a]/[...b]")]
async fn two() -> String {
    todo!()
}

#[route("/docs/[..slug]")]
async fn two_dots() -> String {
    todo!()
}

#[route("/docs/[[slug]]")]
async fn optional_single() -> String {
    todo!()
}

fn main() {
    let _ = not_last;
    let _ = two;
    let _ = two_dots;
    let _ = optional_single;
}
