//! Servers with axum, without and with the cache that is made for it.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::get;
use axum_response_cache::CacheLayer;

use super::{BODY, HIT, JSON};

async fn post(Path(id): Path<u64>) -> impl IntoResponse {
    let _ = id;
    ([(CONTENT_TYPE, JSON)], AppendHeaders(HIT), &BODY[..])
}

pub(super) fn plain(listener: std::net::TcpListener) -> io::Result<()> {
    serve(Router::new().route("/posts/{id}", get(post)), listener)
}

pub(super) fn cached(listener: std::net::TcpListener) -> io::Result<()> {
    let cache = CacheLayer::with_lifespan(Duration::from_secs(3600));
    let router = Router::new().route("/posts/{id}", get(post).layer(cache));
    serve(router, listener)
}

/// Serves on one thread, because a worker of actix-web is one thread.
fn serve(router: Router, listener: std::net::TcpListener) -> io::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, router).await
        })
}
