//! Measures an instance that starts with an empty memory, and that is asked at once for a thousand
//! paths that the store has, while it invalidates.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::client::{self, Connection, Request, Until, on_one_thread};
use super::process::{Process, free_port, on_all_cores};
use super::servers::cold::STORE;
use super::table::{Goal, Table};

const PATHS: usize = 1000;
const INVALIDATIONS: usize = 20;

/// The invalidation after which the paths are requested, so that the next ones are under way meanwhile.
const BEFORE: usize = 1;

/// The time within which the store has to have all that the first instance renders.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn table() -> io::Result<Table> {
    let mut table = Table::new("cold instances");
    for store in [Store::files(), Store::redis()] {
        measure(&store?, &mut table)?;
    }
    Ok(table)
}

/// A store that instances share.
struct Store {
    name: &'static str,
    /// The URL or the directory that an instance is given.
    place: String,
    directory: PathBuf,
    server: Option<Process>,
}

impl Store {
    fn files() -> io::Result<Self> {
        let directory = directory("files")?;
        Ok(Self {
            name: "files",
            place: directory.display().to_string(),
            directory,
            server: None,
        })
    }

    fn redis() -> io::Result<Self> {
        let directory = directory("redis")?;
        let port = free_port()?;
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--save", "", "--dir"]).arg(&directory);
        Ok(Self {
            name: "a Redis",
            place: format!("redis://127.0.0.1:{port}"),
            directory,
            server: Some(Process::of_others(command, port)?),
        })
    }

    fn instance(&self) -> io::Result<Process> {
        let mut command = on_all_cores(std::env::current_exe()?);
        command.env(STORE, &self.place);
        Process::of_ours(command, "cold")
    }

    /// Returns the number of entries that the store has.
    fn entries(&self) -> io::Result<usize> {
        match &self.server {
            None => entries(&self.directory),
            Some(server) => {
                let mut stream = TcpStream::connect(server.address)?;
                stream.write_all(b"EVAL \"return #redis.call('KEYS', '*:e:*')\" 0\r\n")?;
                let mut answer = [0; 32];
                let length = stream.read(&mut answer)?;
                let answer = String::from_utf8_lossy(&answer[..length]);
                let number = answer.trim_start_matches(':').trim_end();
                number.parse().map_err(io::Error::other)
            }
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        drop(self.server.take());
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn directory(name: &str) -> io::Result<PathBuf> {
    let name = format!("load.cold.{name}.{}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// Counts the files that are named as entries are, by a hash.
fn entries(directory: &Path) -> io::Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        count += match entry.file_type()?.is_dir() {
            true => entries(&entry.path())?,
            false => usize::from(entry.file_name().len() == 64),
        };
    }
    Ok(count)
}

/// The observations of the clients of the second instance.
#[derive(Default)]
struct Seen {
    slowest_read: Duration,
    acknowledged: usize,
    slowest_invalidation: Duration,
    /// The number of invalidations that ended before the last read did.
    meanwhile: usize,
}

fn measure(store: &Store, table: &mut Table) -> io::Result<()> {
    let requests: Vec<_> = (0..PATHS)
        .map(|id| Request::get(&format!("/cold/{id}")))
        .collect();
    let first = store.instance()?;
    fill(store, &first, &requests)?;

    let second = store.instance()?;
    let seen = on_one_thread(burst(&second, requests))?;
    let renders = client::once(second.address, &Request::get("/cold-renders"))?;
    let renders: f64 = renders.trim().parse().map_err(io::Error::other)?;
    let name = store.name;
    table.row(
        format!("{PATHS} paths at once that are in {name}, to an instance that has none in memory"),
        format!(
            "{renders} rendered anew, the slowest took {} ms",
            seen.slowest_read.as_millis()
        ),
        None,
        Goal::at_most(renders, 0.0),
    );
    let acknowledged = seen.acknowledged as f64;
    table.row(
        format!("{INVALIDATIONS} invalidations of other tags, one after another, by that instance"),
        format!(
            "{acknowledged} answered 200, {} before the last path; the slowest took {} ms",
            seen.meanwhile,
            seen.slowest_invalidation.as_millis()
        ),
        None,
        Goal::at_least(acknowledged, INVALIDATIONS as f64),
    );
    Ok(())
}

/// Lets an instance render everything, one path after another, until the store has it. An instance
/// writes a response once, and not while the store does not answer, so it may have to render again.
fn fill(store: &Store, instance: &Process, requests: &[Request]) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        client::load(instance.address, requests, 1, Until::Each(PATHS as u64))?;
        thread::sleep(Duration::from_millis(500));
        let entries = store.entries()?;
        if entries == PATHS {
            return Ok(());
        }
        let name = store.name;
        let what = format!("of {PATHS} responses, {entries} are in {name}");
        if begun.elapsed() > PATIENCE {
            return Err(io::Error::other(what));
        }
        eprintln!("{what}: rendering again");
        let again = Request::new("POST", "/invalidate/cold", "");
        client::once(instance.address, &again)?;
    }
}

/// Sends all requests at once, each on a connection of its own, while one connection invalidates.
async fn burst(instance: &Process, requests: Vec<Request>) -> io::Result<Seen> {
    let mut connections = Vec::new();
    for _ in &requests {
        connections.push(Connection::open(instance.address).await?);
    }
    let address = instance.address;
    let (begins, begun) = oneshot::channel();
    let invalidating = tokio::spawn(async move {
        let mut connection = Connection::open(address).await?;
        let (mut took, mut begins) = (Vec::new(), Some(begins));
        for number in 0..INVALIDATIONS {
            let request = Request::new("POST", &format!("/invalidate/other-{number}"), "");
            let begun = Instant::now();
            let is_done = match connection.ask(&request).await {
                Ok(_) => true,
                Err(error) => {
                    eprintln!("invalidation {number}: {error}");
                    connection = Connection::open(address).await?;
                    false
                }
            };
            took.push((is_done, begun, Instant::now()));
            if number == BEFORE
                && let Some(begins) = begins.take()
            {
                begins.send(()).map_err(|()| io::ErrorKind::BrokenPipe)?;
            }
        }
        io::Result::Ok(took)
    });
    begun.await.map_err(io::Error::other)?;
    let mut reading = JoinSet::new();
    for (mut connection, request) in connections.into_iter().zip(requests) {
        reading.spawn(async move {
            let begun = Instant::now();
            connection.ask(&request).await?;
            io::Result::Ok((begun, Instant::now()))
        });
    }
    let mut seen = Seen::default();
    let mut last = None;
    while let Some(done) = reading.join_next().await {
        let (begun, ended) = done.map_err(io::Error::other)??;
        seen.slowest_read = seen.slowest_read.max(ended - begun);
        last = last.max(Some(ended));
    }
    for (is_done, begun, ended) in invalidating.await.map_err(io::Error::other)?? {
        seen.acknowledged += usize::from(is_done);
        seen.slowest_invalidation = seen.slowest_invalidation.max(ended - begun);
        seen.meanwhile += usize::from(Some(ended) < last);
    }
    Ok(seen)
}
