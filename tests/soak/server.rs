//! The server that the clients load.

use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::panic;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer, Responder};
use futures_util::stream;
use route_runtime::{
    FetchError, Mode, Problem, RevalidateError, Routes, SearchParams, fetch, revalidate_path,
    revalidate_tag, route,
};

use super::ITEMS;

static VERSIONS: [AtomicU64; ITEMS] = [const { AtomicU64::new(0) }; ITEMS];
static RUNNING: AtomicU64 = AtomicU64::new(0);
static TURN: AtomicU64 = AtomicU64::new(0);
static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();

/// A guard that counts the handlers that run.
struct Running;

impl Running {
    fn new() -> Self {
        RUNNING.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits long enough for other requests to come in between.
async fn a_while() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

fn version(id: usize) -> Result<String, Problem> {
    let version = VERSIONS
        .get(id)
        .ok_or(Problem::new(StatusCode::NOT_FOUND))?;
    Ok(version.load(Ordering::SeqCst).to_string())
}

/// The version of an item. The handler waits after reading it, so its response may be outdated.
#[route("/soak/item/[id]", revalidate = 1, tags = ["item:{id}"])]
async fn item(id: usize) -> Result<String, Problem> {
    let _running = Running::new();
    let version = version(id)?;
    a_while().await;
    Ok(version)
}

/// Writes an item, and responds when no request can get the version before any more.
#[route(POST, "/soak/item/[id]")]
async fn write(id: usize, query: SearchParams) -> Result<String, RevalidateError> {
    let _running = Running::new();
    let written = VERSIONS[id % ITEMS].fetch_add(1, Ordering::SeqCst) + 1;
    match query.get("by").as_deref() {
        Some("tag") => revalidate_tag(format!("item:{id}")).await?,
        _ => revalidate_path(item::path(id)).await?,
    }
    Ok(written.to_string())
}

#[route("/soak/version/[id]", dynamic = "force-dynamic")]
async fn source(id: usize) -> Result<String, Problem> {
    let _running = Running::new();
    version(id)
}

/// The version of an item, from data fetched over HTTP. Only the data has the item's tag.
#[route("/soak/data/[id]", revalidate = 1)]
async fn data(id: usize) -> Result<String, FetchError> {
    let _running = Running::new();
    let address = ADDRESS.get().expect("it serves");
    let source = fetch(format!("http://{address}/soak/version/{id}"));
    let response = source.revalidate(2).tags([format!("item:{id}")]).await?;
    a_while().await;
    Ok(response.error_for_status()?.text())
}

/// A handler that hangs, panics, fails or succeeds, by turns.
#[route("/soak/failing/[id]", revalidate = 1, max_duration = 1)]
async fn failing(id: usize) -> HttpResponse {
    let _running = Running::new();
    a_while().await;
    match TURN.fetch_add(1, Ordering::SeqCst) % 64 {
        0 => std::future::pending().await,
        1..16 => panic!("soak: {id}"),
        16..32 => HttpResponse::InternalServerError().body("failed"),
        _ => HttpResponse::Ok().body("well"),
    }
}

/// A large body. The clients request far more of them than the cache has room for.
#[route("/soak/large/[id]", revalidate = 60)]
async fn large(id: usize) -> String {
    let _running = Running::new();
    format!("{id} ").repeat(4000)
}

#[route("/soak/own/[id]", revalidate = 60)]
async fn own(id: usize) -> impl Responder {
    let _running = Running::new();
    HttpResponse::Ok()
        .insert_header((
            "set-cookie",
            format!("turn={}", TURN.load(Ordering::SeqCst)),
        ))
        .body(id.to_string())
}

/// A body that goes on until the client hangs up.
#[route("/soak/endless", dynamic = "force-dynamic")]
async fn endless() -> HttpResponse {
    let chunks = stream::unfold(Running::new(), |running| async {
        a_while().await;
        Some((
            Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 1000])),
            running,
        ))
    });
    HttpResponse::Ok().streaming(Box::pin(chunks))
}

#[route("/soak/state", dynamic = "force-dynamic")]
async fn state(routes: Data<Routes>) -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let memory = memory.and_then(|line| line.split_whitespace().next());
    let files = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    let stats = routes.stats();
    let running = RUNNING.load(Ordering::SeqCst);
    format!(
        "{}\n{files}\n{running}\n{}\n{stats:?}",
        memory.unwrap_or("0"),
        stats.renders
    )
}

/// Serves until a signal ends it.
#[actix_web::main]
pub(crate) async fn run() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let message = info.payload().downcast_ref::<String>();
        if !message.is_some_and(|message| message.starts_with("soak: ")) {
            usual(info);
        }
    }));
    let routes = Routes::collect().expect("the routes fit together");
    let routes = routes.mode(Mode::Production).cache_capacity(4_000_000);
    let app = move || {
        let routes = routes.clone();
        App::new()
            .app_data(Data::new(routes.clone()))
            .service(routes)
    };
    let server = HttpServer::new(app).workers(2).shutdown_timeout(5);
    let server = server.bind("127.0.0.1:0").expect("there is a free port");
    let address = server.addrs()[0];
    ADDRESS.set(address).expect("it is the first");
    println!("serving http://{address}");
    server.run().await.expect("it ends when it is told to");
}
