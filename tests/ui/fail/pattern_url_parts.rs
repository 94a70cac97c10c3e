use route_runtime::route;

#[route("/posts?page=1")]
async fn query() -> String {
    todo!()
}

#[route("/posts#top")]
async fn fragment() -> String {
    todo!()
}

#[route("/api/../posts")]
async fn dot() -> String {
    todo!()
}

#[route("/api\\posts")]
async fn backslash() -> String {
    todo!()
}

#[route("/api\n")]
async fn control() -> String {
    todo!()
}

#[route("/caf%C3%A9")]
async fn encoded() -> String {
    todo!()
}

#[route("https://example.com/posts")]
async fn origin() -> String {
    todo!()
}

fn main() {
    let _ = query;
    let _ = fragment;
    let _ = dot;
    let _ = backslash;
    let _ = control;
    let _ = encoded;
    let _ = origin;
}
