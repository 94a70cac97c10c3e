use route_runtime::route;

#[route("posts")]
async fn no_leading() -> String {
    todo!()
}

#[route("")]
async fn nothing() -> String {
    todo!()
}

#[route("/posts/")]
async fn trailing() -> String {
    todo!()
}

#[route("/api//posts")]
async fn double() -> String {
    todo!()
}

#[route("//")]
async fn only_slashes() -> String {
    todo!()
}

fn main() {
    let _ = no_leading;
    let _ = nothing;
    let _ = trailing;
    let _ = double;
    let _ = only_slashes;
}
