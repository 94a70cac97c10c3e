use route_runtime::route;

#[route("/a", ttl = 10)]
async fn unknown() -> String {
    todo!()
}

#[route("/b", revaldiate = 10)]
async fn misspelt() -> String {
    todo!()
}

#[route("/c", cache = true, maxage = 3)]
async fn two() -> String {
    todo!()
}

fn main() {
    let _ = unknown;
    let _ = misspelt;
    let _ = two;
}
