//! Servers in processes of their own: where they run, and what they use. Linux only.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The core of what is measured; clients have the other.
const CORE: &str = "0";
const CLIENTS: &str = "1";

/// How long a server may take to be there.
const PATIENCE: Duration = Duration::from_secs(300);

/// A server. It ends with this value.
pub(crate) struct Process {
    child: Child,
    /// One of ours ends when this is closed.
    stdin: Option<ChildStdin>,
    pub(crate) address: SocketAddr,
}

/// Lets this process and those it starts open as many connections as are measured.
pub(crate) fn allow_connections() -> io::Result<()> {
    let id = std::process::id().to_string();
    let done = Command::new("prlimit")
        .args(["--pid", &id, "--nofile=12000:"])
        .status()?;
    done.success()
        .then_some(())
        .ok_or_else(|| io::Error::other("prlimit failed: 12 000 files have to be open at once"))
}

/// Keeps this process, which is all clients, off the core of what is measured.
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
    // What is allowed changes once this process is pinned.
    fs::read_to_string("/sys/devices/system/cpu/online").is_ok_and(|cores| cores.trim() != "0")
}

/// A command that runs on the core of what is measured.
pub(crate) fn pinned(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !has_two_cores() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", CORE]).arg(program);
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
        // It may print more, to nobody.
        thread::spawn(move || io::copy(&mut stdout, &mut io::sink()));
        Ok(Self {
            child,
            stdin,
            address,
        })
    }

    /// Starts a server that has been told this port, and waits until it listens.
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

    /// The time that it and the processes it started have spent on a core.
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

    /// The same, with what threads spent that have ended, and less exact: in hundredths.
    pub(crate) fn cpu_since_start(&self) -> io::Result<Duration> {
        let fields = stat(Path::new(&format!("/proc/{}", self.child.id())))?;
        ticks(&fields[USER..USER + 2])
    }

    /// Bytes of memory that are resident.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_ascii_whitespace().next());
        Ok(number(kilobytes)? * 1024)
    }

    /// It and all that descend from it.
    fn tree(&self) -> io::Result<Vec<u32>> {
        let mut tree = vec![self.child.id()];
        let mut parents = Vec::new();
        for process in fs::read_dir("/proc")? {
            let path = process?.path();
            let id = path
                .file_name()
                .and_then(|name| name.to_str()?.parse::<u32>().ok());
            // It may have ended since.
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

    /// Ends one of ours in order, so that it can say what it has counted.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        drop(self.stdin.take());
        self.child.wait().map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Those it started end with it, if they are asked, and not if it is killed.
        let ids = self.tree().unwrap_or_default();
        let _ = Command::new("kill")
            .args(ids.iter().map(u32::to_string))
            .stderr(Stdio::null())
            .status();
        let _ = self.child.wait();
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}

/// Whether there is a program of this name.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// What the processes have used that this one has waited for.
pub(crate) fn cpu_of_children() -> io::Result<Duration> {
    ticks(&stat(Path::new("/proc/self"))?[USER + 2..USER + 4])
}

fn parent(process: &Path) -> Option<u32> {
    stat(process).ok()?.get(1)?.parse().ok()
}

/// Where time in user mode stands in [`stat`]: there, in the kernel, and both of children.
const USER: usize = 11;

/// The fields of `/proc/…/stat`, behind the name, which may hold anything.
fn stat(process: &Path) -> io::Result<Vec<String>> {
    let text = fs::read_to_string(process.join("stat"))?;
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let fields: Vec<_> = fields.split_ascii_whitespace().map(String::from).collect();
    match fields.len() > USER + 4 {
        true => Ok(fields),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Linux tells hundredths, whatever it counts in.
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
