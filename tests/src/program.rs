//! Programs that serve, as child processes.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};

use crate::Connection;

/// A program of ours, with an environment of its own.
#[derive(Debug)]
pub struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
    printed: String,
    /// Read all along: a program that nobody reads stops when the pipe is full.
    errors: Option<JoinHandle<String>>,
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Program {
    /// Starts it, with nothing in the environment but these variables.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start(path: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_in(Path::new("."), path, arguments, environment)
    }

    /// The same in another directory.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start_in(
        directory: &Path,
        path: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = Command::new(path);
        command.args(arguments).current_dir(directory).env_clear();
        command.envs(environment.iter().copied());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let output = child.stdout.take().expect("it is piped");
        let mut errors = child.stderr.take().expect("it is piped");
        let errors = thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).expect("text");
            text
        });
        Self {
            child,
            output: BufReader::new(output),
            printed: String::new(),
            errors: Some(errors),
        }
    }

    /// Waits for it to say where it serves.
    ///
    /// # Panics
    ///
    /// If it ends without.
    pub fn address(&mut self) -> SocketAddr {
        loop {
            let start = self.printed.len();
            let length = self.output.read_line(&mut self.printed).expect("a text");
            if length == 0 {
                panic!("it serves: {:?} {}", self.child.wait(), self.complaints());
            }
            if let Some(address) = self.printed[start..].strip_prefix("serving http://") {
                return address.trim_end().parse().expect("an address");
            }
        }
    }

    /// Opens a connection to it.
    pub fn connect(&mut self) -> Connection {
        Connection::open(self.address())
    }

    /// Sends it a signal, by its name.
    ///
    /// # Panics
    ///
    /// If there is no `kill`.
    pub fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        kill.args(["-s", name, &self.child.id().to_string()]);
        assert!(kill.status().expect("there is a `kill`").success());
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// If what it printed is no text.
    #[must_use]
    pub fn end(mut self) -> Ended {
        self.output.read_to_string(&mut self.printed).expect("text");
        let stderr = self.complaints();
        Ended {
            code: self.child.wait().expect("it is ours").code(),
            stdout: std::mem::take(&mut self.printed),
            stderr,
        }
    }

    /// All that it wrote to stderr, once it has ended.
    fn complaints(&mut self) -> String {
        let errors = self.errors.take().expect("it ends once");
        errors.join().expect("text")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Only where a test failed before the end.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
