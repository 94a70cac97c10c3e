use route_runtime::route;

#[route("/posts/[]")]
async fn empty() -> String {
    todo!()
}

#[route("/posts/[...]")]
async fn empty_catch_all() -> String {
    todo!()
}

#[route("/posts/[post-id]")]
async fn dash() -> String {
    todo!()
}

#[route("/posts/[1st]")]
async fn digit() -> String {
    todo!()
}

#[route("/posts/[self]")]
async fn keyword() -> String {
    todo!()
}

#[route("/[id]/comments/[id]")]
async fn repeated() -> String {
    todo!()
}

#[route("/posts/[id:u64]")]
async fn typed() -> String {
    todo!()
}

#[route("/posts/[id?]")]
async fn optional() -> String {
    todo!()
}

fn main() {
    let _ = empty;
    let _ = empty_catch_all;
    let _ = dash;
    let _ = digit;
    let _ = keyword;
    let _ = repeated;
    let _ = typed;
    let _ = optional;
}
