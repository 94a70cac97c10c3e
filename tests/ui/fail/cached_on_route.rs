use route_runtime::{cached, page, route};

#[cached(revalidate = 5)]
#[route("/above")]
async fn above() -> String {
    todo!()
}

#[route("/below")]
#[cached]
async fn below() -> String {
    todo!()
}

#[cached]
#[page("/page")]
async fn page() -> String {
    todo!()
}

fn main() {
    let _ = (above(), below(), page());
}
