//! The promise about invalidations, which holds whatever happens in whatever order.
//!
//! Let an invalidation resolve at T. Consider a request that begins on the same instance after T,
//! or on another instance later than T plus the bound. It gets content whose render began after T,
//! or content that is marked as unverified. It gets the latter only where that is served.
//!
//! The store may lose the invalidation: it comes back as it was before, or is emptied. Then the
//! promise holds for other instances once the one that made it has asked the store again, and they
//! have. What an instance has once known, it knows until it ends.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::engine::{Moment, Status};

const BOUND: Duration = secs(1);
/// The longest time from a loss until all instances that are connected know of it: the one that shows
/// it asks again, and then the others.
const NOTICED: Duration = secs(3);
const PATHS: [&str; 2] = ["/a", "/b"];
const INSTANCES: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Act {
    Ask(usize, usize),
    Write(usize, usize),
    Set(usize, Way),
    /// Holds the answers to one kind of operation back, or lets them go.
    HoldBack(usize, What),
    LetGo(usize),
    /// Begins anew, with an empty memory.
    Restart(usize),
    /// Remembers the store as it is.
    Remember,
    ComeBack,
    Empty,
    Pass(u64),
}

fn act(loses: bool) -> impl Strategy<Value = Act> {
    let who = 0..INSTANCES;
    let what = 0..PATHS.len();
    let way = prop::sample::select(vec![Way::Open, Way::Open, Way::Hangs, Way::Fails]);
    let held = prop::sample::select(vec![
        What::Read,
        What::Write,
        What::Invalidate,
        What::Invalidations,
    ]);
    let lost = prop::sample::select(vec![
        Act::Remember,
        Act::ComeBack,
        Act::ComeBack,
        Act::Empty,
    ]);
    prop_oneof![
        10 => (who.clone(), what.clone()).prop_map(|(who, what)| Act::Ask(who, what)),
        4 => (who.clone(), what).prop_map(|(who, what)| Act::Write(who, what)),
        2 => (who.clone(), way).prop_map(|(who, way)| Act::Set(who, way)),
        1 => (who.clone(), held).prop_map(|(who, what)| Act::HoldBack(who, what)),
        2 => who.clone().prop_map(Act::LetGo),
        1 => who.prop_map(Act::Restart),
        u32::from(loses) * 3 => lost,
        6 => (0_u64..1500).prop_map(Act::Pass),
    ]
}

/// An invalidation that has resolved.
struct Resolved {
    what: usize,
    version: usize,
    when: Moment,
    by: usize,
    /// The life of the instance in which it made this.
    life: usize,
}

/// The state of an instance that decides what it has to know.
struct Standing {
    /// The number of times that it has begun anew.
    life: usize,
    /// The moment since which nothing has kept it from the store, if that is so.
    connected: Option<Moment>,
    /// The invalidations that it has known since it began.
    known: BTreeSet<usize>,
}

/// The true version of each path, and what has happened.
struct Truth {
    versions: [AtomicUsize; PATHS.len()],
    resolved: Mutex<Vec<Resolved>>,
    instances: Mutex<Vec<Standing>>,
    lost: Mutex<Option<Moment>>,
}

impl Truth {
    fn version(&self, what: usize) -> usize {
        self.versions[what].load(Ordering::SeqCst)
    }

    /// Returns the oldest version that a request which begins now may get, and the invalidations
    /// that oblige it to that.
    fn oldest(&self, who: usize, what: usize, now: Moment) -> (usize, BTreeSet<usize>) {
        let resolved = self.resolved.lock().unwrap();
        let instances = self.instances.lock().unwrap();
        let lost = *self.lost.lock().unwrap();
        let binds = |number: &usize| {
            let Resolved {
                what: path,
                when,
                by,
                life,
                ..
            } = &resolved[*number];
            let witness = &instances[*by];
            let is_witness = witness.life == *life;
            let reached = match lost.filter(|lost| lost >= when) {
                None => now.since(*when) > BOUND,
                Some(lost) => {
                    let since = witness.connected.map(|since| since.max(lost));
                    is_witness && since.is_some_and(|since| now.since(since) > NOTICED)
                }
            };
            let is_own = *by == who && is_witness;
            *path == what && (is_own || reached || instances[who].known.contains(number))
        };
        let binding: BTreeSet<_> = (0..resolved.len()).filter(binds).collect();
        let versions = binding.iter().map(|&number| resolved[number].version);
        (versions.max().unwrap_or(0), binding)
    }

    fn connected(&self, who: usize, since: Option<Moment>) {
        self.instances.lock().unwrap()[who].connected = since;
    }
}

async fn play(acts: &[Act], on_partition: OnPartition, lifetime: Lifetime) {
    let cluster = Cluster::new();
    let clock = cluster.hub.clock.clone();
    let truth = Arc::new(Truth {
        versions: Default::default(),
        resolved: Mutex::default(),
        instances: Mutex::default(),
        lost: Mutex::default(),
    });
    let mut instances = Vec::new();
    let begin = async |number: usize| {
        let instance = cluster.made(number != 0, |config| config.on_partition = on_partition);
        instance.follow().await;
        instance
    };
    for number in 0..INSTANCES {
        instances.push(begin(number).await);
        truth.instances.lock().unwrap().push(Standing {
            life: 0,
            connected: Some(clock.now()),
            known: BTreeSet::new(),
        });
    }
    let mut held: Vec<Option<Gate>> = vec![None; INSTANCES];
    let mut remembered = None;
    let mut tasks = Vec::new();
    for &act in acts {
        match act {
            Act::Set(who, way) => {
                instances[who].link.set(way);
                let is_open = way == Way::Open && held[who].is_none();
                truth.connected(who, is_open.then(|| clock.now()));
            }
            Act::HoldBack(who, what) => {
                if held[who].is_none() {
                    held[who] = Some(instances[who].link.hold_back(what));
                    truth.connected(who, None);
                }
            }
            Act::LetGo(who) => {
                if let Some(gate) = held[who].take() {
                    instances[who].link.late.lock().unwrap().take();
                    gate.open();
                    let is_open = instances[who].link.way.load(Ordering::SeqCst) == Way::Open as u8;
                    truth.connected(who, is_open.then(|| clock.now()));
                }
            }
            Act::Restart(who) => {
                if let Some(gate) = held[who].take() {
                    gate.open();
                }
                instances[who] = begin(who).await;
                let mut instances = truth.instances.lock().unwrap();
                instances[who] = Standing {
                    life: instances[who].life + 1,
                    connected: Some(clock.now()),
                    known: BTreeSet::new(),
                };
            }
            Act::Remember => remembered = Some(cluster.hub.inner.state()),
            Act::ComeBack | Act::Empty => {
                let state = remembered.as_ref().filter(|_| matches!(act, Act::ComeBack));
                cluster.hub.inner.come_back(state);
                *truth.lost.lock().unwrap() = Some(clock.now());
            }
            Act::Pass(millis) => cluster.pass(ms(millis)).await,
            Act::Write(who, what) => {
                let (cache, truth) = (instances[who].cache.clone(), Arc::clone(&truth));
                let clock = clock.clone();
                let life = truth.instances.lock().unwrap()[who].life;
                tasks.push(tokio::spawn(async move {
                    let version = truth.versions[what].fetch_add(1, Ordering::SeqCst) + 1;
                    let asked = clock.now();
                    let tags = [Tag::from(PATHS[what])];
                    let done = cache.engine.invalidate(&tags, Invalidation::Absent).await;
                    // An instance that has begun anew meanwhile did not make this one.
                    let is_the_same = truth.instances.lock().unwrap()[who].life == life;
                    // What was lost between the question and its answer counts as lost after it.
                    let lost = *truth.lost.lock().unwrap();
                    let when = match lost.filter(|lost| *lost >= asked) {
                        Some(lost) if is_the_same => lost,
                        _ => clock.now(),
                    };
                    if done.is_ok() && is_the_same {
                        let mut resolved = truth.resolved.lock().unwrap();
                        resolved.push(Resolved {
                            what,
                            version,
                            when,
                            by: who,
                            life,
                        });
                    }
                }));
            }
            Act::Ask(who, what) => {
                let (cache, truth) = (instances[who].cache.clone(), Arc::clone(&truth));
                let clock = clock.clone();
                let render = {
                    let (truth, clock) = (Arc::clone(&truth), clock.clone());
                    Origin::new(move |_, _| {
                        let (version, clock) = (truth.version(what), clock.clone());
                        async move {
                            clock.sleep(ms(100)).await;
                            store(version.to_string(), lifetime)
                        }
                    })
                };
                let life = truth.instances.lock().unwrap()[who].life;
                tasks.push(tokio::spawn(async move {
                    let (oldest, binding) = truth.oldest(who, what, clock.now());
                    let answer = cache.get(PATHS[what], &render).await.unwrap();
                    let version: usize = body(&answer).parse().unwrap();
                    let is_unverified = matches!(answer.status, Status::Unverified(_));
                    assert!(
                        version >= oldest || is_unverified && on_partition == OnPartition::Serve,
                        "version {version} of {oldest} by {who}: {:?}",
                        answer.status
                    );
                    let mut instances = truth.instances.lock().unwrap();
                    if !is_unverified && instances[who].life == life {
                        instances[who].known.extend(binding);
                    }
                }));
            }
        }
        turns().await;
    }
    for (who, instance) in instances.iter().enumerate() {
        instance.link.set(Way::Open);
        if let Some(gate) = held[who].take() {
            instance.link.late.lock().unwrap().take();
            gate.open();
        }
        truth.connected(who, Some(clock.now()));
    }
    // Long enough that no request waits any more for a lease that a cut-off instance could not
    // give back.
    cluster.pass(secs(3)).await;
    cluster.hands.advance(LIMIT * 2);
    cluster.pass(secs(4)).await;
    for task in tasks {
        task.await.unwrap();
    }
    // All instances are connected now, so all agree.
    let origin = Origin::new(|_, _| async { store("none", Lifetime::FOREVER) });
    for (who, instance) in instances.iter().enumerate() {
        for (what, path) in PATHS.iter().enumerate() {
            let (cache, origin) = (instance.cache.clone(), origin.clone());
            let (oldest, _) = truth.oldest(who, what, clock.now());
            let asking = tokio::spawn(async move { cache.get(path, &origin).await });
            // Another instance may be refreshing the path, and have its lease.
            while !asking.is_finished() {
                cluster.pass(ms(10)).await;
            }
            let answer = asking.await.unwrap().unwrap();
            let version = body(&answer).parse().unwrap_or(usize::MAX);
            assert!(version >= oldest, "{version} of {oldest} at the end");
        }
    }
}

fn run(acts: &[Act], serves: bool, is_brief: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let on_partition = match serves {
        true => OnPartition::Serve,
        false => OnPartition::Render,
    };
    let lifetime = if is_brief { TWO } else { Lifetime::FOREVER };
    runtime.block_on(play(acts, on_partition, lifetime));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn invalidated_content_is_not_served_later_than_promised(
        acts in prop::collection::vec(act(false), 1..60),
        serves in any::<bool>(),
        is_brief in any::<bool>(),
    ) {
        run(&acts, serves, is_brief);
    }

    #[test]
    fn invalidated_content_does_not_come_back_when_the_store_loses_invalidations(
        acts in prop::collection::vec(act(true), 1..80),
        serves in any::<bool>(),
        is_brief in any::<bool>(),
    ) {
        run(&acts, serves, is_brief);
    }
}
