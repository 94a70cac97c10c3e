use route_runtime::route;

#[route("/a", tags = "posts")]
async fn a() -> String {
    todo!()
}

#[route("/b", tags = [])]
async fn b() -> String {
    todo!()
}

#[route("/c", tags = [1])]
async fn c() -> String {
    todo!()
}

#[route("/d", tags = ["a", "a"])]
async fn d() -> String {
    todo!()
}

#[route("/e", tags = [""])]
async fn e() -> String {
    todo!()
}

#[route("/f", tags = ["a b"])]
async fn f() -> String {
    todo!()
}

#[route("/g", tags = ["post:{id"])]
async fn g() -> String {
    todo!()
}

#[route("/h", tags = [tag])]
async fn h() -> String {
    todo!()
}

fn main() {
    let _ = a;
    let _ = b;
    let _ = c;
    let _ = d;
    let _ = e;
    let _ = f;
    let _ = g;
    let _ = h;
}
