use route_runtime::route;

#[route("/a", dynamic = "force-static", revalidate = 0)]
async fn forced() -> String {
    todo!()
}

#[route("/b", dynamic = "error", revalidate = 0)]
async fn error() -> String {
    todo!()
}

fn main() {
    let _ = forced;
    let _ = error;
}
