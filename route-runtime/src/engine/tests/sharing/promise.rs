//! The promise about invalidations, which holds whatever happens in whatever order.
//!
//! Let an invalidation resolve at T. Consider a request that begins on the same instance after T,
//! or on another instance later than T plus the bound. It gets content whose render began after T,
//! or content that is marked as unverified. It gets the latter only where that is served.

use proptest::prelude::*;

use super::*;
use crate::engine::{Moment, Status};

const BOUND: Duration = secs(1);
const PATHS: [&str; 2] = ["/a", "/b"];
const INSTANCES: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Act {
    Ask(usize, usize),
    Write(usize, usize),
    Set(usize, Way),
    Pass(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let who = 0..INSTANCES;
    let what = 0..PATHS.len();
    let way = prop::sample::select(vec![Way::Open, Way::Open, Way::Hangs, Way::Fails]);
    prop_oneof![
        5 => (who.clone(), what.clone()).prop_map(|(who, what)| Act::Ask(who, what)),
        2 => (who.clone(), what).prop_map(|(who, what)| Act::Write(who, what)),
        1 => (who, way).prop_map(|(who, way)| Act::Set(who, way)),
        3 => (0_u64..1500).prop_map(Act::Pass),
    ]
}

/// The true version of each path, and the invalidations that have resolved.
#[derive(Default)]
struct Truth {
    versions: [AtomicUsize; PATHS.len()],
    /// The invalidations: the path, its version then, the moment, and the instance.
    resolved: Mutex<Vec<(usize, usize, Moment, usize)>>,
}

impl Truth {
    fn version(&self, what: usize) -> usize {
        self.versions[what].load(Ordering::SeqCst)
    }

    /// Returns the oldest version that a request which begins now may get.
    fn oldest(&self, who: usize, what: usize, now: Moment) -> usize {
        let resolved = self.resolved.lock().unwrap();
        let covered = resolved.iter().filter(|(path, _, when, by)| {
            *path == what && (*by == who || now.since(*when) > BOUND)
        });
        covered.map(|(_, version, ..)| *version).max().unwrap_or(0)
    }
}

async fn play(acts: &[Act], on_partition: OnPartition, lifetime: Lifetime) {
    let cluster = Cluster::new();
    let truth = Arc::new(Truth::default());
    let mut instances = Vec::new();
    for number in 0..INSTANCES {
        let instance = cluster.made(number != 0, |config| config.on_partition = on_partition);
        instance.follow().await;
        instances.push(instance);
    }
    let mut tasks = Vec::new();
    for &act in acts {
        match act {
            Act::Set(who, way) => instances[who].link.set(way),
            Act::Pass(millis) => cluster.pass(ms(millis)).await,
            Act::Write(who, what) => {
                let (cache, truth) = (instances[who].cache.clone(), Arc::clone(&truth));
                let clock = cluster.hub.clock.clone();
                tasks.push(tokio::spawn(async move {
                    let version = truth.versions[what].fetch_add(1, Ordering::SeqCst) + 1;
                    let tags = [Tag::from(PATHS[what])];
                    let done = cache.engine.invalidate(&tags, Invalidation::Absent).await;
                    if done.is_ok() {
                        let resolved = (what, version, clock.now(), who);
                        truth.resolved.lock().unwrap().push(resolved);
                    }
                }));
            }
            Act::Ask(who, what) => {
                let (cache, truth) = (instances[who].cache.clone(), Arc::clone(&truth));
                let clock = cluster.hub.clock.clone();
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
                tasks.push(tokio::spawn(async move {
                    let oldest = truth.oldest(who, what, clock.now());
                    let answer = cache.get(PATHS[what], &render).await.unwrap();
                    let version: usize = body(&answer).parse().unwrap();
                    let is_unverified = matches!(answer.status, Status::Unverified(_));
                    assert!(
                        version >= oldest || is_unverified && on_partition == OnPartition::Serve,
                        "version {version} of {oldest} by {who}: {:?}",
                        answer.status
                    );
                }));
            }
        }
        turns().await;
    }
    for instance in &instances {
        instance.link.set(Way::Open);
    }
    // Long enough that no request waits any more for a lease that a cut-off instance could not
    // give back.
    cluster.pass(secs(3)).await;
    cluster.hands.advance(LIMIT * 2);
    cluster.pass(secs(3)).await;
    for task in tasks {
        task.await.unwrap();
    }
    // All instances are connected now, so all agree.
    let origin = Origin::new(|_, _| async { store("none", Lifetime::FOREVER) });
    for (who, instance) in instances.iter().enumerate() {
        for (what, path) in PATHS.iter().enumerate() {
            let (cache, origin) = (instance.cache.clone(), origin.clone());
            let asking = tokio::spawn(async move { cache.get(path, &origin).await });
            // Another instance may be refreshing the path, and have its lease.
            while !asking.is_finished() {
                cluster.pass(ms(10)).await;
            }
            let answer = asking.await.unwrap().unwrap();
            let version = body(&answer).parse().unwrap_or(usize::MAX);
            let oldest = truth.oldest(who, what, cluster.hub.clock.now());
            assert!(version >= oldest, "{version} of {oldest} at the end");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn invalidated_content_is_not_served_later_than_promised(
        acts in prop::collection::vec(act(), 1..50),
        serves in any::<bool>(),
        is_brief in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let on_partition = if serves { OnPartition::Serve } else { OnPartition::Render };
        let lifetime = if is_brief { TWO } else { Lifetime::FOREVER };
        runtime.block_on(play(&acts, on_partition, lifetime));
    }
}
