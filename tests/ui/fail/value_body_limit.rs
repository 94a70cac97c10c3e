use route_runtime::route;

#[route(POST, "/a", body_limit = "1 megabyte")]
async fn a() -> String {
    todo!()
}

#[route(POST, "/b", body_limit = -1)]
async fn b() -> String {
    todo!()
}

#[route(POST, "/c", body_limit = 1024 * 1024)]
async fn c() -> String {
    todo!()
}

#[route(POST, "/d", body_limit = 1.5)]
async fn d() -> String {
    todo!()
}

fn main() {
    let _ = a;
    let _ = b;
    let _ = c;
    let _ = d;
}
