//! The type of an argument decides whether it reads the request, not the type's spelling.

use actix_web::{HttpRequest, web};
use route_runtime::{CachedReason, DynamicReason, Rendering, RouteDescriptor, Routes, route};

type Req = HttpRequest;
type Db = web::Data<Vec<String>>;
struct HttpRequestCounter;
type Data = web::Json<Vec<u8>>;

mod web_like {
    pub type HttpRequest = actix_web::web::Data<u64>;
}

#[route("/request")]
async fn request(req: Req) -> String {
    req.path().into()
}

#[route("/data")]
async fn data(db: Db) -> String {
    db.join(",")
}

#[route("/json")]
async fn json(body: Data) -> String {
    format!("{body:?}")
}

#[route("/misleading")]
async fn misleading(counter: web_like::HttpRequest, more: web::Data<HttpRequestCounter>) -> String {
    let _ = more;
    counter.to_string()
}

#[route("/optional", revalidate = 10)]
async fn optional(db: Option<Db>, all: Result<web::ThinData<u8>, actix_web::Error>) -> String {
    format!("{} {}", db.is_some(), all.is_ok())
}

#[route("/params/[id]", revalidate = 10)]
async fn params(all: web::Path<u64>) -> String {
    all.to_string()
}

fn rendering(route: RouteDescriptor) -> Rendering {
    Routes::from_iter([route])
        .unwrap()
        .iter()
        .next()
        .unwrap()
        .rendering()
}

fn main() {
    let reads = |argument| Rendering::Dynamic(DynamicReason::ReadsRequest(argument));
    assert_eq!(rendering(request::ROUTE), reads("req: Req"));
    assert_eq!(rendering(json::ROUTE), reads("body: Data"));
    let cached = Rendering::Cached(CachedReason::ReadsNothing);
    assert_eq!(rendering(data::ROUTE), cached);
    assert_eq!(rendering(misleading::ROUTE), cached);
    assert!(rendering(optional::ROUTE).is_cached());
    assert!(rendering(params::ROUTE).is_cached());
}
