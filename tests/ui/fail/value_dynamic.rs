use route_runtime::route;

#[route("/a", dynamic = "force_dynamic")]
async fn a() -> String {
    todo!()
}

#[route("/b", dynamic = "auto-dynamic")]
async fn b() -> String {
    todo!()
}

#[route("/c", dynamic = true)]
async fn c() -> String {
    todo!()
}

#[route("/d", dynamic = "static")]
async fn d() -> String {
    todo!()
}

#[route("/e", dynamic = auto)]
async fn e() -> String {
    todo!()
}

fn main() {
    let _ = a;
    let _ = b;
    let _ = c;
    let _ = d;
}
