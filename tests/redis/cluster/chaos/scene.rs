//! Instances that share a store, and what is done to their processes.

use std::fmt::Debug;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tests::Program;

use super::super::{BOUND, INSTANCE};
use super::clients::{Connection, Process, Shared, TAGS, outcomes, paths, truth};
use super::history::{History, Loss, Lost, Outcome, Trouble};
use super::random::Random;

pub(super) const INSTANCES: usize = 3;

/// The time within which every instance is in contact with its store again, and can invalidate, once
/// everything is mended.
const SOON: Duration = Duration::from_secs(15);

/// A kind of store that instances share, and what can happen to it.
pub(super) trait Kind {
    type Fault: Copy + Debug + 'static;

    /// All faults of the store. A fault that is listed twice is twice as frequent.
    const FAULTS: &'static [Self::Fault];

    /// Makes the program of an instance, with these variables and those that name the store.
    fn start(&self, instance: usize, variables: &[(&str, &str)]) -> Program;

    /// Brings a fault about, lets it last for a while, and mends it. Records in the history which
    /// invalidations may be lost, and which instances may be unable to record one.
    fn strike(&mut self, fault: Self::Fault, scene: &mut Scene);

    /// Returns the instances that may be unable to record an invalidation while the process of this
    /// one is stopped.
    fn disturbed_by_stopping(instance: usize) -> Vec<usize>;
}

pub(super) struct Scene {
    pub(super) random: Random,
    pub(super) shared: Arc<Shared>,
    pub(super) history: History,
    programs: Vec<Option<Program>>,
    /// The number of processes that were started.
    started: usize,
    begun: Instant,
}

impl Scene {
    pub(super) fn new(kind: &impl Kind, seed: u64) -> Self {
        let begun = Instant::now();
        let mut scene = Self {
            random: Random::new(seed),
            shared: Arc::new(Shared::new(INSTANCES)),
            history: History::new(begun),
            programs: (0..INSTANCES).map(|_| None).collect(),
            started: 0,
            begun,
        };
        for instance in 0..INSTANCES {
            scene.start(kind, instance);
        }
        scene
    }

    /// Prints what is done, after the time since the beginning.
    pub(super) fn say(&self, what: &str) {
        println!("{:8.3} s  {what}", self.begun.elapsed().as_secs_f64());
    }

    pub(super) fn wait(&self, length: Duration) {
        thread::sleep(length);
    }

    /// Returns one instance, or more, at random.
    pub(super) fn some_instances(&mut self) -> Vec<usize> {
        let count = self.random.choose(&[1, 1, 1, 2, 3]);
        let mut instances = self.random.shuffled(&ALL);
        instances.truncate(count);
        instances
    }

    pub(super) fn program(&self, instance: usize) -> &Program {
        self.programs[instance].as_ref().expect("it runs")
    }

    /// Starts a process of an instance, and waits until it serves.
    fn start(&mut self, kind: &impl Kind, instance: usize) {
        let upstream = self.shared.upstream();
        let variables = [
            ("ROUTE_MODE", "production"),
            ("ROUTE_WORKERS", "1"),
            ("PORT", "0"),
            ("UPSTREAM", &*upstream),
        ];
        let mut program = kind.start(instance, &variables);
        let process = Process {
            number: self.started,
            address: program.address(),
        };
        self.started += 1;
        self.programs[instance] = Some(program);
        self.shared.set_process(instance, Some(process));
        let number = process.number;
        self.say(&format!("instance {instance} is process {number}"));
    }

    /// Kills the process of an instance, and starts another one after a while.
    pub(super) fn restart(&mut self, kind: &impl Kind, instance: usize) {
        let process = self.shared.process(instance).expect("it runs");
        self.history.killed.insert(process.number, Instant::now());
        self.shared.set_process(instance, None);
        // The process is killed when the program is dropped.
        self.programs[instance] = None;
        self.say(&format!("process {} is killed", process.number));
        let length = self.random.millis(0..1500);
        self.wait(length);
        self.start(kind, instance);
    }

    /// Waits while a fault of the store lasts. Meanwhile, an instance may be killed and started again.
    pub(super) fn last(&mut self, kind: &impl Kind) {
        let length = self.random.millis(100..2000);
        self.wait(length);
        if self.random.one_in(4) {
            let instance = self.random.below(INSTANCES);
            self.restart(kind, instance);
        }
    }

    /// Stops the process of an instance for a while, as a machine that runs out of memory does.
    pub(super) fn stop<K: Kind>(&mut self, instance: usize) {
        let begun = Instant::now();
        self.program(instance).signal("STOP");
        let length = self.random.millis(1000..4000);
        self.wait(length);
        self.program(instance).signal("CONT");
        self.history.stopped.push((begun, Instant::now()));
        // What the process had asked when it was stopped has not been answered in time.
        let disturbed = K::disturbed_by_stopping(instance);
        self.trouble(disturbed, begun, Duration::from_secs(2));
    }

    /// Records that these instances were unable to record invalidations from `begun` until now, and
    /// may still be for the time of `grace`.
    pub(super) fn trouble(&mut self, instances: Vec<usize>, begun: Instant, grace: Duration) {
        self.history.troubles.push(Trouble {
            instances,
            begun,
            mended: Instant::now(),
            grace,
        });
    }

    /// Records that the store may have lost invalidations from `begun` until now.
    pub(super) fn loss(&mut self, of: Lost, begun: Instant) {
        let ended = Instant::now();
        self.history.losses.push(Loss { of, begun, ended });
    }

    /// Waits until every instance says that it knows what the others have invalidated.
    pub(super) fn await_contact(&self) {
        let begun = Instant::now();
        for instance in ALL {
            let process = self.shared.process(instance).expect("it runs");
            let mut connection = Connection::open(process).expect("it listens");
            loop {
                let response = connection.send("GET", "/home").expect("an answer");
                let cache_status = response.cache_status;
                if cache_status.starts_with("route; hit") && !cache_status.contains("unverified") {
                    break;
                }
                assert!(
                    begun.elapsed() < SOON,
                    "instance {instance} is in contact again: {cache_status}"
                );
                thread::sleep(Duration::from_millis(20));
            }
        }
        self.say(&format!("all are in contact after {:?}", begun.elapsed()));
    }

    /// Invalidates every tag on every instance, each of which then has to serve what is new.
    pub(super) fn agree(&mut self) {
        let connect = |instance| {
            let process = self.shared.process(instance).expect("it runs");
            Connection::open(process).expect("it listens")
        };
        let mut connections: Vec<_> = ALL.iter().map(|&it| connect(it)).collect();
        for instance in ALL {
            for tag in TAGS {
                let begun = Instant::now();
                let (newest, ended) = loop {
                    let connection = &mut connections[instance];
                    let change = self.shared.change(connection, instance, tag);
                    self.history.changes.push(change.clone());
                    if change.outcome == Outcome::Done {
                        break (change.truth, change.ended);
                    }
                    // The machine may be slow, which the history tells.
                    assert!(begun.elapsed() < SOON, "{:?}", change.outcome);
                    thread::sleep(Duration::from_millis(100));
                };
                let paths = paths();
                let tagged = paths.iter().filter(|(_, of)| *of == Some(tag));
                for (path, _) in tagged {
                    for connection in &mut connections {
                        loop {
                            let response = connection.send("GET", path).expect("an answer");
                            if truth(&response) == Some(newest) {
                                break;
                            }
                            assert!(ended.elapsed() < SOON, "{path}: {}", response.body);
                            thread::sleep(Duration::from_millis(5));
                        }
                    }
                }
            }
        }
        self.say("all agree");
    }

    /// Prints what happened, and fails if the promise was broken.
    pub(super) fn judge(&self) {
        let history = &self.history;
        let report = history.check();
        println!(
            "{} requests: {} hits, {} marked as unverified, {} older than what the store lost, {} cut \
             off; the slowest took {:?}",
            history.answers.len() + history.failures.len(),
            report.hits,
            report.unverified,
            report.excused,
            history.failures.len(),
            report.slowest,
        );
        println!(
            "{} invalidations: {:?}; {} losses, noticed within {:?}; {} processes",
            history.changes.len(),
            outcomes(&history.changes),
            history.losses.len(),
            report.longest_contact,
            self.started,
        );
        let violations = &report.violations;
        let shown = &violations[..violations.len().min(20)];
        assert!(
            violations.is_empty(),
            "{} violations: {shown:#?}\nlosses: {:#?}",
            violations.len(),
            self.losses()
        );
        // Otherwise nothing was tried.
        let done = outcomes(&history.changes)["acknowledged"];
        assert!(report.hits > history.answers.len() / 4 && done > 10);
    }

    /// Describes the losses by the time since the beginning.
    fn losses(&self) -> Vec<String> {
        let at = |moment| self.history.at(moment);
        let losses = self.history.losses.iter();
        losses
            .map(|it| {
                format!(
                    "{:.3} s to {:.3} s: {:?}",
                    at(it.begun),
                    at(it.ended),
                    it.of
                )
            })
            .collect()
    }
}

pub(super) const ALL: [usize; INSTANCES] = [0, 1, 2];

/// Makes the program of an instance.
pub(super) fn instance(variables: &[(&str, &str)], store: (&str, &str)) -> Program {
    let variables = [variables, &[store]].concat();
    Program::start(INSTANCE, &[], &variables)
}

/// The time within which others learn of an invalidation, and a little more.
pub(super) const A_WHILE: Duration = Duration::from_millis(BOUND.as_millis() as u64 + 200);
