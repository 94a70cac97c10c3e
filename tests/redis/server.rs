//! Redis servers, as child processes.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tests::free_port;

/// The name of the log in a server's directory.
const LOG: &str = "log";
/// The name of the file in which a sentinel keeps what it knows.
const SENTINEL: &str = "sentinel";

/// A server on a free port. Dropping it ends the server.
pub(crate) struct Redis {
    child: Child,
    pub(crate) port: u16,
    options: Vec<String>,
    directory: PathBuf,
}

impl Redis {
    /// Starts a server that keeps nothing on disk.
    pub(crate) fn start() -> Self {
        Self::with(&["--save", "", "--appendonly", "no"])
    }

    pub(crate) fn with(options: &[&str]) -> Self {
        Self::first_of((0..10).map(|_| free_port()), options, None)
    }

    pub(crate) fn on(port: u16) -> Self {
        Self::first_of([port], &["--save", ""], None)
    }

    /// Starts a sentinel with this configuration.
    pub(crate) fn sentinel(configuration: &str, options: &[&str]) -> Self {
        let ports = (0..10).map(|_| free_port());
        Self::first_of(ports, options, Some(configuration))
    }

    /// Starts a server on the first of these ports on which it stays. Another process may take a
    /// port before the server does; then the server ends at once.
    fn first_of(
        ports: impl IntoIterator<Item = u16>,
        options: &[&str],
        sentinel: Option<&str>,
    ) -> Self {
        let mut said = String::new();
        for port in ports {
            let mut server = Self::spawn(port, options, sentinel);
            if server.ready() {
                return server;
            }
            said = server.said();
        }
        panic!("redis-server ends at once with {options:?}: {said}");
    }

    /// Returns the log of the server, which has only warnings and errors.
    fn said(&self) -> String {
        fs::read_to_string(self.directory.join(LOG)).unwrap_or_default()
    }

    fn spawn(port: u16, options: &[&str], sentinel: Option<&str>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("route-redis-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        if let Some(configuration) = sentinel {
            fs::write(directory.join(SENTINEL), configuration).unwrap();
        }
        let options: Vec<_> = options.iter().map(|&it| it.to_owned()).collect();
        Self {
            child: spawn(port, &options, &directory),
            port,
            options,
            directory,
        }
    }

    /// Waits until the server answers or has ended. Returns whether it answers.
    fn ready(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                // An error is an answer, too.
                let asked = stream.write_all(b"PING\r\n");
                if asked
                    .and_then(|()| stream.read(&mut [0; 1]))
                    .is_ok_and(|read| read == 1)
                {
                    return true;
                }
            }
            assert!(Instant::now() < deadline, "it answers: {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns the directory in which the server keeps what it has on disk.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Kills the server, as a crash does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts the server again, on the same port, with what it had on disk.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(self.port, &self.options, &self.directory);
        assert!(self.ready(), "it starts again: {}", self.said());
    }

    pub(crate) fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        kill.args(["-s", name, &self.child.id().to_string()]);
        assert!(kill.status().unwrap().success());
    }

    /// Sends a command on a connection of its own. Returns the answer as text.
    pub(crate) fn ask(&self, command: &[&str]) -> String {
        self.ask_all(&[command])
    }

    /// Sends a command for one of the server's databases.
    pub(crate) fn ask_in(&self, database: &str, command: &[&str]) -> String {
        self.ask_all(&[&["SELECT", database], command])
    }

    /// Sends a command to a server that has a password.
    pub(crate) fn ask_as(&self, password: &str, command: &[&str]) -> String {
        self.ask_all(&[&["AUTH", password], command])
    }

    /// Sends commands on a connection of their own. Returns the last answer.
    fn ask_all(&self, commands: &[&[&str]]) -> String {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).unwrap());
        let mut last = String::new();
        for command in commands {
            let mut packed = format!("*{}\r\n", command.len());
            for part in *command {
                packed += &format!("${}\r\n{part}\r\n", part.len());
            }
            stream.get_mut().write_all(packed.as_bytes()).unwrap();
            last = answer(&mut stream);
        }
        last
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        fs::remove_dir_all(&self.directory).ok();
    }
}

fn spawn(port: u16, options: &[String], directory: &Path) -> Child {
    let program = std::env::var("REDIS_SERVER");
    let mut command = Command::new(program.as_deref().unwrap_or("redis-server"));
    let sentinel = directory.join(SENTINEL);
    if sentinel.exists() {
        command.arg(sentinel).arg("--sentinel");
    }
    command.args(["--bind", "127.0.0.1", "--loglevel", "warning", "--dir"]);
    command.arg(directory).args(["--port", &port.to_string()]);
    // The server reports some errors on stdout and some on stderr. Both go to a file, because
    // nobody would read a pipe.
    let log = directory.join(LOG);
    let log = File::options().create(true).append(true).open(log).unwrap();
    command.args(options).stdout(log.try_clone().unwrap());
    command.stderr(log).stdin(Stdio::null());
    command.spawn().expect("redis-server is installed")
}

fn answer(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let (kind, rest) = line.trim_end().split_at(1);
    match kind {
        "*" => {
            let parts: Vec<_> = (0..rest.parse().unwrap()).map(|_| answer(stream)).collect();
            parts.join("\n")
        }
        "$" if rest == "-1" => "(none)".to_owned(),
        "$" => {
            let mut text = vec![0; rest.parse::<usize>().unwrap() + 2];
            stream.read_exact(&mut text).unwrap();
            text.truncate(text.len() - 2);
            String::from_utf8_lossy(&text).into_owned()
        }
        _ => rest.to_owned(),
    }
}

#[test]
#[should_panic(expected = "no-such-option")]
fn a_server_that_does_not_start_reports_why() {
    Redis::with(&["--no-such-option", "yes"]);
}
