use route_runtime::route;

#[route("/posts/[id")]
async fn unclosed() -> String {
    todo!()
}

#[route("/docs/[[...slug")]
async fn unclosed_optional() -> String {
    todo!()
}

#[route("/docs/[[...slug]")]
async fn half_closed() -> String {
    todo!()
}

#[route("/posts/id]")]
async fn unopened() -> String {
    todo!()
}

#[route("/post-[id]")]
async fn beside_text() -> String {
    todo!()
}

#[route("/[from]-[to]")]
async fn two_in_one() -> String {
    todo!()
}

#[route("/[id].json")]
async fn extension() -> String {
    todo!()
}

fn main() {
    let _ = unclosed;
    let _ = unclosed_optional;
    let _ = half_closed;
    let _ = unopened;
    let _ = beside_text;
    let _ = two_in_one;
    let _ = extension;
}
