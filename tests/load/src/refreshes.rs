//! Measures what refreshes cost beside hits, and whether a crowd costs more than one render.

use std::io;
use std::time::{Duration, Instant};

use super::client::{self, Request, Until};
use super::process::{Process, pinned};
use super::servers::ours::RENDER;
use super::table::{Goal, Table, grouped, median};

/// The number of paths. Each is refreshed every second, by a handler that waits.
const PATHS: usize = 50;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 32;

/// The number of connections that request a path that was never requested before.
const CROWD: usize = 5000;

pub(crate) fn table() -> io::Result<Table> {
    let server = Process::of_ours(pinned(std::env::current_exe()?), "0")?;
    let requests = |name: &str| -> Vec<_> {
        let paths = (0..PATHS).map(|id| format!("/{name}/{id}"));
        paths.map(|path| Request::get(&path)).collect()
    };
    let (steady, moving) = (requests("steady"), requests("moving"));
    for requests in [&steady, &moving] {
        client::load(server.address, requests, PATHS, Until::Each(1))?;
    }
    let (mut with, mut ratios) = (Vec::new(), Vec::new());
    let before = renders(&server)?;
    for _ in 0..ROUNDS {
        let without = hits(&server, &steady)?;
        let beside = hits(&server, &moving)?;
        with.push(beside);
        ratios.push(beside / without);
    }
    let refreshes = renders(&server)? - before;
    let mut table = Table::new("refreshes");
    let ratio = median(ratios);
    table.row(
        format!(
            "hits while {PATHS} paths are refreshed every second, by {} ms of waiting; {} refreshes",
            RENDER.as_millis(),
            grouped(refreshes)
        ),
        format!("{}/s of CPU", grouped(median(with))),
        ratio,
        Goal::at_least(ratio, 0.95),
    );

    let before = renders(&server)?;
    let start = Instant::now();
    client::at_once(server.address, &Request::get("/moving/cold"), CROWD)?;
    let took = start.elapsed();
    let renders = renders(&server)? - before;
    table.row(
        format!("{CROWD} connections ask at once for what nobody has asked for"),
        format!("{renders} render, all answered in {} ms", took.as_millis()),
        None,
        Goal::at_most(renders, 1.0),
    );
    Ok(table)
}

/// Returns the hits per second of CPU time.
fn hits(server: &Process, requests: &[Request]) -> io::Result<f64> {
    let before = server.cpu()?;
    let until = Until::Passed(ROUND);
    let count = client::load(server.address, requests, CONNECTIONS, until)?;
    Ok(count as f64 / (server.cpu()? - before).as_secs_f64())
}

fn renders(server: &Process) -> io::Result<f64> {
    let count = client::once(server.address, &Request::get("/renders"))?;
    count.trim().parse().map_err(io::Error::other)
}
