//! Measures the memory that an entry takes, and whether requests leave anything behind.

use std::io;
use std::process::Command;

use super::client::{self, Request, Until};
use super::process::{Process, pinned};
use super::table::{Goal, Table, grouped};

const CONNECTIONS: u64 = 20;
const EARLY: u64 = 100_000;
const LATE: u64 = 1_000_000;
const MEGABYTE: f64 = 1024.0 * 1024.0;

pub(crate) fn table() -> io::Result<Table> {
    let mut table = Table::new("memory");
    let program = std::env::current_exe()?.with_file_name("entries");
    let output = Command::new(program).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let bytes: Vec<f64> = text.split_whitespace().flat_map(str::parse).collect();
    let [beyond, held, weighed] = bytes[..] else {
        return Err(io::Error::other(format!("`entries` failed: {output:?}")));
    };
    table.row(
        "an entry, beyond its path, headers and body",
        format!("{beyond} bytes"),
        None,
        Goal::at_most(beyond, 300.0),
    );
    table.row(
        "the same entry, whole, beside what it counts as",
        format!("{held} bytes, {weighed}"),
        held / weighed,
        Goal::at_most(held / weighed, 1.0),
    );

    let server = Process::of_ours(pinned(std::env::current_exe()?), "0")?;
    let requests = [
        Request::get("/posts/1"),
        Request::get("/posts/2"),
        Request::get("/about"),
        Request::get("/steady/1"),
        Request::get("/items/1"),
        Request::new("HEAD", "/posts/1", ""),
        Request::new("GET", "/texts/1", "Accept-Encoding: gzip\r\n"),
    ];
    let more = |count: u64| {
        let connections = usize::try_from(CONNECTIONS).unwrap_or(1);
        let each = Until::Each(count / CONNECTIONS);
        client::load(server.address, &requests, connections, each)?;
        server.resident()
    };
    let early = more(EARLY)? as f64;
    let late = more(LATE - EARLY)? as f64;
    let grown = (late - early) / MEGABYTE;
    table.row(
        format!(
            "resident after {} requests, beyond what it was after {}",
            grouped(LATE as f64),
            grouped(EARLY as f64)
        ),
        format!("{grown:.2} MiB of {:.1}", late / MEGABYTE),
        None,
        Goal::at_most(grown, 1.0),
    );
    Ok(table)
}
