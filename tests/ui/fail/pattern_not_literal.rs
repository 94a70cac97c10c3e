use route_runtime::route;

const POSTS: &str = "/posts";

#[route(POSTS)]
async fn constant() -> String {
    todo!()
}

#[route(GET, concat!("/api", "/posts"))]
async fn expression() -> String {
    todo!()
}

#[route(b"/posts")]
async fn bytes() -> String {
    todo!()
}

fn main() {
    let _ = constant;
    let _ = expression;
    let _ = bytes;
    let _ = POSTS;
}
