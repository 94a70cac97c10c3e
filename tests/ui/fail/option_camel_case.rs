#![allow(unused_variables)]

use route_runtime::route;

#[route("/[id]", dynamicParams = true, fetchCache = "auto", maxDuration = 5, generateStaticParams = ids)]
async fn show(id: u64) -> String {
    todo!()
}

fn main() {
    let _ = show;
}
