use route_runtime::route;

#[route("/a", expire = 600)]
async fn alone() -> String {
    todo!()
}

#[route("/b", expire = 600, revalidate = false)]
async fn never_stale() -> String {
    todo!()
}

#[route("/c", expire = 600, revalidate = 0)]
async fn never_cached() -> String {
    todo!()
}

fn main() {
    let _ = alone;
    let _ = never_stale;
    let _ = never_cached;
}
