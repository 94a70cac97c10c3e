use route_runtime::route;

#[route("/a", wrap = "auth")]
async fn a() -> String {
    todo!()
}

#[route("/b", wrap = 1)]
async fn b() -> String {
    todo!()
}

#[route("/c", wrap = true)]
async fn c() -> String {
    todo!()
}

fn main() {
    let _ = a;
    let _ = b;
    let _ = c;
}
