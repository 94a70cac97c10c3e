#![allow(unused_variables)]

use route_runtime::route;

#[route("/posts/[id]")]
async fn nothing() -> String {
    todo!()
}

#[route("/users/[user]/posts/[...path]")]
async fn two() -> String {
    todo!()
}

#[route("/data/[id]")]
async fn data(db: actix_web::web::Data<u64>) -> String {
    todo!()
}

mod named {
    pub type Path = actix_web::web::Data<u64>;
    pub type HttpRequest = actix_web::web::Data<u64>;
}

#[route("/path/[id]")]
async fn called_path(all: named::Path) -> String {
    todo!()
}

#[route("/request/[id]")]
async fn called_request(all: named::HttpRequest) -> String {
    todo!()
}

#[route("/maybe/[user]")]
async fn perhaps_misspelt(users: String, db: actix_web::web::Data<u64>) -> String {
    todo!()
}

fn main() {
    let _ = nothing;
    let _ = two;
    let _ = data;
    let _ = called_path;
    let _ = called_request;
    let _ = perhaps_misspelt;
}
