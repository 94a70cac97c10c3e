//! Servers in processes of their own: the core they run on, and what they use. Linux only.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The core of the measured server. Clients have the other one.
const CORE: &str = "0";
const CLIENTS: &str = "1";

/// The time that a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running server. Dropping this value ends it.
pub(crate) struct Process {
    child: Child,
    /// The standard input of a server of this program, which ends when the input is closed.
    stdin: Option<ChildStdin>,
    pub(crate) address: SocketAddr,
}

/// Lets this process and its children open as many connections as are measured.
pub(crate) fn allow_connections() -> io::Result<()> {
    let id = std::process::id().to_string();
    let done = Command::new("prlimit")
        .args(["--pid", &id, "--nofile=12000:"])
        .status()?;
    done.success()
        .then_some(())
        .ok_or_else(|| io::Error::other("prlimit failed: 12 000 files have to be open at once"))
}

/// Keeps this process, which runs all clients, off the core of the measured server.
pub(crate) fn pin_clients() -> io::Result<()> {
    if !has_two_cores() {
        println!("there is one core: clients and servers share it, and only ratios tell anything");
        return Ok(());
    }
    let id = std::process::id().to_string();
    let done = Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", CLIENTS, &id])
        .stdout(Stdio::null())
        .status()?;
    done.success()
        .then_some(())
        .ok_or_else(|| io::Error::other("taskset failed"))
}

fn has_two_cores() -> bool {
    // Not the cores that this process may use: those change once it is pinned.
    fs::read_to_string("/sys/devices/system/cpu/online").is_ok_and(|cores| cores.trim() != "0")
}

/// Returns a command that runs on the core of the measured server.
pub(crate) fn pinned(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !has_two_cores() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", CORE]).arg(program);
    command
}

/// Returns a command that runs on every core, beside the clients.
pub(crate) fn on_all_cores(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !has_two_cores() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0,1"]).arg(program);
    command
}

impl Process {
    /// Starts one of the servers of this program, which prints its address.
    pub(crate) fn of_ours(mut command: Command, name: &str) -> io::Result<Self> {
        let mut child = command
            .args(["server", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed_to_start(&command, &error))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        let address = loop {
            line.clear();
            if stdout.read_line(&mut line)? == 0 {
                return Err(io::Error::other(format!("{command:?} printed no address")));
            }
            let address = line.strip_prefix("serving http://").unwrap_or(&line);
            if let Ok(address) = address.trim().parse() {
                break address;
            }
        };
        // The server may print more, which is discarded.
        thread::spawn(move || io::copy(&mut stdout, &mut io::sink()));
        Ok(Self {
            child,
            stdin,
            address,
        })
    }

    /// Starts a server of another program, which uses this port, and waits until it listens.
    pub(crate) fn of_others(mut command: Command, port: u16) -> io::Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| failed_to_start(&command, &error))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut process = Self {
            child,
            stdin: None,
            address,
        };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = process.child.try_wait()? {
                return Err(io::Error::other(format!("{command:?}: {status}")));
            }
            if start.elapsed() > PATIENCE {
                return Err(io::Error::other(format!("{command:?} does not listen")));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(process)
    }

    /// Returns the CPU time of the threads of the server, and of the processes that it started.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        let mut nanos = 0;
        for id in self.tree()? {
            for task in fs::read_dir(format!("/proc/{id}/task"))? {
                let stat = fs::read_to_string(task?.path().join("schedstat"))?;
                nanos += number(stat.split_ascii_whitespace().next())?;
            }
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Returns the CPU time of the server, including threads that have ended. Less exact than
    /// `cpu`: in hundredths of a second.
    pub(crate) fn cpu_since_start(&self) -> io::Result<Duration> {
        let fields = stat(Path::new(&format!("/proc/{}", self.child.id())))?;
        ticks(&fields[USER..USER + 2])
    }

    /// Returns the resident memory in bytes.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_ascii_whitespace().next());
        Ok(number(kilobytes)? * 1024)
    }

    /// Returns the ids of the server's process and of all its descendants.
    fn tree(&self) -> io::Result<Vec<u32>> {
        let mut tree = vec![self.child.id()];
        let mut parents = Vec::new();
        for process in fs::read_dir("/proc")? {
            let path = process?.path();
            let id = path
                .file_name()
                .and_then(|name| name.to_str()?.parse::<u32>().ok());
            // The process may have ended since.
            if let (Some(id), Some(parent)) = (id, parent(&path)) {
                parents.push((id, parent));
            }
        }
        let mut done = 0;
        while let Some(id) = tree.get(done).copied() {
            let children = parents.iter().filter(|(_, parent)| *parent == id);
            tree.extend(children.map(|(child, _)| *child));
            done += 1;
        }
        Ok(tree)
    }

    /// Ends a server of this program in order, so that callgrind can write what it has counted.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        drop(self.stdin.take());
        self.child.wait().map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The signal asks every process of the tree to end. If only the server were killed, the
        // processes that it started would stay.
        let ids = self.tree().unwrap_or_default();
        let _ = Command::new("kill")
            .args(ids.iter().map(u32::to_string))
            .stderr(Stdio::null())
            .status();
        let _ = self.child.wait();
    }
}

/// Returns a port that is free now.
pub(crate) fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}

/// Returns whether there is a program of this name.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// Returns the CPU time of the child processes that this process has waited for.
pub(crate) fn cpu_of_children() -> io::Result<Duration> {
    ticks(&stat(Path::new("/proc/self"))?[USER + 2..USER + 4])
}

fn parent(process: &Path) -> Option<u32> {
    stat(process).ok()?.get(1)?.parse().ok()
}

/// The index of the time in user mode in [`stat`]. The time in the kernel follows, then both times
/// of children.
const USER: usize = 11;

/// Returns the fields of `/proc/…/stat` after the name, which may contain anything.
fn stat(process: &Path) -> io::Result<Vec<String>> {
    let text = fs::read_to_string(process.join("stat"))?;
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let fields: Vec<_> = fields.split_ascii_whitespace().map(String::from).collect();
    match fields.len() > USER + 4 {
        true => Ok(fields),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Returns the sum of times. Linux reports hundredths of a second, whatever unit it counts in.
fn ticks(fields: &[String]) -> io::Result<Duration> {
    let mut ticks = 0;
    for field in fields {
        ticks += number(Some(field))?;
    }
    Ok(Duration::from_millis(ticks * 10))
}

fn number(text: Option<&str>) -> io::Result<u64> {
    let text = text.ok_or(io::ErrorKind::InvalidData)?;
    text.parse().map_err(io::Error::other)
}

fn failed_to_start(command: &Command, error: &io::Error) -> io::Error {
    io::Error::other(format!("{command:?} cannot be started: {error}"))
}
