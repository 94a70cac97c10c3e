//! The tutorial: a route for each thing that routes can do. `/` lists them.

mod data;
mod images;
mod live;
mod methods;
mod pages;
mod params;
mod posts;
mod session;
mod time;
mod upstream;

use route_runtime::{ServeError, Server};

use crate::session::Visits;
use crate::upstream::Upstream;

#[actix_web::main]
async fn main() -> Result<(), ServeError> {
    let upstream = Upstream::from_env().map_err(ServeError::Io)?;
    // Printed to stderr, because stdout belongs to commands such as `routes --json`.
    eprintln!("upstream {}", upstream.url(""));
    Server::new()
        .data(upstream)
        .data(Visits::default())
        .run()
        .await
}

#[cfg(test)]
mod tests;
