//! Cached routes as a client sees them: what is shared, with which headers, and for how long.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix_web::test::TestRequest;
use route_runtime::testing::{TestApp, TestResponse};
use route_runtime::{Mode, RouteDescriptor, Routes};

mod encodings;
mod entries;
mod flights;
mod headers;

const SECOND: Duration = Duration::from_secs(1);

fn routes(routes: impl IntoIterator<Item = RouteDescriptor>) -> Routes {
    Routes::from_iter(routes).unwrap().mode(Mode::Production)
}

async fn app(routes: impl IntoIterator<Item = RouteDescriptor>) -> TestApp {
    TestApp::new(self::routes(routes)).await.unwrap()
}

async fn with(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> TestResponse {
    let mut request = TestRequest::get().uri(path);
    for header in headers {
        request = request.append_header(*header);
    }
    app.send(request).await
}

fn next(count: &AtomicU32) -> u32 {
    count.fetch_add(1, Ordering::SeqCst) + 1
}
