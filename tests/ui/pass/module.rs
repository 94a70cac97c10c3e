//! A segment as a module: handlers beside helpers, constants, types and imports.

use route_runtime::{Method, Routes, route};

struct Comment(String);

/// A segment.
#[route("/comments/[...path]", revalidate = 60, body_limit = "64KB", tags = ["{path}"])]
pub(crate) mod comments {
    #![allow(clippy::unused_async)]

    use super::Comment;
    use actix_web::HttpRequest;

    const LIMIT: usize = 3;

    pub struct Page(usize);

    impl Page {
        pub async fn get() -> Self {
            Self(LIMIT)
        }
    }

    pub mod inner {
        pub async fn anything() {}
    }

    pub async fn GET(path: Vec<String>) -> String {
        helper(path).await.0 + &Page::get().await.0.to_string()
    }

    pub async fn post(path: Vec<String>, req: HttpRequest, body: String) -> String {
        format!("{path:?} {req:?} {body}")
    }

    /// Answers HEAD, which GET would answer anyway.
    pub(super) async fn HEAD(path: Vec<String>) -> String {
        format!("{}", path.len())
    }

    async fn helper(path: Vec<String>) -> Comment {
        Comment(path.join("/"))
    }

    /// A helper, although it has a method's name: a private function in lower case is no handler.
    async fn patch() {}

    pub fn sync() {}

    fn _uses() {
        let _ = (patch, sync);
    }
}

fn main() {
    let routes = Routes::collect().unwrap();
    let methods: Vec<_> = routes
        .iter()
        .map(|route| (route.method(), route.handler()))
        .collect();
    let expected = [
        (Method::Get, "GET"),
        (Method::Head, "HEAD"),
        (Method::Post, "post"),
    ];
    assert_eq!(methods, expected);
    assert_eq!(comments::PATTERN, "/comments/[...path]");
    assert_eq!(comments::path(["a", "b c"]), "/comments/a/b%20c");
    let _ = (
        comments::GET::ROUTE,
        comments::post::ROUTE,
        comments::HEAD::ROUTE,
    );
}
