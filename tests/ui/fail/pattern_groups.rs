use route_runtime::route;

#[route("/()/cart")]
async fn empty() -> String {
    todo!()
}

#[route("/(my shop)/cart")]
async fn spaces() -> String {
    todo!()
}

#[route("/(shop/cart")]
async fn unclosed() -> String {
    todo!()
}

#[route("/(shop)cart")]
async fn beside_text() -> String {
    todo!()
}

#[route("/feed/(..)photo")]
async fn intercepting() -> String {
    todo!()
}

fn main() {
    let _ = empty;
    let _ = spaces;
    let _ = unclosed;
    let _ = beside_text;
    let _ = intercepting;
}
