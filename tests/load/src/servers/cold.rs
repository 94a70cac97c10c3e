//! An instance of an app, which shares its responses through a store.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::{App, HttpServer};
use route_runtime::store::{FileStore, RedisStore};
use route_runtime::{Mode, RevalidateError, Routes, revalidate_tag, route};

/// The environment variable that says where the store is: the URL of a Redis, or a directory.
pub(crate) const STORE: &str = "COLD_STORE";

static RENDERS: AtomicU64 = AtomicU64::new(0);

#[route("/cold/[id]", revalidate = 86_400, tags = ["cold"])]
async fn cold(id: u64) -> String {
    RENDERS.fetch_add(1, Ordering::Relaxed);
    format!("{id:01024}")
}

#[route(POST, "/invalidate/[tag]")]
async fn invalidate(tag: String) -> Result<&'static str, RevalidateError> {
    revalidate_tag(tag).await?;
    Ok("invalidated")
}

/// Reports how often this instance has rendered.
#[route("/cold-renders", dynamic = "force-dynamic")]
async fn renders() -> String {
    RENDERS.load(Ordering::Relaxed).to_string()
}

pub(super) fn run(listener: TcpListener) -> io::Result<()> {
    let place = std::env::var(STORE).map_err(io::Error::other)?;
    actix_web::rt::System::new().block_on(async move {
        let routes = [cold::ROUTE, invalidate::ROUTE, renders::ROUTE];
        let routes = Routes::from_iter(routes)
            .map_err(io::Error::other)?
            .mode(Mode::Production);
        let routes = if place.starts_with("redis:") {
            let store = RedisStore::connect(&place).await;
            routes.store(store.map_err(io::Error::other)?)
        } else {
            routes.store(FileStore::open(place))
        };
        routes.ready().await.map_err(io::Error::other)?;
        HttpServer::new(move || App::new().service(routes.clone()))
            .workers(1)
            // A client opens all its connections before it sends requests on them.
            .client_request_timeout(Duration::ZERO)
            .listen(listener)?
            .run()
            .await
    })
}
