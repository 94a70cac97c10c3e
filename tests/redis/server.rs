//! Redis servers, as child processes.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A server of its own on a free port; ends when it is dropped.
pub(crate) struct Redis {
    child: Child,
    pub(crate) port: u16,
    options: Vec<String>,
    directory: PathBuf,
}

impl Redis {
    /// A server that keeps nothing on the disk.
    pub(crate) fn start() -> Self {
        Self::with(&["--save", "", "--appendonly", "no"])
    }

    pub(crate) fn with(options: &[&str]) -> Self {
        loop {
            // Somebody else may take the port in between; then the server ends at once.
            let mut server = Self::spawn(free_port(), options);
            if server.ready() {
                break server;
            }
        }
    }

    pub(crate) fn on(port: u16) -> Self {
        let mut server = Self::spawn(port, &["--save", ""]);
        assert!(server.ready(), "nobody else has the port");
        server
    }

    fn spawn(port: u16, options: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("route-redis-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        let options: Vec<_> = options.iter().map(|&it| it.to_owned()).collect();
        Self {
            child: spawn(port, &options, &directory),
            port,
            options,
            directory,
        }
    }

    /// Waits until it answers, or has ended.
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
            assert!(Instant::now() < deadline, "it answers");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, on the same port, with what it had on the disk.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(self.port, &self.options, &self.directory);
        assert!(self.ready(), "it starts again");
    }

    pub(crate) fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        kill.args(["-s", name, &self.child.id().to_string()]);
        assert!(kill.status().unwrap().success());
    }

    /// Sends a command on a connection of its own, and returns what is answered, as text.
    pub(crate) fn ask(&self, command: &[&str]) -> String {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).unwrap());
        let mut packed = format!("*{}\r\n", command.len());
        for part in command {
            packed += &format!("${}\r\n{part}\r\n", part.len());
        }
        stream.get_mut().write_all(packed.as_bytes()).unwrap();
        answer(&mut stream)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        fs::remove_dir_all(&self.directory).ok();
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn spawn(port: u16, options: &[String], directory: &Path) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--loglevel", "warning", "--dir"]);
    command.arg(directory).args(["--port", &port.to_string()]);
    command
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
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
