use route_runtime::route;

#[route("/a", revalidate = 10, expire = "60")]
async fn a() -> String {
    todo!()
}

#[route("/b", revalidate = 10, expire = false)]
async fn b() -> String {
    todo!()
}

fn main() {
    let _ = a;
    let _ = b;
}
