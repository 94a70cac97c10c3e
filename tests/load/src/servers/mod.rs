//! The servers that are in this program. All respond with the same bytes.

use std::io::{self, Read as _};
use std::net::TcpListener;
use std::thread;

mod actix;
mod axum;
#[cfg(feature = "redis")]
pub(crate) mod cold;
pub(crate) mod ours;
pub(crate) mod stored;
mod unfair;

/// The body of every response.
static BODY: [u8; 1024] = [b'7'; 1024];

const JSON: &str = "application/json";

/// The headers of a hit besides its content type.
const HIT: [(&str, &str); 4] = [
    ("cache-status", "route; hit"),
    ("age", "0"),
    ("cache-control", "no-cache"),
    ("etag", ETAG),
];

/// The entity tag of [`BODY`].
pub(crate) const ETAG: &str = "\"67318100e2cddcb02f504e58281d67c0\"";

/// The headers of a response of a dynamic route, besides its content type.
const DYNAMIC: [(&str, &str); 2] = [
    ("cache-status", "route; fwd=bypass; detail=dynamic"),
    (
        "cache-control",
        "private, no-cache, no-store, max-age=0, must-revalidate",
    ),
];

/// Runs the server of this name on a free port, and prints its address. It ends with its input.
pub(crate) fn run(name: &str) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    if name == "stored" {
        return stored::run(listener);
    }
    println!("{}", listener.local_addr()?);
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        // An orderly exit lets callgrind write what it has counted.
        std::process::exit(0);
    });
    match name {
        "actix-http" => actix::bare(listener),
        "default-service" => actix::default_service(listener),
        "actix-web" => actix::web(listener),
        "axum" => axum::plain(listener),
        #[cfg(feature = "redis")]
        "cold" => cold::run(listener),
        "axum-response-cache" => axum::cached(listener),
        "unfair" => unfair::run(listener),
        _ => ours::run(name, listener),
    }
}
