//! Faults of a Redis Cluster: of the servers that have the app's slot, and of the slot.

use std::time::{Duration, Instant};

use tests::Program;

use super::history::Lost;
use super::redis::{NOTICE, RECONNECT};
use super::scene::{ALL, Kind, Scene, instance};
use crate::server::Redis;
use crate::sharding::{Move, RECORD, Shards, eventually};

/// The server that shares the slots with the primary, and has no replica.
const OTHER: usize = 1;

/// The milliseconds of silence after which a server counts as lost.
const TIMEOUT: &str = "15000";

/// The time within which the servers do not vote for the replica of the same primary again: twice
/// [`TIMEOUT`], and a little more.
const VOTES: Duration = Duration::from_secs(31);

/// A Redis Cluster that keeps nothing on disk.
pub(super) struct BehindShards {
    shards: Shards,
    /// The server that has the app's slot, when nothing is wrong.
    primary: usize,
    replica: usize,
    /// The time of the last vote for a replica.
    voted: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum ShardFault {
    /// The primary is killed, and its replica takes over with everything.
    Killed,
    /// The primary is killed, and its replica takes over without the last invalidations.
    KilledAhead,
    /// The primary is killed, and comes back with nothing before its replica takes over.
    RestartedEmpty,
    /// The process of the primary is stopped.
    Stopped,
    /// The process of the primary is stopped, its replica takes over, and the process goes on.
    StoppedAndReplaced,
    /// The replica takes over from a primary that runs, and does not ask it.
    Replaced,
    /// The replica takes over from a primary that runs and agrees.
    HandedOver,
    /// The primary lets its clients wait.
    Paused,
    /// The primary is emptied while it runs.
    Emptied,
    /// The slot of the app moves to the other primary, and back.
    SlotMoved,
}

impl BehindShards {
    pub(super) fn start() -> Self {
        let options = [
            // The servers soon know each other.
            "--cluster-node-timeout",
            "1000",
            // A replica that comes back has everything soon.
            "--repl-diskless-sync-delay",
            "0",
        ];
        let shards = Shards::with(|| options.map(str::to_owned).to_vec());
        shards.nodes.iter().for_each(be_patient);
        Self {
            shards,
            primary: 0,
            replica: 2,
            voted: None,
        }
    }

    fn primary(&self) -> &Redis {
        &self.shards.nodes[self.primary]
    }

    fn replica(&self) -> &Redis {
        &self.shards.nodes[self.replica]
    }

    /// Waits until all servers know the primary and its replica, and the replica follows the primary.
    fn settle(&self) {
        let owner = format!(":{}", self.primary().port);
        let replica = format!("slave {}", self.primary().ask(&["CLUSTER", "MYID"]));
        for (number, node) in self.shards.nodes.iter().enumerate() {
            eventually("the servers know each other", || {
                let answer = node.ask(&["EXISTS", RECORD]);
                let knows_primary = if number == self.primary {
                    matches!(&*answer, "0" | "1")
                } else {
                    answer.starts_with("MOVED") && answer.ends_with(&owner)
                };
                knows_primary && node.ask(&["CLUSTER", "NODES"]).contains(&replica)
            });
        }
        eventually("the replica follows", || self.follows());
    }

    /// Returns whether the replica has a connection to the primary.
    fn follows(&self) -> bool {
        let replication = self.replica().ask(&["INFO", "replication"]);
        replication.contains("master_link_status:up")
    }

    /// Returns the number of the last invalidation that the primary has recorded.
    fn last_recorded(&self) -> u64 {
        let last = self.primary().ask(&["HGET", RECORD, "last"]);
        last.parse().unwrap_or_default()
    }

    /// Makes the replica the primary, whatever the old one says.
    fn take_over(&mut self) {
        let answer = self.replica().ask(&["CLUSTER", "FAILOVER", "TAKEOVER"]);
        assert_eq!(answer, "OK");
        std::mem::swap(&mut self.primary, &mut self.replica);
    }

    /// Waits until the server that was the primary knows that it is a replica now.
    fn await_demotion(&self) {
        eventually("the old primary is a replica", || {
            self.replica().ask(&["ROLE"]).starts_with("slave")
        });
    }

    /// Starts the server that was killed again. It is a replica when it has heard of the new primary,
    /// and answers nothing before that.
    fn bring_back(&mut self, scene: &mut Scene) {
        let length = scene.random.millis(0..500);
        scene.wait(length);
        self.restart(self.replica);
    }

    fn restart(&mut self, node: usize) {
        let node = &mut self.shards.nodes[node];
        node.restart();
        be_patient(node);
    }

    /// Moves the slot of the app from one server to another, while the instances use it.
    fn move_slot(&self, from: usize, to: usize, scene: &mut Scene) {
        let nodes = &self.shards.nodes;
        let moving = Move::begin(&nodes[from], &nodes[to]);
        let pause = scene.random.millis(0..300);
        scene.wait(pause);
        let mut keys = moving.left();
        keys.sort();
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let keys = scene.random.shuffled(&keys);
        moving.some(&keys[..keys.len() / 2]);
        let pause = scene.random.millis(0..1500);
        scene.wait(pause);
        loop {
            let left = moving.left();
            if left.is_empty() {
                break;
            }
            moving.some(&left.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let pause = scene.random.millis(0..300);
        scene.wait(pause);
        moving.end();
    }
}

impl Kind for BehindShards {
    type Fault = ShardFault;

    const FAULTS: &'static [ShardFault] = &[
        ShardFault::Killed,
        ShardFault::KilledAhead,
        ShardFault::KilledAhead,
        ShardFault::RestartedEmpty,
        ShardFault::Stopped,
        ShardFault::StoppedAndReplaced,
        ShardFault::Replaced,
        ShardFault::HandedOver,
        ShardFault::Paused,
        ShardFault::Emptied,
        ShardFault::SlotMoved,
        ShardFault::SlotMoved,
    ];

    fn start(&self, _instance: usize, variables: &[(&str, &str)]) -> Program {
        instance(variables, ("ROUTE_CACHE_URL", &self.shards.whole()))
    }

    fn strike(&mut self, fault: ShardFault, scene: &mut Scene) {
        self.settle();
        let begun = Instant::now();
        let all = ALL.to_vec();
        match fault {
            ShardFault::Killed => {
                self.shards.nodes[self.primary].kill();
                // It reads what the primary had sent before it notices that the primary is gone.
                eventually("the replica has read all", || !self.follows());
                scene.last(self);
                self.take_over();
                // The primary may have acknowledged something that it had no time to send.
                scene.loss(Lost::Since(begun), begun);
                scene.trouble(all, begun, RECONNECT);
                self.bring_back(scene);
            }
            ShardFault::KilledAhead => {
                // The replica is sent nothing more, and cannot ask for it.
                self.replica().signal("STOP");
                self.primary().ask(&["CLIENT", "KILL", "TYPE", "replica"]);
                scene.last(self);
                let recorded = self.last_recorded();
                let killed = Instant::now();
                self.shards.nodes[self.primary].kill();
                self.replica().signal("CONT");
                let length = scene.random.millis(0..1000);
                scene.wait(length);
                self.take_over();
                let lost = recorded.saturating_sub(self.last_recorded());
                scene.say(&format!("lost invalidations: {lost}"));
                scene.loss(Lost::Since(begun), killed);
                scene.trouble(all, killed, RECONNECT);
                self.bring_back(scene);
            }
            ShardFault::RestartedEmpty => {
                self.shards.nodes[self.primary].kill();
                let length = scene.random.millis(0..500);
                scene.wait(length);
                self.restart(self.primary);
                // A primary answers nothing in its first two seconds.
                eventually("the primary answers", || {
                    matches!(&*self.primary().ask(&["EXISTS", RECORD]), "0" | "1")
                });
                scene.loss(Lost::All, begun);
                scene.trouble(all, begun, RECONNECT);
            }
            ShardFault::Stopped => {
                self.primary().signal("STOP");
                scene.last(self);
                self.primary().signal("CONT");
                scene.trouble(all, begun, RECONNECT);
            }
            ShardFault::StoppedAndReplaced => {
                self.primary().signal("STOP");
                scene.last(self);
                self.take_over();
                let length = scene.random.millis(0..2000);
                scene.wait(length);
                self.replica().signal("CONT");
                self.await_demotion();
                // Until then, each of the two knows only what was invalidated by itself.
                scene.loss(Lost::Since(begun), begun);
                scene.trouble(all, begun, NOTICE);
            }
            ShardFault::Replaced => {
                self.take_over();
                self.await_demotion();
                scene.loss(Lost::Since(begun), begun);
                scene.trouble(all, begun, MOMENT);
            }
            ShardFault::HandedOver if self.voted.is_some_and(|it| it.elapsed() < VOTES) => {
                scene.say("the servers would not vote for it yet");
            }
            ShardFault::HandedOver => {
                self.voted = Some(begun);
                assert_eq!(self.replica().ask(&["CLUSTER", "FAILOVER"]), "OK");
                eventually("the replica is the primary", || {
                    self.replica().ask(&["ROLE"]).starts_with("master")
                });
                std::mem::swap(&mut self.primary, &mut self.replica);
                self.await_demotion();
                scene.trouble(all, begun, MOMENT);
            }
            ShardFault::Paused => {
                let length = scene.random.millis(100..2000);
                let millis = length.as_millis().to_string();
                self.primary().ask(&["CLIENT", "PAUSE", &millis, "ALL"]);
                scene.wait(length);
                scene.trouble(all, begun, RECONNECT);
            }
            ShardFault::Emptied => {
                self.primary().ask(&["FLUSHALL"]);
                scene.loss(Lost::All, begun);
            }
            ShardFault::SlotMoved => {
                self.move_slot(self.primary, OTHER, scene);
                scene.trouble(all.clone(), begun, MOMENT);
                scene.last(self);
                let begun = Instant::now();
                self.move_slot(OTHER, self.primary, scene);
                scene.trouble(all, begun, MOMENT);
            }
        }
    }

    /// An instance that is stopped holds nothing that others need.
    fn disturbed_by_stopping(instance: usize) -> Vec<usize> {
        vec![instance]
    }
}

/// Lets a server wait for others for as long as a fault may last.
fn be_patient(node: &Redis) {
    let set = node.ask(&["CONFIG", "SET", "cluster-node-timeout", TIMEOUT]);
    assert_eq!(set, "OK");
}

/// The time in which a call may still fail that was redirected to another server.
const MOMENT: Duration = Duration::from_secs(1);
