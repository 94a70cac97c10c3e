//! What a request costs, in instructions, over a real socket with keep-alive.
//!
//! `cargo run --release -p tests --bin load` runs each server under callgrind, twice, with two
//! numbers of requests, and prints the difference per request: what starting up costs drops out.
//! Wants `valgrind`; clock speed and load of the machine do not matter.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, ExitCode, Stdio};

mod server;

use server::Kind;

/// Requests of the two runs whose difference is measured.
const FEW: u64 = 500;
const MANY: u64 = 2500;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let result = match arguments.next().as_deref() {
        Some("server") => server::run(&arguments.next().unwrap_or_default()),
        Some(other) => Err(io::Error::other(format!("unknown command `{other}`"))),
        None => compare(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a table of every kind of server.
fn compare() -> io::Result<()> {
    let mut baseline = 1.0;
    println!(
        "{:<44} {:>12} {:>7}",
        "one request", "instructions", "ratio"
    );
    for kind in &server::KINDS {
        let few = instructions(kind, FEW)?;
        let many = instructions(kind, MANY)?;
        let each = many.saturating_sub(few) as f64 / (MANY - FEW) as f64;
        if kind.name.starts_with("plain") {
            baseline = each;
        }
        let ratio = each / baseline;
        println!("{:<44} {each:>12.0} {ratio:>7.3}", kind.what);
    }
    Ok(())
}

/// Serves this many requests under callgrind and returns how many instructions it took in all.
fn instructions(kind: &Kind, requests: u64) -> io::Result<u64> {
    let out = std::env::temp_dir().join(format!("callgrind.{}.{}", std::process::id(), kind.name));
    let mut server = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(["server", kind.name])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| io::Error::other(format!("valgrind cannot be run: {error}")))?;
    let result = ask(&mut server, kind.path, requests);
    // It was asked to stop, unless something failed.
    if result.is_err() {
        server.kill()?;
    }
    server.wait()?;
    result?;
    let profile = std::fs::read_to_string(&out)?;
    std::fs::remove_file(&out)?;
    profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok())
        .ok_or_else(|| io::Error::other("callgrind counted nothing"))
}

/// Sends requests one after the other on one connection, then the one that ends the server.
fn ask(server: &mut Child, path: &str, requests: u64) -> io::Result<()> {
    let stdout = server.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut address = String::new();
    BufReader::new(stdout).read_line(&mut address)?;
    let mut connection = Connection::open(address.trim())?;
    for _ in 0..requests {
        connection.get(path)?;
    }
    connection.get(server::STOP)
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; 16 * 1024],
        })
    }

    /// Sends one request and reads its response, whose length is in its head.
    fn get(&mut self, path: &str) -> io::Result<()> {
        write!(
            self.stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )?;
        let mut read = 0;
        loop {
            let count = self.stream.read(&mut self.buffer[read..])?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            read += count;
            let text = String::from_utf8_lossy(&self.buffer[..read]);
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            if !head.starts_with("HTTP/1.1 200") {
                return Err(io::Error::other(format!("unexpected answer: {head}")));
            }
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Ok(());
            }
        }
    }
}
