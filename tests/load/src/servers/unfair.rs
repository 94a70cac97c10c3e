//! A server some of whose handlers hang, block their thread or compute.

use std::future::pending;
use std::io;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use actix_web::{App, HttpServer};
use route_runtime::__private::{RouteDescriptor, Segment};
use route_runtime::{Mode, Routes, cached, route};
use tokio::time::sleep;

/// The time for which a handler blocks its thread.
const BLOCKED: Duration = Duration::from_secs(15);

/// The time for which a render computes.
const COMPUTED: Duration = Duration::from_secs(1);

#[route("/waits/[ms]/[id]", revalidate = 3600)]
async fn waits(ms: u64, id: u64) -> String {
    sleep(Duration::from_millis(ms)).await;
    id.to_string()
}

#[route("/hangs/[id]", revalidate = 3600)]
async fn hangs(id: u64) -> String {
    let () = pending().await;
    id.to_string()
}

#[route("/blocks/[id]", revalidate = 3600)]
async fn blocks(id: u64) -> String {
    thread::sleep(BLOCKED);
    id.to_string()
}

#[cached]
async fn blocked(number: u64, id: u64) -> u64 {
    thread::sleep(BLOCKED);
    number + id
}

#[route("/calls/[number]/[id]", revalidate = 3600)]
async fn calls(number: u64, id: u64) -> String {
    blocked(number, id).await.to_string()
}

#[route("/computes/[id]", revalidate = 3600)]
async fn computes(id: u64) -> String {
    let start = Instant::now();
    let mut sum = id;
    while start.elapsed() < COMPUTED {
        sum = sum.wrapping_mul(31).wrapping_add(7);
    }
    sum.to_string()
}

/// Makes copies of a handler with one parameter, with patterns of their own.
fn copies(of: RouteDescriptor, name: &str, count: usize) -> impl Iterator<Item = RouteDescriptor> {
    (1..=count).map(move |number| {
        let name: &'static str = format!("{name}{number}").leak();
        let pattern: &'static str = format!("/{name}/[id]").leak();
        let segments = vec![Segment::Literal(name), Segment::Param("id")];
        RouteDescriptor {
            pattern,
            segments: segments.leak(),
            ..of
        }
    })
}

pub(super) fn run(listener: TcpListener) -> io::Result<()> {
    let routes = [waits::ROUTE, computes::ROUTE, calls::ROUTE];
    let copies = copies(hangs::ROUTE, "hangs", 8).chain(copies(blocks::ROUTE, "blocks", 40));
    let routes = Routes::from_iter(routes.into_iter().chain(copies))
        .map_err(io::Error::other)?
        .mode(Mode::Production);
    actix_web::rt::System::new().block_on(async move {
        routes.ready().await.map_err(io::Error::other)?;
        HttpServer::new(move || App::new().service(routes.clone()))
            .workers(1)
            // The requests that hang are still open when the server is asked to end.
            .shutdown_timeout(0)
            .listen(listener)?
            .run()
            .await
    })
}
