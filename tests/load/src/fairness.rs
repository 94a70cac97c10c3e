//! Measures what handlers that hang, block their thread or compute leave to the others.

use std::io;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::client::{self, Connection, Request, Until, on_one_thread};
use super::process::{Process, on_all_cores, pinned};
use super::table::{Goal, Table, median};

/// More requests for each handler than it has places.
const TOO_MANY: usize = 2 * 128 + 2;

pub(crate) fn table() -> io::Result<Table> {
    let mut table = Table::new("fairness");
    hanging(&mut table)?;
    attacked(&mut table)?;
    blocking(&mut table)?;
    ordinary(&mut table)?;
    beside_hits(&mut table)?;
    Ok(table)
}

fn server() -> io::Result<Process> {
    Process::of_ours(on_all_cores(std::env::current_exe()?), "unfair")
}

fn paths(name: &str, ids: std::ops::Range<usize>) -> Vec<Request> {
    ids.map(|id| Request::get(&format!("/{name}/{id}")))
        .collect()
}

/// Connections whose requests are not answered while they are held.
struct Held(JoinSet<io::Result<()>>);

impl Held {
    fn nothing() -> Self {
        Self(JoinSet::new())
    }

    async fn ask(&mut self, server: &Process, requests: Vec<Request>) -> io::Result<()> {
        for request in requests {
            let mut connection = Connection::open(server.address).await?;
            self.0
                .spawn(async move { connection.ask(&request).await.map(drop) });
        }
        // Until the server has read them.
        sleep(Duration::from_millis(100)).await;
        Ok(())
    }
}

/// Sends each request on a connection of its own, all at once. Returns how long each took, the
/// shortest first.
async fn each(server: &Process, requests: Vec<Request>) -> io::Result<Vec<Duration>> {
    let mut asked = JoinSet::new();
    for request in requests {
        let mut connection = Connection::open(server.address).await?;
        asked.spawn(async move {
            let start = Instant::now();
            connection.ask(&request).await?;
            io::Result::Ok(start.elapsed())
        });
    }
    let mut took = Vec::new();
    while let Some(done) = asked.join_next().await {
        took.push(done.map_err(io::Error::other)??);
    }
    took.sort_unstable();
    Ok(took)
}

async fn longest(server: &Process, requests: Vec<Request>) -> io::Result<f64> {
    let took = each(server, requests).await?;
    Ok(took.last().map_or(0.0, Duration::as_secs_f64))
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.3} s")
}

/// Renders of an innocent handler, while all paths of others hang.
fn hanging(table: &mut Table) -> io::Result<()> {
    for (count, goal) in [(3, 2.0), (8, 8.0)] {
        let took = on_one_thread(async {
            let server = server()?;
            let mut held = Held::nothing();
            for number in 1..=count {
                let requests = paths(&format!("hangs{number}"), 0..TOO_MANY);
                held.ask(&server, requests).await?;
            }
            longest(&server, paths("waits/20", 0..200)).await
        })?;
        table.row(
            format!("200 renders of 20 ms at once, while {count} handlers hang"),
            seconds(took),
            None,
            Goal::at_most(took, goal),
        );
    }
    Ok(())
}

/// Renders of an innocent handler, while 500 sockets ask for what hangs.
fn attacked(table: &mut Table) -> io::Result<()> {
    let ratio = on_one_thread(async {
        let server = server()?;
        let cold = async |from: usize| {
            let mut took = Vec::new();
            for id in from..from + 50 {
                took.push(longest(&server, paths("waits/20", id..id + 1)).await?);
            }
            io::Result::Ok(median(took))
        };
        let alone = cold(0).await?;
        let mut held = Held::nothing();
        held.ask(&server, paths("hangs1", 0..500)).await?;
        Ok(cold(1000).await? / alone)
    })?;
    table.row(
        "a render of 20 ms, while 500 sockets ask for what hangs",
        format!("{ratio:.3} × as long"),
        ratio,
        Goal::at_most(ratio, 2.0),
    );
    Ok(())
}

/// Renders of an innocent handler, while others block their threads.
fn blocking(table: &mut Table) -> io::Result<()> {
    for (what, name) in [("handlers", "blocks"), ("cached functions", "calls/")] {
        let (first, then) = on_one_thread(async {
            let server = server()?;
            let mut held = Held::nothing();
            let block = |from: usize| {
                (1..=3).flat_map(move |number| paths(&format!("{name}{number}"), from..from + 40))
            };
            let innocent = |from: usize| {
                let mut requests = paths("waits/10", from..from + 10);
                requests.extend(paths("waits/50", from..from + 10));
                requests
            };
            // One connection after another, so that those that block come first.
            held.ask(&server, block(0).collect()).await?;
            let first = longest(&server, innocent(0)).await?;
            sleep(Duration::from_secs(1)).await;
            held.ask(&server, block(100).collect()).await?;
            let then = longest(&server, innocent(100)).await?;
            Ok((first, then))
        })?;
        for (when, took) in [("first", first), ("then", then)] {
            table.row(
                format!("renders of 10 and 50 ms, while 3 {what} block 40 times, {when}"),
                seconds(took),
                None,
                Goal::at_most(took, 0.2),
            );
        }
    }
    let took = on_one_thread(async {
        let server = server()?;
        let mut held = Held::nothing();
        let all = (1..=40).flat_map(|number| paths(&format!("blocks{number}"), 0..1));
        held.ask(&server, all.collect()).await?;
        longest(&server, paths("waits/10", 0..10)).await
    })?;
    table.row(
        "renders of 10 ms, while 40 handlers block once",
        seconds(took),
        None,
        Goal::at_most(took, 3.0),
    );
    Ok(())
}

/// Much work for one handler, none of which is turned away: any other status is an error.
fn ordinary(table: &mut Table) -> io::Result<()> {
    let (at_once, steady) = on_one_thread(async {
        let server = server()?;
        let at_once = longest(&server, paths("waits/100", 0..1000)).await?;
        let mut asked = JoinSet::new();
        for id in 1000..3500 {
            let mut connection = Connection::open(server.address).await?;
            let request = Request::get(&format!("/waits/100/{id}"));
            asked.spawn(async move {
                let start = Instant::now();
                connection.ask(&request).await?;
                io::Result::Ok(start.elapsed())
            });
            sleep(Duration::from_millis(2)).await;
        }
        let mut most = Duration::ZERO;
        while let Some(done) = asked.join_next().await {
            most = most.max(done.map_err(io::Error::other)??);
        }
        Ok((at_once, most.as_secs_f64()))
    })?;
    table.row("1000 paths of 100 ms at once", seconds(at_once), None, None);
    table.row("500 paths of 100 ms a second", seconds(steady), None, None);
    Ok(())
}

/// Hits, by the wall clock, while renders compute and while a handler hangs.
fn beside_hits(table: &mut Table) -> io::Result<()> {
    const ROUND: Duration = Duration::from_secs(2);
    let hits = paths("waits/0", 0..10);
    let start = || {
        let server = Process::of_ours(pinned(std::env::current_exe()?), "unfair")?;
        client::load(server.address, &hits, 10, Until::Each(10))?;
        io::Result::Ok(server)
    };
    let count = |server: &Process| {
        client::load(server.address, &hits, 32, Until::Passed(ROUND)).map(|it| it as f64)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let mut row = |what: &str, ratio: f64, goal: f64| {
        let times = format!("{ratio:.3} × as many");
        table.row(what, times, ratio, Goal::at_least(ratio, goal));
    };

    let server = start()?;
    let alone = median((0..3).map(|_| count(&server)).collect::<io::Result<_>>()?);
    let mut held = Held::nothing();
    runtime.block_on(held.ask(&server, paths("computes", 0..40)))?;
    row(
        "hits while forty renders compute",
        count(&server)? / alone,
        0.4,
    );
    drop(server);

    // Of two servers in turns, one whose handler hangs: that costs the other nothing.
    let (quiet, hanging) = (start()?, start()?);
    runtime.block_on(held.ask(&hanging, paths("hangs1", 0..40)))?;
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let alone = count(&quiet)?;
        ratios.push(count(&hanging)? / alone);
    }
    row("hits while a handler hangs", median(ratios), 0.95);
    Ok(())
}
