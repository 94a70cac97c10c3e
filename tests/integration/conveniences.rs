//! Conveniences for handlers beside actix-web's own extractors and responders.

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::{App, Error, test};
use route_runtime::{RouteDescriptor, Routes};

mod after;
mod cookies;
mod problems;
mod redirects;
mod requests;

/// Returns an app of these routes and nothing else.
async fn app(
    routes: impl IntoIterator<Item = RouteDescriptor>,
) -> impl Service<actix_http::Request, Response = ServiceResponse<BoxBody>, Error = Error> {
    let routes = Routes::from_iter(routes).unwrap();
    test::init_service(App::new().service(routes)).await
}
