//! Programs of this workspace, as child processes.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};

use crate::Connection;

/// A running program with an environment of its own.
#[derive(Debug)]
pub struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
    printed: String,
    /// The thread that reads stderr all along. Unread, a full pipe would stop the program.
    errors: Option<JoinHandle<String>>,
}

/// The exit code and the output of a program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// The text that the program printed.
    pub stdout: String,
    /// The text that the program wrote to stderr.
    pub stderr: String,
}

impl Program {
    /// Starts a program, with nothing in its environment but these variables.
    ///
    /// # Panics
    ///
    /// If the program does not start.
    #[must_use]
    pub fn start(path: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_in(Path::new("."), path, arguments, environment)
    }

    /// Starts a program in this directory, with nothing in its environment but these variables.
    ///
    /// # Panics
    ///
    /// If the program does not start.
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

    /// Waits until the program prints the address that it serves, and returns the address.
    ///
    /// # Panics
    ///
    /// If the program ends without printing one.
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

    /// Returns the address for operators, which the program has printed before the
    /// [address](Self::address) that it serves.
    ///
    /// # Panics
    ///
    /// If it has printed none.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        let mut lines = self.printed.lines();
        let address = lines.find_map(|line| line.strip_prefix("admin http://"));
        let address = address.expect("it has an address for operators");
        address.parse().expect("an address")
    }

    /// Opens a connection to the program.
    pub fn connect(&mut self) -> Connection {
        Connection::open(self.address())
    }

    /// Returns the id of the program's process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends the program the signal of this name.
    ///
    /// # Panics
    ///
    /// If the system has no `kill`, or it fails.
    pub fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        kill.args(["-s", name, &self.child.id().to_string()]);
        assert!(kill.status().expect("there is a `kill`").success());
    }

    /// Waits for the end of the program.
    ///
    /// # Panics
    ///
    /// If the program printed something that is not text.
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

    /// Waits until the program has closed stderr, and returns all that it wrote there.
    fn complaints(&mut self) -> String {
        let errors = self.errors.take().expect("it ends once");
        errors.join().expect("text")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The program still runs if nothing waited for its end, as when the test failed before.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
