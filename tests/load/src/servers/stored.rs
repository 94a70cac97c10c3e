//! A server with a store behind memory, and with a route that fills it.

use std::io;
use std::net::TcpListener;

use route_runtime::{Mode, Server, route};

pub(crate) const ENTRIES: u64 = 10_000;

/// The environment variable that says where the store is.
pub(crate) const DIRECTORY: &str = "ROUTE_CACHE_DIR";

async fn ids() -> Vec<u64> {
    (0..ENTRIES).collect()
}

#[route("/stored/[id]", revalidate = 86_400, static_params = ids)]
async fn stored(id: u64) -> String {
    format!("{id:01024}")
}

/// Runs the server. It prints its address once everything is in memory, and writes everything to
/// the store before it ends.
pub(super) fn run(listener: TcpListener) -> io::Result<()> {
    let address = listener.local_addr()?;
    drop(listener);
    let server = Server::new().args([]).mode(Mode::Production).workers(1);
    let served = server.bind(address.to_string()).run();
    let ended = actix_web::rt::System::new().block_on(served);
    ended.map_err(io::Error::other)
}
