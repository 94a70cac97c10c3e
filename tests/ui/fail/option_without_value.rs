use route_runtime::route;

#[route("/a", revalidate)]
async fn bare() -> String {
    todo!()
}

#[route("/b", revalidate =)]
async fn nothing() -> String {
    todo!()
}

#[route("/c", revalidate(10))]
async fn called() -> String {
    todo!()
}

#[route("/d", revalidate: 10)]
async fn colon() -> String {
    todo!()
}

#[route("/e" revalidate = 10)]
async fn no_comma() -> String {
    todo!()
}

#[route("/f", "revalidate")]
async fn quoted() -> String {
    todo!()
}

fn main() {
    let _ = bare;
    let _ = nothing;
    let _ = called;
    let _ = colon;
    let _ = no_comma;
    let _ = quoted;
}
