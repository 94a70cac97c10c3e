//! A user's extractor declares itself that it is static, or that it reads the parameters.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use route_runtime::{ReadsParams, RouteDescriptor, Routes, StaticExtractor, route};

macro_rules! extractor {
    ($name:ident) => {
        struct $name(String);

        impl FromRequest for $name {
            type Error = actix_web::Error;
            type Future = Ready<Result<Self, Self::Error>>;

            fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(Ok(Self(req.path().into())))
            }
        }
    };
}

extractor!(Static);
extractor!(Reading);
extractor!(Params);

impl StaticExtractor for Static {}
impl ReadsParams for Params {}

#[route("/static", dynamic = "error")]
async fn quiet(it: Static) -> String {
    it.0
}

#[route("/reading")]
async fn reading(Reading(path): Reading) -> String {
    path
}

#[route("/params/[id]")]
async fn params(it: Params) -> String {
    it.0
}

/// A handler with an argument named almost like the parameter, which another argument reads.
#[route("/users/[user]")]
async fn neighbour(users: Static, it: Params) -> String {
    users.0 + &it.0
}

/// Cached, because `"force-static"` gives the extractor a blank request.
#[route("/blank", dynamic = "force-static", revalidate = 10)]
async fn blank(it: Reading) -> String {
    it.0
}

/// `"force-dynamic"` wins over `revalidate`.
#[route("/fresh", dynamic = "force-dynamic", revalidate = 10)]
async fn fresh(it: Reading) -> String {
    it.0
}

fn is_cached(route: RouteDescriptor) -> bool {
    let routes = Routes::from_iter([route]).unwrap();
    routes.iter().next().unwrap().rendering().is_cached()
}

fn main() {
    assert!(is_cached(quiet::ROUTE));
    assert!(!is_cached(reading::ROUTE));
    assert!(!is_cached(params::ROUTE));
    assert!(!is_cached(neighbour::ROUTE));
    assert!(is_cached(blank::ROUTE));
    assert!(!is_cached(fresh::ROUTE));
}
