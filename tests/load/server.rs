//! The servers that are compared: the same kilobyte, with the same headers.

use std::io;

use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer, web};
use route_runtime::__private::{Config, RouteDescriptor, Segment};
use route_runtime::{Mode, Routes, route};
use tokio::sync::Notify;

/// Ends a server.
pub(crate) const STOP: &str = "/stop";

/// A server, the path it is asked for, and what the table calls it.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) what: &'static str,
}

/// In the order of the table. Each is compared with the last one before it that is plain.
pub(crate) const KINDS: [Kind; 6] = [
    kind(
        "plain",
        "/posts/7",
        "actix-web, App::route, the bytes of a hit",
    ),
    kind("hit", "/posts/7", "route, hit"),
    kind("hit-1000", "/posts/7", "route, hit, beside 1000 patterns"),
    kind("static", "/about", "route, hit, without parameters"),
    kind(
        "plain-dynamic",
        "/items/7",
        "actix-web, App::route, web::Path",
    ),
    kind("dynamic", "/items/7", "route, dynamic, one parameter"),
];

const fn kind(name: &'static str, path: &'static str, what: &'static str) -> Kind {
    Kind { name, path, what }
}

static BODY: [u8; 1024] = [b'7'; 1024];

fn body() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ))
        .body(Bytes::from_static(&BODY))
}

#[route("/posts/[id]", revalidate = false)]
async fn hit(id: u64) -> HttpResponse {
    let _ = id;
    body()
}

#[route("/about")]
async fn about() -> HttpResponse {
    body()
}

#[route("/items/[id]")]
async fn item(id: u64) -> HttpResponse {
    let _ = id;
    body()
}

/// The same bytes and headers as a hit.
async fn plain() -> HttpResponse {
    let mut response = body();
    let headers = response.headers_mut();
    for (name, value) in [
        (HeaderName::from_static("cache-status"), "route; hit"),
        (header::AGE, "0"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::ETAG, "\"94f1675bac4f8bc3c593c63dbf5fe78a\""),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The same bytes and headers as a dynamic route.
async fn plain_dynamic(id: web::Path<u64>) -> HttpResponse {
    let _ = id.into_inner();
    let mut response = body();
    let headers = response.headers_mut();
    for (name, value) in [
        (
            HeaderName::from_static("cache-status"),
            "route; fwd=bypass; detail=dynamic",
        ),
        (
            header::CACHE_CONTROL,
            "private, no-cache, no-store, max-age=0, must-revalidate",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A thousand patterns with a parameter, made at run time from one that was declared.
fn many() -> impl Iterator<Item = RouteDescriptor> {
    (0..1000).map(|number| {
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

/// Serves on a free port, which it prints, until it is asked to stop.
pub(crate) fn run(name: &str) -> io::Result<()> {
    let mut routes = vec![hit::ROUTE, about::ROUTE, item::ROUTE];
    if name == "hit-1000" {
        routes.extend(many());
    }
    let is_plain = name.starts_with("plain");
    let routes = Routes::from_iter(routes)
        .map_err(io::Error::other)?
        .mode(Mode::Production);
    actix_web::rt::System::new().block_on(async move {
        if !is_plain {
            routes.ready().await.map_err(io::Error::other)?;
        }
        let stop = Data::new(Notify::new());
        let stopped = stop.clone();
        let server = HttpServer::new(move || {
            let app = App::new()
                .app_data(stop.clone())
                .route(STOP, web::get().to(ask_to_stop));
            app.configure(|config| {
                if is_plain {
                    config
                        .route("/items/{id}", web::get().to(plain_dynamic))
                        .route("/posts/7", web::get().to(plain));
                } else {
                    config.service(routes.clone());
                }
            })
        })
        .workers(1)
        .bind("127.0.0.1:0")?;
        for address in server.addrs() {
            println!("{address}");
        }
        let server = server.run();
        let handle = server.handle();
        let running = actix_web::rt::spawn(server);
        stopped.notified().await;
        handle.stop(true).await;
        running.await?
    })
}

async fn ask_to_stop(stop: Data<Notify>) -> HttpResponse {
    stop.notify_one();
    HttpResponse::Ok().finish()
}
