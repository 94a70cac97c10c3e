//! Measures how fast this project and other servers serve the same kilobyte, in one run. Each
//! server has one core, and the client another. The servers take turns, so that other load on the
//! machine affects all alike.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::chart;
use super::client::{self, Request, Until};
use super::process::{Process, free_port, is_installed, pinned};
use super::table::{Goal, Table, grouped, median};

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(400);
const CONNECTIONS: usize = 32;

/// A server that is measured.
struct Peer {
    what: &'static str,
    request: Request,
    process: Process,
    /// The server that it gets its responses from, if it does not make them itself.
    _backend: Option<Process>,
    rounds: Vec<Round>,
}

/// The requests per second of wall-clock time, and per second of CPU time.
struct Round {
    passed: f64,
    worked: f64,
}

const PLAIN: &str = "actix-web, `App::route`";
const HIT: &str = "**a hit**";
const DYNAMIC: &str = "**a dynamic route**";

type Start = fn(&Path) -> io::Result<Vec<Peer>>;

/// The programs that other servers need. A server whose program is not there is left out.
const OTHERS: [(&str, Start); 3] = [("nginx", nginx), ("varnishd", varnish), ("npm", next)];

pub(crate) fn table() -> io::Result<Table> {
    let directory = Directory::new()?;
    let mut peers = ours()?;
    let mut missing = Vec::new();
    for (program, start) in OTHERS {
        match is_installed(program) {
            true => peers.extend(start(&directory.0)?),
            false => missing.push(program),
        }
    }
    for _ in 0..=ROUNDS {
        for peer in &mut peers {
            peer.round()?;
        }
    }
    let mut table = Table::new(format!(
        "{CONNECTIONS} connections, one core, median of {ROUNDS} rounds | requests/s of CPU"
    ));
    let mut bars = Vec::new();
    for peer in &peers {
        let passed = median(peer.rounds().map(|round| round.passed).collect());
        let worked = median(peer.rounds().map(|round| round.worked).collect());
        let ratio = peer.ratio(&peers);
        let goal = peer.goal().map(|least| Goal::at_least(ratio, least));
        bars.push((peer.what.replace('`', ""), ratio));
        table.row(
            format!("{} | {}", peer.what, grouped(worked)),
            format!("{}/s", grouped(passed)),
            ratio,
            goal,
        );
    }
    for peer in missing {
        table.row(format!("`{peer}` is not installed |"), "", None, None);
    }
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers.svg");
    fs::write(
        &chart,
        chart::bars("Requests per second of CPU, beside actix-web", &bars),
    )?;
    println!("chart: {}\n", chart.display());
    Ok(table)
}

impl Peer {
    fn new(what: &'static str, path: &str, process: Process) -> Self {
        Self {
            what,
            request: Request::get(path),
            process,
            _backend: None,
            rounds: Vec::new(),
        }
    }

    fn round(&mut self) -> io::Result<()> {
        let (start, before) = (Instant::now(), self.process.cpu()?);
        let address = self.process.address;
        let requests = [self.request.clone()];
        let count = client::load(address, &requests, CONNECTIONS, Until::Passed(ROUND))? as f64;
        let worked = self.process.cpu()? - before;
        self.rounds.push(Round {
            passed: count / start.elapsed().as_secs_f64(),
            worked: count / worked.as_secs_f64(),
        });
        Ok(())
    }

    /// Returns the rounds without the first, in which everything was cold.
    fn rounds(&self) -> impl Iterator<Item = &Round> {
        self.rounds.iter().skip(1)
    }

    /// Returns the median ratio to the plain server, round by round.
    fn ratio(&self, peers: &[Self]) -> f64 {
        let plain = peers.iter().find(|peer| peer.what == PLAIN);
        let plain = plain.into_iter().flat_map(Self::rounds);
        let ratios = self.rounds().zip(plain);
        median(
            ratios
                .map(|(own, plain)| own.worked / plain.worked)
                .collect(),
        )
    }

    /// Returns the goal for our own servers: as fast as actix-web, less the noise of such a run.
    /// The counts of instructions tell the two apart.
    fn goal(&self) -> Option<f64> {
        matches!(self.what, HIT | DYNAMIC).then_some(0.95)
    }
}

/// Starts the servers that are in this program.
fn ours() -> io::Result<Vec<Peer>> {
    let peer = |what, server, path| io::Result::Ok(Peer::new(what, path, included(server)?));
    Ok(vec![
        peer(PLAIN, "actix-web", "/items/7")?,
        peer(HIT, "0", "/posts/7")?,
        peer(DYNAMIC, "0", "/items/7")?,
        peer("axum", "axum", "/posts/7")?,
        peer("axum-response-cache", "axum-response-cache", "/posts/7")?,
    ])
}

fn included(server: &str) -> io::Result<Process> {
    Process::of_ours(pinned(std::env::current_exe()?), server)
}

/// Starts nginx twice: for a file, and for its cache.
fn nginx(directory: &Path) -> io::Result<Vec<Peer>> {
    let backend = included("actix-web")?;
    let start = |directory: PathBuf| {
        fs::create_dir_all(directory.join("posts"))?;
        fs::write(directory.join("posts/7"), [b'7'; 1024])?;
        let port = free_port()?;
        let config = include_str!("../peers/nginx.conf")
            .replace("{port}", &port.to_string())
            .replace("{backend}", &backend.address.to_string());
        fs::write(directory.join("nginx.conf"), config)?;
        let mut command = pinned("nginx");
        command
            .arg("-p")
            .arg(directory)
            .args(["-c", "nginx.conf", "-e", "stderr"]);
        Process::of_others(command, port)
    };
    let file = start(directory.join("file"))?;
    let cache = start(directory.join("cache"))?;
    Ok(vec![
        Peer::new("nginx, a file", "/posts/7", file),
        Peer {
            _backend: Some(backend),
            ..Peer::new("nginx, `proxy_cache`", "/cached/posts/7", cache)
        },
    ])
}

fn varnish(directory: &Path) -> io::Result<Vec<Peer>> {
    let backend = included("actix-web")?;
    let vcl = include_str!("../peers/varnish.vcl")
        .replace("{host}", &backend.address.ip().to_string())
        .replace("{port}", &backend.address.port().to_string());
    let file = directory.join("varnish.vcl");
    fs::write(&file, vcl)?;
    let port = free_port()?;
    let mut command = pinned("varnishd");
    command
        .arg("-F")
        .args(["-a", &format!("127.0.0.1:{port}")])
        .arg("-f")
        .arg(file)
        .arg("-n")
        .arg(directory.join("varnish"));
    Ok(vec![Peer {
        _backend: Some(backend),
        ..Peer::new("Varnish", "/posts/7", Process::of_others(command, port)?)
    }])
}

/// Installs, builds and starts Next.js, in a directory that is kept because this takes a while.
fn next(_: &Path) -> io::Result<Vec<Peer>> {
    let directory = std::env::current_exe()?.with_file_name("next");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/next");
    for file in ["package.json", "app/layout.js", "app/posts/[id]/route.js"] {
        let copy = directory.join(file);
        fs::create_dir_all(copy.parent().unwrap_or(&directory))?;
        fs::copy(source.join(file), copy)?;
    }
    for arguments in [
        &["install", "--no-audit", "--no-fund"][..],
        &["run", "build"],
    ] {
        let mut npm = Command::new("npm");
        npm.args(arguments).current_dir(&directory);
        npm.env("NEXT_TELEMETRY_DISABLED", "1");
        let output = npm.stdin(Stdio::null()).output()?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(io::Error::other(format!("{npm:?}: {why}")));
        }
    }
    let port = free_port()?;
    let mut command = pinned("node");
    command
        .arg("node_modules/next/dist/bin/next")
        .args(["start", "-H", "127.0.0.1", "-p", &port.to_string()])
        .env("NEXT_TELEMETRY_DISABLED", "1")
        .current_dir(&directory);
    let process = Process::of_others(command, port)?;
    Ok(vec![Peer::new(
        "Next.js 14, `next start`",
        "/posts/7",
        process,
    )])
}

/// A temporary directory for the files of servers.
struct Directory(PathBuf);

impl Directory {
    fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("load.{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
