//! A user's macro may declare routes, and pass on any part of them.

#![deny(warnings)]

use route_runtime::{Routes, route};

macro_rules! resource {
    ($name:ident, $pattern:literal, $seconds:literal, $tag:expr, $ty:ty, $wrap:path) => {
        #[route($pattern, revalidate = $seconds, tags = [$tag], wrap = $wrap)]
        async fn $name(id: $ty) -> String {
            id.to_string()
        }
    };
}

resource!(users, "/users/[id]", 10, "users", u64, pass);
resource!(posts, "/posts/[id]", 20, "post:{id}", String, self::pass);

async fn pass(
    request: actix_web::dev::ServiceRequest,
    next: actix_web::middleware::Next<actix_web::body::BoxBody>,
) -> actix_web::Result<actix_web::dev::ServiceResponse> {
    next.call(request).await
}

fn main() {
    assert_eq!(Routes::collect().unwrap().iter().len(), 2);
    assert_eq!(users::path(1), "/users/1");
    assert_eq!(posts::path("a"), "/posts/a");
}
