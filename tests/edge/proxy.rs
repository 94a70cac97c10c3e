//! A proxy as a child process.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tests::{Directory, free_port};

/// A time far longer than a proxy takes to start or to end, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The name of the file in a proxy's directory that gets what the proxy prints.
const LOG: &str = "log";

/// A place for a proxy: a free port and a directory of its own.
pub(crate) struct Place {
    port: u16,
    directory: Directory,
    origin: SocketAddr,
}

/// A running proxy. Dropping it ends the proxy and removes its files.
pub(crate) struct Proxy {
    name: &'static str,
    child: Child,
    pub(crate) address: SocketAddr,
    directory: Directory,
}

impl Place {
    /// Makes a place for a proxy of this name, in front of the app or the proxy at this address.
    pub(crate) fn new(name: &str, origin: SocketAddr) -> Self {
        let port = free_port();
        let directory = Directory::new(&format!("edge-{name}-{port}"));
        Self {
            port,
            directory,
            origin,
        }
    }

    /// Returns the address on which the proxy has to listen.
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Returns the path of a file or folder in the proxy's directory.
    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    /// Returns a configuration of the guide with the ports of this test. In the guide, the app
    /// listens on port 3000 and the proxy on 8080.
    pub(crate) fn adapted(&self, configuration: &str) -> String {
        let adapted = configuration.replace("3000", &self.origin.port().to_string());
        adapted.replace("8080", &self.port.to_string())
    }

    /// Writes a file into the proxy's directory, and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).expect("the directory is there");
        path
    }

    /// Starts the proxy, and waits until it passes requests on to the app.
    ///
    /// # Panics
    ///
    /// If the proxy is not installed, ends, or does not answer in time.
    pub(crate) fn start(self, name: &'static str, program: &str, arguments: &[&str]) -> Proxy {
        let address = self.address();
        // Both streams go to a file, because nobody would read a pipe.
        let log = File::create(self.directory.join(LOG)).expect("the directory is there");
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("it is open"));
        command.stderr(log);
        // Only administrators have this folder in their path.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin"));
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{program} is not installed: {error}"));
        let mut proxy = Proxy {
            name,
            child,
            address,
            directory: self.directory,
        };
        proxy.wait_until_ready();
        proxy
    }
}

impl Proxy {
    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_ready() {
            let ended = self.child.try_wait().expect("it is ours");
            let has_time = Instant::now() < deadline;
            if ended.is_some() || !has_time {
                let log = fs::read_to_string(self.directory.join(LOG)).unwrap_or_default();
                panic!("{} does not start ({ended:?}): {log}", self.name);
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Returns whether a request reaches the app.
    fn is_ready(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.address) else {
            return false;
        };
        let mut status = [0; "HTTP/1.1 200".len()];
        let request = b"GET /requests/ready HTTP/1.1\r\nHost: test.example\r\n\r\n";
        let limit = stream.set_read_timeout(Some(PATIENCE));
        let asked = limit.and_then(|()| stream.write_all(request));
        let answered = asked.and_then(|()| stream.read_exact(&mut status));
        answered.is_ok() && status.ends_with(b"200")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The proxy ends its own child processes, which it could not do if it were killed.
        let mut kill = Command::new("kill");
        kill.args(["-s", "TERM", &self.child.id().to_string()]);
        kill.status().ok();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(10));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
