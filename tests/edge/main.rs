//! Tests with real proxies in front of the server: nginx, Varnish, HAProxy, Squid and Apache Traffic
//! Server. Each of them runs with the configuration that the guide shows.
//!
//! Time passes here by the clock of the machine, because that is the proxies' clock.

mod freshness;
mod guide;
mod keeping;
mod origin;
mod proxy;
mod representations;
mod software;

use std::net::SocketAddr;
use std::thread;

use tests::{Connection, Response, request};

use crate::software::Software;

/// Runs a check behind each kind of proxy, at the same time. Fails with the names of the proxies
/// whose check has failed; each check that fails prints why.
fn behind_each(check: impl Fn(Software) + Sync) {
    let check = &check;
    let failed: Vec<_> = thread::scope(|scope| {
        let running = Software::ALL.map(|software| {
            let builder = thread::Builder::new().name(software.name().into());
            let thread = builder.spawn_scoped(scope, move || check(software));
            (software, thread.expect("there is a thread for each proxy"))
        });
        let ended = running.map(|(software, thread)| (software, thread.join()));
        let failed = ended.into_iter().filter(|(_, ended)| ended.is_err());
        failed.map(|(software, _)| software.name()).collect()
    });
    assert!(failed.is_empty(), "it fails behind {failed:?}");
}

/// Sends a request on a new connection, and reads the whole response.
fn ask(method: &str, at: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Response {
    Connection::open(at).send(&request(method, path, headers, ""))
}

fn get(at: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Response {
    ask("GET", at, path, headers)
}
