use route_runtime::route;

#[route("/a")]
async unsafe fn not_safe() -> String {
    todo!()
}

#[route("/b")]
async extern "C" fn foreign() -> String {
    todo!()
}

fn main() {
    let _ = not_safe;
    let _ = foreign;
}
