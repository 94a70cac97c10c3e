//! Prints how many bytes a cached response takes beyond its path, its headers and its body.
//!
//! This is a program of its own, because it counts allocations, which costs instructions.

use std::alloc::System;
use std::io;

use actix_web::body::to_bytes;
use actix_web::http::header::ContentType;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpResponse};
use cap::Cap;
use route_runtime::{Mode, Routes, route};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const ENTRIES: usize = 100_000;
const BODY: usize = 1024;

/// The headers of each response. They count as content, which is as long however it is stored.
const HEADERS: &str = "content-type: application/json\r\n";

#[route("/posts/[id]", revalidate = 60)]
async fn post(id: u64) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::json())
        .body(vec![id.to_le_bytes()[0]; BODY])
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let before = ALLOCATOR.allocated();
    let routes = Routes::from_iter([post::ROUTE])
        .map_err(io::Error::other)?
        .mode(Mode::Production)
        .cache_capacity(1_000_000_000);
    routes.ready().await.map_err(io::Error::other)?;
    let app = init_service(App::new().service(routes.clone())).await;
    let mut content = 0;
    for id in 0..ENTRIES {
        let path = post::path(id as u64);
        let request = TestRequest::get().uri(&path).to_request();
        let response = call_service(&app, request).await;
        let body = to_bytes(response.into_body()).await;
        let body = body.map_err(|error| io::Error::other(error.to_string()))?;
        content += path.len() + HEADERS.len() + body.len();
    }
    let held = ALLOCATOR.allocated() - before;
    let stats = routes.stats();
    if stats.entries != ENTRIES as u64 {
        return Err(io::Error::other("not all entries are kept"));
    }
    let each = |bytes: usize| bytes / ENTRIES;
    println!(
        "{} {} {}",
        each(held - content),
        each(held),
        each(stats.bytes as usize)
    );
    Ok(())
}
