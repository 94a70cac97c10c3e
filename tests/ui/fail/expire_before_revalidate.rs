use route_runtime::route;

#[route("/a", revalidate = 60, expire = 10)]
async fn before() -> String {
    todo!()
}

#[route("/b", revalidate = 60, expire = 60)]
async fn at_once() -> String {
    todo!()
}

fn main() {
    let _ = before;
    let _ = at_once;
}
