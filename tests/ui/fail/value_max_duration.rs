use route_runtime::route;

#[route("/a", max_duration = 0)]
async fn a() -> String {
    todo!()
}

#[route("/b", max_duration = "10s")]
async fn b() -> String {
    todo!()
}

#[route("/c", max_duration = -1)]
async fn c() -> String {
    todo!()
}

#[route("/d", max_duration = false)]
async fn d() -> String {
    todo!()
}

fn main() {
    let _ = a;
    let _ = b;
    let _ = c;
    let _ = d;
}
