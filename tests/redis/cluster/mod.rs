//! Tests of whole programs behind one server: what a client sees of many instances of one app.

mod building;
mod chaos;
mod cutting;
mod invalidating;
mod leasing;
mod losing;
mod rendering;
mod sparing;
mod taking_over;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tests::{Connection, Program, Response, Upstream, request};

use crate::PATIENCE;
use crate::server::Redis;

const INSTANCE: &str = env!("CARGO_BIN_EXE_instance");

/// The variable for an instance that waits for its store for longer than usual.
const PATIENT: (&str, &str) = ("PATIENT", "yes");

/// The time after an invalidation in which other instances may still serve what it invalidated.
const BOUND: Duration = Duration::from_secs(1);

/// Instances of one app, their Redis, and the upstream that they get the truth from.
struct Cluster {
    instances: Vec<Instance>,
    redis: Redis,
    upstream: Upstream,
    /// The versions of the truth, each with the time at which its invalidation had resolved. Once
    /// [`BOUND`] has passed since then, no older version may be served.
    invalidated: Vec<(Instant, u32)>,
    _alone: MutexGuard<'static, ()>,
}

struct Instance {
    program: Program,
    address: SocketAddr,
}

/// A response, and when its request began.
#[derive(Debug)]
struct Seen {
    who: usize,
    path: String,
    begun: Instant,
    took: Duration,
    response: Response,
}

/// A render, as the body of its response describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rendered {
    process: u32,
    /// The number of this render among all renders of its path.
    number: u32,
    truth: u32,
}

/// Waits until no other test measures instances. They measure time, and would disturb each other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cluster {
    /// Starts three instances. Only one cluster runs at a time, because the tests measure it.
    fn start() -> Self {
        Self::with(&[])
    }

    fn with(environment: &[(&str, &str)]) -> Self {
        let mut cluster = Self::empty();
        for _ in 0..3 {
            cluster.add(environment);
        }
        cluster
    }

    fn empty() -> Self {
        let alone = alone();
        Self {
            instances: Vec::new(),
            redis: Redis::start(),
            upstream: Upstream::start(),
            invalidated: Vec::new(),
            _alone: alone,
        }
    }

    /// Starts another instance. `environment` adds to the usual variables, or replaces them.
    fn add(&mut self, environment: &[(&str, &str)]) -> &Instance {
        let (redis, upstream) = (self.redis.url(), self.upstream.url(""));
        let usual = [
            ("ROUTE_CACHE_URL", &*redis),
            ("ROUTE_MODE", "production"),
            ("ROUTE_WORKERS", "1"),
            ("PORT", "0"),
            ("UPSTREAM", &*upstream),
        ];
        let environment = [&usual, environment].concat();
        let mut program = Program::start(INSTANCE, &[], &environment);
        let address = program.address();
        self.instances.push(Instance { program, address });
        &self.instances[self.instances.len() - 1]
    }

    fn all(&self) -> impl Iterator<Item = &Instance> {
        self.instances.iter()
    }

    /// Returns how often an instance got no answer from the store in time. The instance then
    /// renders for itself, as it should, and the counts of a test are not what the test expects.
    fn failures(&self) -> u32 {
        let failures = |it: &Instance| {
            let stats = it.get("/stats");
            let failures = stats.text().split(' ').next();
            failures.and_then(|it| it.parse::<u32>().ok())
        };
        self.all().map(|it| failures(it).expect("a number")).sum()
    }

    /// Changes the truth, and invalidates on this instance what was made from an older one.
    fn change(&mut self, who: usize, truth: u32) {
        self.upstream.set_truth(truth);
        let response = self.instances[who].invalidate("items");
        assert_eq!(response.status, 200, "{}", response.text());
        self.invalidated.push((Instant::now(), truth));
    }

    /// Waits until all renders are written: an instance gives its lease back after that.
    fn settle(&self) {
        let leases = || self.redis.ask(&["KEYS", "*:l:*"]);
        eventually("nothing is leased", || leases().is_empty());
    }

    /// Waits until a condition is true of every instance.
    fn await_all(&self, what: &str, is_so: impl Fn(&Instance) -> bool) {
        for instance in &self.instances {
            eventually(what, || is_so(instance));
        }
    }

    /// Checks that no request failed, and that no response is older than is promised.
    #[track_caller]
    fn keeps_the_promise(&self, seen: &[Seen]) {
        assert!(!seen.is_empty());
        for it in seen {
            assert_eq!(it.response.status, 200, "{it:?}");
            if it.is_unverified() || it.path.starts_with("/brief") {
                continue;
            }
            let of = |&&(when, _): &&(Instant, u32)| it.begun > when + BOUND;
            let least = self
                .invalidated
                .iter()
                .filter(of)
                .map(|&(_, truth)| truth)
                .max();
            let least = least.unwrap_or_default();
            assert!(it.rendered().truth >= least, "{least}: {it:?}");
        }
    }
}

impl Instance {
    fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    fn get(&self, path: &str) -> Response {
        self.connect().send(&request("GET", path, &[], ""))
    }

    /// Requests a path, which has to be served. Returns the render that the response describes.
    #[track_caller]
    fn rendered(&self, path: &str) -> Rendered {
        let response = self.get(path);
        assert_eq!(response.status, 200, "{}", response.text());
        rendered(&response)
    }

    fn invalidate(&self, tag: &str) -> Response {
        let path = format!("/invalidate/{tag}");
        self.connect().send(&request("POST", &path, &[], ""))
    }

    fn is_unverified(&self, path: &str) -> bool {
        self.get(path).cache_status().contains("unverified")
    }
}

impl Seen {
    fn is_unverified(&self) -> bool {
        self.response.cache_status().contains("unverified")
    }

    fn is_hit(&self) -> bool {
        self.response.cache_status().starts_with("route; hit")
    }

    fn rendered(&self) -> Rendered {
        rendered(&self.response)
    }
}

#[track_caller]
fn rendered(response: &Response) -> Rendered {
    let numbers: Vec<u32> = response
        .text()
        .split(' ')
        .map(|number| number.parse().unwrap_or_else(|_| panic!("{response:?}")))
        .collect();
    let [process, number, truth] = numbers[..] else {
        panic!("{response:?}")
    };
    Rendered {
        process,
        number,
        truth,
    }
}

/// Clients that request some paths from every instance, over and over, until they are stopped.
struct Load {
    ends: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Vec<Seen>>>,
}

impl Load {
    /// Starts two clients for each instance. They are slow enough to leave time to the instances.
    fn on(cluster: &Cluster, paths: &[String]) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let client = |(who, instance): (usize, &Instance)| {
            let (ends, address) = (Arc::clone(&ends), instance.address);
            let paths = paths.to_vec();
            thread::spawn(move || ask(who, address, &paths, &ends))
        };
        let twice = || cluster.all().enumerate();
        let clients = twice().chain(twice()).map(client).collect();
        Self { ends, clients }
    }

    /// Stops the clients and returns all responses, client by client. Fails if one was cut off.
    fn end(self) -> Vec<Seen> {
        self.ends.store(true, Ordering::SeqCst);
        let seen = self.clients.into_iter().map(JoinHandle::join);
        seen.flat_map(|seen| seen.expect("every request is answered"))
            .collect()
    }
}

fn ask(who: usize, address: SocketAddr, paths: &[String], ends: &AtomicBool) -> Vec<Seen> {
    let mut connection = Connection::open(address);
    let mut seen = Vec::new();
    for path in paths.iter().cycle() {
        if ends.load(Ordering::SeqCst) {
            break;
        }
        let begun = Instant::now();
        let response = connection.send(&request("GET", path, &[], ""));
        seen.push(Seen {
            who,
            path: path.clone(),
            begun,
            took: begun.elapsed(),
            response,
        });
        thread::sleep(Duration::from_millis(3));
    }
    seen
}

fn paths(kind: &str, count: u32) -> Vec<String> {
    (0..count).map(|id| format!("/{kind}/{id}")).collect()
}

/// Waits until a condition is true, and fails if that takes longer than it may.
#[track_caller]
fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs an experiment that counts renders. Counts are exact only while the store answers. So the
/// instances wait for it longer than usual, and the experiment is repeated if one of them gave up.
fn undisturbed(experiment: impl Fn(&mut Cluster) -> Vec<String>) {
    for _ in 0..3 {
        let mut cluster = Cluster::with(&[PATIENT]);
        let wrong = experiment(&mut cluster);
        let failures = cluster.failures();
        if failures == 0 {
            assert!(wrong.is_empty(), "{wrong:#?}");
            return;
        }
        println!("once more: {failures} calls of the store failed");
    }
    panic!("this machine is too busy for a Redis to answer");
}

/// Describes the paths that all instances together did not render as often as expected.
fn renders_other_than(cluster: &Cluster, paths: &[String], expected: u32) -> Vec<String> {
    let renders = |path: &String| cluster.upstream.asked(&format!("/truth{path}"));
    let counts: BTreeMap<_, _> = paths.iter().map(|path| (path, renders(path))).collect();
    let others = counts.into_iter().filter(|&(_, count)| count != expected);
    others
        .map(|(path, count)| format!("{path}: {count} renders, and not {expected}"))
        .collect()
}
