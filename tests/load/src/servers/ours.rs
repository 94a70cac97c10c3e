//! Servers with this project's routes.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::http::header::ContentType;
use actix_web::web::Bytes;
use actix_web::{App, HttpResponse, HttpServer};
use route_runtime::__private::{Config, RouteDescriptor, Segment};
use route_runtime::{Mode, Routes, route};
use tokio::time::sleep;

use super::BODY;

/// A body that is long enough to be compressed.
static TEXT: [u8; 2048] = [b'7'; 2048];

fn body(bytes: &'static [u8]) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::json())
        .body(Bytes::from_static(bytes))
}

#[route("/posts/[id]", revalidate = false)]
async fn post(id: u64) -> HttpResponse {
    let _ = id;
    body(&BODY)
}

#[route("/texts/[id]", revalidate = false)]
async fn text(id: u64) -> HttpResponse {
    let _ = id;
    body(&TEXT)
}

#[route("/about")]
async fn about() -> HttpResponse {
    body(&BODY)
}

#[route("/items/[id]")]
async fn item(id: u64) -> HttpResponse {
    let _ = id;
    body(&BODY)
}

/// The time that a render of `/moving` takes, most of it waiting.
pub(crate) const RENDER: Duration = Duration::from_millis(200);

static RENDERS: AtomicU64 = AtomicU64::new(0);

#[route("/steady/[id]", revalidate = 3600)]
async fn steady(id: u64) -> HttpResponse {
    let _ = id;
    body(&BODY)
}

#[route("/moving/[id]", revalidate = 1)]
async fn moving(id: String) -> HttpResponse {
    let _ = id;
    RENDERS.fetch_add(1, Ordering::Relaxed);
    sleep(RENDER).await;
    body(&BODY)
}

/// Reports how often `/moving` was rendered.
#[route("/renders", dynamic = "force-dynamic")]
async fn renders() -> String {
    RENDERS.load(Ordering::Relaxed).to_string()
}

/// Makes routes with a parameter, at run time, from a declared one.
fn others(count: usize) -> impl Iterator<Item = RouteDescriptor> {
    (0..count).map(|number| {
        let name: &'static str = format!("other{number}").leak();
        let pattern: &'static str = format!("/{name}/[id]").leak();
        let segments = vec![Segment::Literal(name), Segment::Param("id")];
        RouteDescriptor {
            pattern,
            segments: segments.leak(),
            config: Config::DEFAULT,
            ..item::ROUTE
        }
    })
}

/// Serves the routes above, beside as many others as `name` says.
pub(super) fn run(name: &str, listener: TcpListener) -> io::Result<()> {
    let count = name.parse().map_err(io::Error::other)?;
    let routes = [
        post::ROUTE,
        text::ROUTE,
        about::ROUTE,
        item::ROUTE,
        steady::ROUTE,
        moving::ROUTE,
        renders::ROUTE,
    ];
    let routes = Routes::from_iter(routes.into_iter().chain(others(count)))
        .map_err(io::Error::other)?
        .mode(Mode::Production);
    actix_web::rt::System::new().block_on(async move {
        routes.ready().await.map_err(io::Error::other)?;
        HttpServer::new(move || App::new().service(routes.clone()))
            .workers(1)
            .listen(listener)?
            .run()
            .await
    })
}
