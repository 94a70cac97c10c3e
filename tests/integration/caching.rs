//! Cached routes as a client sees them: what is shared, with which headers, and for how long.

use std::time::Duration;

use actix_web::test::TestRequest;
use route_runtime::RouteDescriptor;
use route_runtime::testing::{TestApp, TestResponse};
use tests::{SECOND, next, production};

mod encodings;
mod entries;
mod expiring;
mod flights;
mod headers;
mod outside;
mod preconditions;
mod ranges;
mod tags_outside;
mod validators;

async fn app(routes: impl IntoIterator<Item = RouteDescriptor>) -> TestApp {
    TestApp::new(production(routes)).await.unwrap()
}

async fn with(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> TestResponse {
    let mut request = TestRequest::get().uri(path);
    for header in headers {
        request = request.append_header(*header);
    }
    app.send(request).await
}
