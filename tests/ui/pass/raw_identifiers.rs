//! A parameter, a handler, a module and a function may have the name of a keyword.

use route_runtime::{Routes, route};

#[route("/[type]/[...fn]", tags = ["{type}"], static_params = r#struct)]
async fn r#match(r#type: String, r#fn: Vec<u8>) -> String {
    format!("{type} {fn:?}", r#fn = r#fn, r#type = r#type)
}

#[route("/loop/[async]")]
mod r#loop {
    pub async fn GET(r#async: u8) -> String {
        r#async.to_string()
    }
}

/// A parameter that an extractor reads, so that only `path` names it.
#[route("/while/[enum]")]
async fn r#while(all: actix_web::web::Path<u8>) -> String {
    all.to_string()
}

async fn r#struct() -> [(&'static str, [u8; 1]); 1] {
    [("a", [1])]
}

fn main() {
    let routes = Routes::from_iter([r#match::ROUTE, r#loop::GET::ROUTE, r#while::ROUTE]).unwrap();
    assert_eq!(routes.iter().len(), 3);
    assert_eq!(r#match::path("a", [1, 2]), "/a/1/2");
    assert_eq!(r#match::PATTERN, "/[type]/[...fn]");
    assert_eq!(r#loop::path(1), "/loop/1");
    assert_eq!(r#while::path("1"), "/while/1");
}
