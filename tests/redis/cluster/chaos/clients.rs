//! Clients that request and invalidate all the time, and record what they see.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tests::{Upstream, request};

use super::history::{Answer, Change, Failure, History, Outcome};
use super::random::Random;

/// The longest time that any response may take.
const LONGEST: Duration = Duration::from_secs(20);

/// The tags that are invalidated.
pub(super) const TAGS: [&str; 2] = ["items", "parts"];

/// A running process of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// The number of this process among all that were started.
    pub(super) number: usize,
    pub(super) address: SocketAddr,
}

/// The state that clients and the test share.
pub(super) struct Shared {
    /// The process of each instance, if it runs.
    processes: Vec<Mutex<Option<Process>>>,
    upstream: Upstream,
    /// The last version of the truth.
    truth: Mutex<u32>,
    ends: AtomicBool,
    /// Set while no more invalidations are to begin.
    is_quiet: AtomicBool,
}

impl Shared {
    pub(super) fn new(instances: usize) -> Self {
        Self {
            processes: (0..instances).map(|_| Mutex::default()).collect(),
            upstream: Upstream::start(),
            truth: Mutex::default(),
            ends: AtomicBool::new(false),
            is_quiet: AtomicBool::new(false),
        }
    }

    pub(super) fn upstream(&self) -> String {
        self.upstream.url("")
    }

    /// Returns the process of an instance, if it runs.
    pub(super) fn process(&self, instance: usize) -> Option<Process> {
        *lock(&self.processes[instance])
    }

    pub(super) fn set_process(&self, instance: usize, process: Option<Process>) {
        *lock(&self.processes[instance]) = process;
    }

    /// Changes the truth to a higher version, and returns that.
    fn next_truth(&self) -> u32 {
        let mut truth = lock(&self.truth);
        *truth += 1;
        self.upstream.set_truth(*truth);
        *truth
    }

    /// Changes the truth, and invalidates a tag on an instance.
    pub(super) fn change(
        &self,
        connection: &mut Connection,
        instance: usize,
        tag: &'static str,
    ) -> Change {
        let truth = self.next_truth();
        let path = format!("/invalidate/{tag}");
        let begun = Instant::now();
        let answer = connection.send("POST", &path);
        Change {
            instance,
            process: connection.process.number,
            tag,
            truth,
            begun,
            ended: Instant::now(),
            outcome: match answer {
                Ok(response) if response.status == 200 => Outcome::Done,
                Ok(Response { status, body, .. }) => Outcome::Refused(format!("{status} {body}")),
                Err(error) => Outcome::Gone(error.to_string()),
            },
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection to a process, which may be killed at any time.
pub(super) struct Connection {
    pub(super) process: Process,
    stream: BufReader<TcpStream>,
}

pub(super) struct Response {
    pub(super) status: u16,
    pub(super) cache_status: String,
    pub(super) body: String,
}

impl Connection {
    pub(super) fn open(process: Process) -> io::Result<Self> {
        let stream = TcpStream::connect(process.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LONGEST))?;
        Ok(Self {
            process,
            stream: BufReader::new(stream),
        })
    }

    pub(super) fn send(&mut self, method: &str, path: &str) -> io::Result<Response> {
        let request = request(method, path, &[], "");
        self.stream.get_mut().write_all(request.as_bytes())?;
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|it| it.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let (mut length, mut cache_status) = (0, String::new());
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            match &*name.to_lowercase() {
                "content-length" => length = value.parse().map_err(io::Error::other)?,
                "cache-status" => value.clone_into(&mut cache_status),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Response {
            status,
            cache_status,
            body: String::from_utf8(body).map_err(io::Error::other)?,
        })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// The clients of all instances, until they are ended.
pub(super) struct Clients {
    shared: Arc<Shared>,
    readers: Vec<JoinHandle<(Vec<Answer>, Vec<Failure>)>>,
    changers: Vec<JoinHandle<Vec<Change>>>,
}

impl Clients {
    /// Starts three clients for each instance: two that request, and one that invalidates.
    pub(super) fn start(shared: &Arc<Shared>, random: &mut Random) -> Self {
        let instances = 0..shared.processes.len();
        let mut changers = Vec::new();
        let mut readers = Vec::new();
        for instance in instances {
            for _ in 0..2 {
                let shared = Arc::clone(shared);
                readers.push(thread::spawn(move || read(instance, &shared)));
            }
            let (shared, random) = (Arc::clone(shared), Random::new(random.seed()));
            changers.push(thread::spawn(move || change(instance, &shared, random)));
        }
        Self {
            shared: Arc::clone(shared),
            readers,
            changers,
        }
    }

    /// Ends the clients that invalidate, and adds to the history what they did.
    pub(super) fn end_changes(&mut self, history: &mut History) {
        self.shared.is_quiet.store(true, Ordering::SeqCst);
        for client in self.changers.drain(..) {
            let changes = client.join().expect("a client records every failure");
            history.changes.extend(changes);
        }
    }

    /// Ends all clients, and adds to the history what they saw.
    pub(super) fn end(mut self, history: &mut History) {
        self.end_changes(history);
        self.shared.ends.store(true, Ordering::SeqCst);
        for client in self.readers.drain(..) {
            let (answers, failures) = client.join().expect("a client records every failure");
            history.answers.extend(answers);
            history.failures.extend(failures);
        }
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        // The test may have failed.
        self.shared.is_quiet.store(true, Ordering::SeqCst);
        self.shared.ends.store(true, Ordering::SeqCst);
    }
}

/// The connection of a client to an instance, which is made anew when the instance has another
/// process.
struct Client<'a> {
    instance: usize,
    shared: &'a Shared,
    connection: Option<Connection>,
}

impl Client<'_> {
    /// Returns the connection to the process that runs. Returns `None` if none runs, or the error if
    /// it does not accept connections.
    fn connection(&mut self) -> Option<Result<&mut Connection, (Process, io::Error)>> {
        let process = self.shared.process(self.instance)?;
        if self.connection.as_ref().map(|it| it.process) != Some(process) {
            let opened = Connection::open(process);
            // Another process may have got the port of one that was killed meanwhile.
            if self.shared.process(self.instance) != Some(process) {
                return None;
            }
            match opened {
                Ok(connection) => self.connection = Some(connection),
                Err(error) => return Some(Err((process, error))),
            }
        }
        self.connection.as_mut().map(Ok)
    }
}

/// The paths that a client requests, each with the tag that invalidates it.
pub(super) fn paths() -> Vec<(Arc<str>, Option<&'static str>)> {
    let numbered =
        |kind, count, tag| (0..count).map(move |id| (Arc::from(format!("/{kind}/{id}")), tag));
    numbered("item", 4, Some("items"))
        .chain(numbered("part", 4, Some("parts")))
        .chain([(Arc::from("/home"), Some("items"))])
        .chain(numbered("brief", 1, None))
        .collect()
}

fn read(instance: usize, shared: &Shared) -> (Vec<Answer>, Vec<Failure>) {
    let paths = paths();
    let mut known = Interned::default();
    let (mut answers, mut failures) = (Vec::new(), Vec::new());
    let mut client = Client {
        instance,
        shared,
        connection: None,
    };
    for (path, tag) in paths.iter().cycle() {
        if shared.ends.load(Ordering::SeqCst) {
            break;
        }
        let begun = Instant::now();
        let (process, answer) = match client.connection() {
            None => {
                thread::sleep(Duration::from_millis(5));
                continue;
            }
            Some(Ok(connection)) => (connection.process.number, connection.send("GET", path)),
            Some(Err((process, error))) => (process.number, Err(error)),
        };
        let ended = Instant::now();
        let failure = |why, is_gone| Failure {
            process,
            path: Arc::clone(path),
            begun,
            ended,
            why,
            is_gone,
        };
        match answer.map(|it| (truth(&it), it)) {
            Ok((Some(truth), response)) => answers.push(Answer {
                process,
                path: Arc::clone(path),
                tag: *tag,
                begun,
                ended,
                cache_status: known.intern(response.cache_status),
                truth,
            }),
            Ok((None, Response { status, body, .. })) => {
                failures.push(failure(format!("{status} {body}"), false));
            }
            Err(error) => {
                client.connection = None;
                failures.push(failure(error.to_string(), true));
                thread::sleep(Duration::from_millis(20));
            }
        }
        thread::sleep(Duration::from_millis(3));
    }
    (answers, failures)
}

/// Returns the version of the truth that a response shows, if it is what was requested.
pub(super) fn truth(response: &Response) -> Option<u32> {
    let truth = response.body.rsplit(' ').next()?;
    (response.status == 200).then(|| truth.parse().ok())?
}

/// Invalidates tags of one instance, at random intervals.
fn change(instance: usize, shared: &Shared, mut random: Random) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut client = Client {
        instance,
        shared,
        connection: None,
    };
    while !shared.is_quiet.load(Ordering::SeqCst) {
        let tag = random.choose(&TAGS);
        // The requests report a process that accepts no connections.
        if let Some(Ok(connection)) = client.connection() {
            changes.push(shared.change(connection, instance, tag));
        }
        // A server closes a connection that is idle for 5 s, even if a request has arrived at a
        // process that was stopped meanwhile. So no connection is left idle.
        client.connection = None;
        // The pauses are shorter than the bound, about as long, and longer.
        let pause = random.choose(&[0, 50, 150, 400, 400, 1000, 1500]);
        let until = Instant::now() + Duration::from_millis(pause + 5);
        while Instant::now() < until && !shared.is_quiet.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
    }
    changes
}

/// Texts of which there are few, each kept once.
#[derive(Default)]
struct Interned(HashSet<Arc<str>>);

impl Interned {
    fn intern(&mut self, text: String) -> Arc<str> {
        if let Some(known) = self.0.get(&*text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.0.insert(Arc::clone(&text));
        text
    }
}

/// Returns how many changes had each outcome.
pub(super) fn outcomes(changes: &[Change]) -> HashMap<&'static str, usize> {
    let mut counts = HashMap::new();
    for change in changes {
        let outcome = match change.outcome {
            Outcome::Done => "acknowledged",
            Outcome::Refused(_) => "refused",
            Outcome::Gone(_) => "not answered",
        };
        *counts.entry(outcome).or_default() += 1;
    }
    counts
}
