use route_runtime::route;

#[route("/a", fetch_cache = "force-cached")]
async fn a() -> String {
    todo!()
}

#[route("/b", fetch_cache = "no-store")]
async fn b() -> String {
    todo!()
}

#[route("/c", fetch_cache = false)]
async fn c() -> String {
    todo!()
}

fn main() {
    let _ = a;
    let _ = b;
    let _ = c;
}
