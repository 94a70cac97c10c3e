//! A function's name says its method, in upper or lower case. Beside an option of GET, a lower-case
//! name is only a name.

use route_runtime::{Method, RouteDescriptor, Routes, route};

#[route("/a")]
async fn delete() -> &'static str {
    "DELETE"
}

#[route("/b", fetch_cache = "auto", body_limit = "1MB")]
async fn Post() -> &'static str {
    "POST"
}

#[route("/c")]
async fn HEAD() -> &'static str {
    "HEAD"
}

#[route("/d")]
async fn posts() -> &'static str {
    "GET"
}

#[route(PUT, "/e")]
async fn get() -> &'static str {
    "PUT"
}

#[route("/f")]
async fn r#patch() -> &'static str {
    "PATCH"
}

#[route("/posts/[id]", revalidate = 10)]
async fn post(id: u64) -> String {
    id.to_string()
}

#[route("/g", dynamic = "auto")]
async fn options() -> &'static str {
    "GET"
}

fn method(route: RouteDescriptor) -> Method {
    Routes::from_iter([route])
        .unwrap()
        .iter()
        .next()
        .unwrap()
        .method()
}

fn main() {
    assert_eq!(method(delete::ROUTE), Method::Delete);
    assert_eq!(method(Post::ROUTE), Method::Post);
    assert_eq!(method(HEAD::ROUTE), Method::Head);
    assert_eq!(method(posts::ROUTE), Method::Get);
    assert_eq!(method(get::ROUTE), Method::Put);
    assert_eq!(method(patch::ROUTE), Method::Patch);
    assert_eq!(method(post::ROUTE), Method::Get);
    assert_eq!(method(options::ROUTE), Method::Get);
}
