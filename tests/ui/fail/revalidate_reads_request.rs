#![allow(unused_variables)]

use route_runtime::route;

use actix_web::HttpRequest;

type Request = HttpRequest;

#[route("/a", revalidate = 10)]
async fn seconds(req: HttpRequest) -> String {
    todo!()
}

#[route("/b", revalidate = false)]
async fn never(req: Request) -> String {
    todo!()
}

fn main() {
    let _ = seconds;
    let _ = never;
}
