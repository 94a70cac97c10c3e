//! Ports for the servers that tests start.

use std::fs;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Returns a free port, from outside the range for outgoing connections: thousands of those may be
/// made between this check and the use of the port.
///
/// # Panics
///
/// If all of them are taken.
#[must_use]
pub fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let lowest = range
        .split_whitespace()
        .next()
        .and_then(|it| it.parse().ok());
    let end = lowest.filter(|&it: &u16| it > 8192).unwrap_or(32_768);
    // Processes that run side by side begin at different ports.
    let first = (std::process::id() % 4096) as u16;
    for _ in 0..4096 {
        let next = first.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed));
        let port = end - 1 - next % 4096;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("all ports below {end} are taken");
}
