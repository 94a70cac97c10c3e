use route_runtime::route;

#[route("/a", revalidate = "10")]
async fn a() -> String {
    todo!()
}

#[route("/b", revalidate = -1)]
async fn b() -> String {
    todo!()
}

#[route("/c", revalidate = true)]
async fn c() -> String {
    todo!()
}

#[route("/d", revalidate = 1.5)]
async fn d() -> String {
    todo!()
}

#[route("/e", revalidate = 10 * 60)]
async fn e() -> String {
    todo!()
}

#[route("/f", revalidate = MINUTE)]
async fn f() -> String {
    todo!()
}

#[route("/g", revalidate = "10s")]
async fn g() -> String {
    todo!()
}

#[route("/h", revalidate = 4294967296)]
async fn h() -> String {
    todo!()
}

#[route("/i", revalidate = 10u32)]
async fn i() -> String {
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
    let _ = i;
}
