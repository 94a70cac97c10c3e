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

#[route("/d", ttl)]
async fn without_value() -> String {
    todo!()
}

#[route("/e", tll(10), revalidat = )]
async fn with_no_value() -> String {
    todo!()
}

fn main() {
    let _ = unknown;
    let _ = misspelt;
    let _ = two;
    let _ = without_value;
    let _ = with_no_value;
}
