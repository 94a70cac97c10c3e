//! Faults of a Redis, and of the network between it and the instances.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tests::Program;

use super::history::Lost;
use super::scene::{ALL, INSTANCES, Kind, Scene, instance};
use crate::proxy::{Proxy, Way};
use crate::server::Redis;

/// The directory of the append-only file, in that of the server.
const LOG: &str = "appendonlydir";

/// A Redis that writes everything to its append-only file before it answers.
pub(super) struct BehindRedis {
    server: Redis,
    proxies: Vec<Proxy>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum RedisFault {
    /// The server is killed, and comes back with everything.
    Killed,
    /// The server is killed, and comes back with nothing.
    RestartedEmpty,
    /// The server is emptied while it runs.
    Emptied,
    /// The server is killed, and comes back as it was earlier.
    CameBackOlder,
    /// The server has no room for anything more.
    Full,
    /// The process of the server is stopped.
    Stopped,
    /// The server lets its clients wait.
    Paused,
    /// Instances are cut off: their connections are closed.
    CutOff,
    /// Instances are cut off: their connections stay, and what is sent on them is lost.
    HalfOpen,
    /// Instances are cut off: their connections stay, and what is sent on them arrives later.
    Held,
    /// Answers to instances are held back.
    Late,
}

impl BehindRedis {
    pub(super) fn start() -> Self {
        let server = Redis::with(&[
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            // A copy of the file is then the beginning of what the file has later.
            "--auto-aof-rewrite-percentage",
            "0",
        ]);
        let proxies = (0..INSTANCES).map(|_| Proxy::to(&server)).collect();
        Self { server, proxies }
    }

    fn log(&self) -> PathBuf {
        self.server.directory().join(LOG)
    }

    /// Disturbs the network of some instances for a while.
    fn disturb(&self, way: Way, grace: Duration, scene: &mut Scene) {
        let instances = scene.some_instances();
        scene.say(&format!("{way:?} for {instances:?}"));
        let begun = Instant::now();
        for &instance in &instances {
            self.proxies[instance].set(way);
        }
        scene.last(self);
        for &instance in &instances {
            self.proxies[instance].set(Way::Open);
        }
        scene.trouble(instances, begun, grace);
    }
}

impl Kind for BehindRedis {
    type Fault = RedisFault;

    const FAULTS: &'static [RedisFault] = &[
        RedisFault::Killed,
        RedisFault::RestartedEmpty,
        RedisFault::Emptied,
        RedisFault::CameBackOlder,
        RedisFault::CameBackOlder,
        RedisFault::Full,
        RedisFault::Stopped,
        RedisFault::Paused,
        RedisFault::CutOff,
        RedisFault::HalfOpen,
        RedisFault::Held,
        RedisFault::Late,
    ];

    fn start(&self, number: usize, variables: &[(&str, &str)]) -> Program {
        instance(variables, ("ROUTE_CACHE_URL", &self.proxies[number].url()))
    }

    fn strike(&mut self, fault: RedisFault, scene: &mut Scene) {
        let begun = Instant::now();
        let all = ALL.to_vec();
        match fault {
            RedisFault::Killed => {
                self.server.kill();
                scene.last(self);
                self.server.restart();
                scene.trouble(all, begun, RECONNECT);
            }
            RedisFault::RestartedEmpty => {
                self.server.kill();
                scene.last(self);
                fs::remove_dir_all(self.log()).unwrap();
                self.server.restart();
                scene.loss(Lost::All, begun);
                scene.trouble(all, begun, RECONNECT);
            }
            RedisFault::Emptied => {
                self.server.ask(&["FLUSHALL"]);
                scene.loss(Lost::All, begun);
            }
            RedisFault::CameBackOlder => {
                let older = self.server.directory().join("older");
                copy(&self.log(), &older);
                scene.last(self);
                let killed = Instant::now();
                self.server.kill();
                fs::remove_dir_all(self.log()).unwrap();
                fs::rename(older, self.log()).unwrap();
                let length = scene.random.millis(0..500);
                scene.wait(length);
                self.server.restart();
                scene.loss(Lost::Since(begun), killed);
                scene.trouble(all, killed, RECONNECT);
            }
            RedisFault::Full => {
                let memory = self.server.ask(&["INFO", "memory"]);
                let used = memory
                    .lines()
                    .find_map(|it| it.strip_prefix("used_memory:"));
                let used = used.expect("it says what it uses").trim_end();
                self.server.ask(&["CONFIG", "SET", "maxmemory", used]);
                scene.last(self);
                self.server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
                scene.trouble(all, begun, Duration::ZERO);
            }
            RedisFault::Stopped => {
                self.server.signal("STOP");
                scene.last(self);
                self.server.signal("CONT");
                scene.trouble(all, begun, RECONNECT);
            }
            RedisFault::Paused => {
                let length = scene.random.millis(100..2000);
                let millis = length.as_millis().to_string();
                self.server.ask(&["CLIENT", "PAUSE", &millis, "ALL"]);
                scene.wait(length);
                scene.trouble(all, begun, RECONNECT);
            }
            RedisFault::CutOff => self.disturb(Way::Closed, RECONNECT, scene),
            RedisFault::HalfOpen => self.disturb(Way::Lost, NOTICE, scene),
            RedisFault::Held => self.disturb(Way::Held, RECONNECT, scene),
            RedisFault::Late => {
                let by = scene.random.millis(100..2000);
                self.disturb(Way::Late(by), NOTICE, scene);
            }
        }
    }

    /// An instance that is stopped holds nothing that others need.
    fn disturbed_by_stopping(instance: usize) -> Vec<usize> {
        vec![instance]
    }
}

/// The longest time until an instance has a connection again, once it could have one. An attempt that
/// began before may take 2 s, and the next one follows after at most 1 s.
pub(super) const RECONNECT: Duration = Duration::from_millis(3500);

/// The longest time until an instance has another connection, if the one that it has is of no use.
/// Three calls fail after a second each, and a ping after 2 s.
pub(super) const NOTICE: Duration = Duration::from_secs(8);

/// Copies all files of a directory to another one.
fn copy(from: &Path, to: &Path) {
    fs::remove_dir_all(to).ok();
    fs::create_dir(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
