#![allow(unused_variables)]

use route_runtime::route;

use actix_web::HttpRequest;

#[route("/posts", dynamic = "error")]
async fn posts(req: HttpRequest, body: String) -> String {
    todo!()
}

fn main() {
    let _ = posts;
}
