use route_runtime::route;

struct Post;

#[route("/a")]
async fn scalar() -> u64 {
    1
}

#[route("/b")]
async fn user_type() -> Post {
    Post
}

#[route("/c")]
async fn error() -> Result<String, String> {
    Err("no".into())
}

#[route("/d")]
async fn option() -> Option<Post> {
    None
}

#[route("/e")]
async fn nothing() {}

#[route("/f")]
async fn opaque() -> impl std::fmt::Display {
    1
}

fn main() {
    let _ = nothing;
    let _ = opaque;
    let _ = scalar;
    let _ = user_type;
    let _ = error;
    let _ = option;
}
