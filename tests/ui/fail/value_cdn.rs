use route_runtime::route;

#[route("/a", cdn = "true")]
async fn a() -> String {
    todo!()
}

#[route("/c", cdn = "pulbic")]
async fn c() -> &'static str {
    todo!()
}

#[route("/d", cdn = public)]
async fn d() -> &'static str {
    todo!()
}

#[route("/b", cdn = 1)]
async fn b() -> String {
    todo!()
}

fn main() {
    let _ = a;
    let _ = b;
}
