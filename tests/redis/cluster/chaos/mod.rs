//! Random faults of instances and of their store, one after another, while clients send requests and
//! invalidate.
//!
//! `CHAOS_SEED` selects other faults, and `CHAOS_SECONDS` is the time for all stores together. Seed
//! and faults are printed.
//!
//! # What is checked
//!
//! Let an invalidation be acknowledged with 200 at T. Content is older if it was rendered from a
//! version of the truth from before that invalidation.
//!
//! - The process that acknowledged it serves nothing older to a request that begins after T, whatever
//!   happens, not even marked as unverified.
//! - Every other process serves nothing older to a request that begins after T plus the bound, unless
//!   the response is marked `detail=unverified` in `Cache-Status`.
//!
//! A store that was emptied, or came back as it was earlier, has lost invalidations. The second rule
//! then does not hold for these, from the beginning of the loss until the bound after a *witness* has
//! asked the store again. A witness is a process that knew of the invalidation: the one that
//! acknowledged it, or one that served a hit that was not marked to a request that began between T
//! plus the bound and the loss. A witness has asked again, for certain, when it has served a hit that
//! is not marked to a request that began later than the bound after the loss. If all witnesses were
//! killed before that, nobody knows of the invalidation, and only the first rule is left.
//!
//! A replica that takes over has lost what the primary had not sent to it. A primary that does not
//! know yet that it was replaced still answers. So the loss lasts until the primary is gone, or knows
//! that it is a replica. What either of the two records meanwhile, the other one may not know.
//!
//! Besides, no failure may be avoidable. Each `GET` is answered with 200, unless the process was killed
//! during the request, or was stopped while its handler waited for the upstream. Each invalidation is acknowledged, unless the process was killed meanwhile, or
//! the store could not record it:
//!
//! - Redis was gone, stopped, paused or full, or the network of the instance was disturbed;
//! - the primary of the Redis Cluster was gone, stopped, paused or being replaced, or the slot was moving;
//! - the disk was full, or the directory was being removed or overwritten;
//! - the instance was stopped, or, with files, another one was: it may have held a lock;
//! - the disk or the processors of this machine were slow, as the test measures all along;
//! - or that was over, but the instance could not have noticed yet.
//!
//! In the end everything is mended. Then every instance is in contact with the store within seconds,
//! can invalidate, and serves what is new.
//!
//! # Another kind of store
//!
//! Implement [`Kind`] for it, and add a test that calls [`run`].

mod clients;
mod files;
mod history;
mod probe;
mod random;
mod redis;
mod scene;
mod shards;

use std::time::{Duration, Instant, SystemTime};

use self::clients::Clients;
use self::files::BehindFiles;
use self::history::Trouble;
use self::probe::Probe;
use self::redis::BehindRedis;
use self::scene::{A_WHILE, ALL, INSTANCES, Kind, Scene};
use self::shards::BehindShards;
use super::alone;

/// The number of kinds of stores, which share the time.
const KINDS: u64 = 3;

#[derive(Clone, Copy, Debug)]
enum Act<F> {
    KillInstance,
    StopInstance,
    Store(F),
}

#[test]
fn no_fault_of_a_redis_breaks_the_promise() {
    run("a Redis", BehindRedis::start);
}

#[test]
fn no_fault_of_a_redis_cluster_breaks_the_promise() {
    run("a Redis Cluster", BehindShards::start);
}

#[test]
fn no_fault_of_a_directory_breaks_the_promise() {
    run("files", BehindFiles::new);
}

fn run<K: Kind>(name: &str, make: impl FnOnce() -> K) {
    let _alone = alone();
    let length = Duration::from_secs(variable("CHAOS_SECONDS").unwrap_or(20) / KINDS);
    let seed = variable("CHAOS_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.map_or(0, |it| it.as_nanos() as u64 % 1_000_000)
    });
    println!("{length:?} of chaos behind {name}: CHAOS_SEED={seed}");
    let mut kind = make();
    let mut scene = Scene::new(&kind, seed);
    let mut probe = Probe::start();
    let mut clients = Clients::start(&scene.shared, &mut scene.random);
    let begun = Instant::now();
    let (mut acts, mut count) = (Vec::new(), 0);
    while begun.elapsed() < length {
        if acts.is_empty() {
            acts = K::FAULTS.iter().map(|&it| Act::Store(it)).collect();
            acts.extend([Act::KillInstance, Act::StopInstance]);
            acts = scene.random.shuffled(&acts);
        }
        let act = acts.pop().expect("it is not empty");
        count += 1;
        scene.say(&format!("{act:?}"));
        let instance = scene.random.below(INSTANCES);
        match act {
            Act::KillInstance => scene.restart(&kind, instance),
            Act::StopInstance => scene.stop::<K>(instance),
            Act::Store(fault) => kind.strike(fault, &mut scene),
        }
        // The next fault may come before the instances have recovered.
        if scene.random.one_in(2) {
            scene.await_contact();
        }
        let length = scene.random.millis(0..1200);
        scene.wait(length);
    }
    scene.say("everything is mended");
    clients.end_changes(&mut scene.history);
    scene.wait(A_WHILE);
    scene.await_contact();
    scene.agree();
    scene.wait(A_WHILE);
    clients.end(&mut scene.history);
    let slow = probe.end();
    let times = slow.len();
    println!(
        "{count} faults in {:?}; the machine was slow {times} times",
        begun.elapsed()
    );
    for (begun, ended) in slow {
        scene.history.troubles.push(Trouble {
            instances: ALL.to_vec(),
            begun,
            mended: ended,
            grace: Duration::from_secs(1),
        });
    }
    scene.judge();
}

/// Returns the value of an environment variable.
fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}={value} is no number")),
    )
}
