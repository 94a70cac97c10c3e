//! A random sequence of requests, steps of time, failures and invalidations, compared with a model
//! that has neither tasks nor locks.

use proptest::{collection::vec, prelude::*};

use super::*;

const KEYS: usize = 3;
const PATHS: [&str; KEYS] = ["/0", "/1", "/2"];

/// The outcome that renders of a key have from now on.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Store(Lifetime),
    Fail,
    Panic,
    Individual,
}

#[derive(Clone, Debug)]
enum Step {
    Get(usize),
    Advance(u64),
    Mode(usize, Mode),
    /// An invalidation of one key's tag, or of the tag that all keys share.
    Invalidate(Option<usize>, Invalidation),
    /// A request, and an invalidation while the render that it started is under way.
    Meanwhile(usize, Option<usize>, Invalidation),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let lifetime = (
        proptest::option::of(0u64..6),
        proptest::option::of(1u64..15),
    )
        .prop_map(|(revalidate, expire)| Lifetime {
            revalidate: revalidate.map(secs),
            expire: expire.map(secs),
        });
    let mode = prop_oneof![
        3 => lifetime.prop_map(Mode::Store),
        2 => Just(Mode::Fail),
        1 => Just(Mode::Panic),
        1 => Just(Mode::Individual),
    ];
    let how = prop_oneof![Just(Invalidation::Absent), Just(Invalidation::Stale)];
    let reach = || proptest::option::weighted(0.8, 0..KEYS);
    let step = prop_oneof![
        8 => (0..KEYS).prop_map(Step::Get),
        4 => (0u64..4000).prop_map(Step::Advance),
        2 => (0..KEYS, mode).prop_map(|(key, mode)| Step::Mode(key, mode)),
        2 => (reach(), how.clone()).prop_map(|(key, how)| Step::Invalidate(key, how)),
        2 => (0..KEYS, reach(), how).prop_map(|(key, reach, how)| Step::Meanwhile(key, reach, how)),
    ];
    vec(step, 1..60)
}

/// The content that the model holds for a key.
#[derive(Clone, Debug)]
enum Kept {
    Nothing,
    Entry {
        body: String,
        created: u64,
        lifetime: Lifetime,
        invalid: bool,
        marked: bool,
        rested: u64,
    },
    Once {
        told: String,
        created: u64,
        invalid: bool,
        /// The render panicked, so it is not known what it had used.
        cut_off: bool,
    },
    Pass(u64),
}

struct Model {
    now: u64,
    runs: usize,
    modes: [Mode; KEYS],
    kept: [Kept; KEYS],
}

impl Model {
    fn get(&mut self, key: usize, meanwhile: Option<(Option<usize>, Invalidation)>) -> String {
        let now = self.now;
        let absence = match &self.kept[key] {
            Kept::Nothing => "miss",
            Kept::Pass(until) if now < *until => {
                let answer = self.run(key, "bypass").0;
                self.meanwhile(meanwhile);
                return answer;
            }
            Kept::Pass(_) => "miss",
            Kept::Once {
                told,
                created,
                invalid: false,
                ..
            } if now - created < 1000 => {
                let answer = told.clone();
                self.meanwhile(meanwhile);
                return answer;
            }
            Kept::Once { .. } => "miss",
            Kept::Entry { invalid: true, .. } => "invalidated",
            Kept::Entry {
                body,
                created,
                lifetime,
                marked,
                rested,
                ..
            } => {
                let age = now - created;
                let reached = |bound: Option<Duration>| bound.is_some_and(|bound| ms(age) >= bound);
                if reached(lifetime.expire) {
                    "expired"
                } else if !marked && !reached(lifetime.revalidate) {
                    let answer = format!("hit {body}");
                    self.meanwhile(meanwhile);
                    return answer;
                } else {
                    let answer = format!("stale {body}");
                    if now >= *rested {
                        self.render(key, "refresh", meanwhile);
                    } else {
                        self.meanwhile(meanwhile);
                    }
                    return answer;
                }
            }
        };
        self.render(key, absence, meanwhile)
    }

    /// Runs one render: it begins, the invalidation happens, and it ends.
    fn render(
        &mut self,
        key: usize,
        absence: &str,
        meanwhile: Option<(Option<usize>, Invalidation)>,
    ) -> String {
        let (answer, mut made) = self.run(key, absence);
        self.meanwhile(meanwhile);
        if let Some((reach, how)) = meanwhile {
            invalidate(&mut made, reach.is_none_or(|reach| reach == key), how);
        }
        let now = self.now;
        let usable = match &self.kept[key] {
            Kept::Entry {
                created,
                lifetime,
                invalid,
                ..
            } => {
                !invalid
                    && lifetime
                        .expire
                        .is_none_or(|expire| ms(now - created) < expire)
            }
            _ => false,
        };
        match (&made, &mut self.kept[key]) {
            (
                Kept::Once { .. },
                Kept::Entry {
                    lifetime, rested, ..
                },
            ) if usable => {
                let rest = lifetime.revalidate.unwrap_or(secs(30));
                *rested = now + rest.as_millis().clamp(3000, 30_000) as u64;
            }
            // The entry was invalidated while it was rendered.
            (Kept::Entry { invalid: true, .. }, _) => {}
            (_, kept) => *kept = made,
        }
        answer
    }

    /// Returns the answer to a request that starts a run, and the content to keep.
    fn run(&mut self, key: usize, word: &str) -> (String, Kept) {
        self.runs += 1;
        let (run, created) = (self.runs, self.now);
        match self.modes[key] {
            Mode::Store(lifetime) => (
                format!("{word} {run}"),
                Kept::Entry {
                    body: run.to_string(),
                    created,
                    lifetime,
                    invalid: false,
                    marked: false,
                    rested: 0,
                },
            ),
            Mode::Fail => (
                format!("{word} fail {run}"),
                Kept::Once {
                    told: format!("collapsed fail {run}"),
                    created,
                    invalid: false,
                    cut_off: false,
                },
            ),
            Mode::Panic => {
                let told = format!("failed: the render panicked: run {run}");
                (
                    told.clone(),
                    Kept::Once {
                        told,
                        created,
                        invalid: false,
                        cut_off: true,
                    },
                )
            }
            Mode::Individual => (format!("bypass own {run}"), Kept::Pass(created + 10_000)),
        }
    }

    fn meanwhile(&mut self, meanwhile: Option<(Option<usize>, Invalidation)>) {
        if let Some((reach, how)) = meanwhile {
            self.invalidate(reach, how);
        }
    }

    fn invalidate(&mut self, reach: Option<usize>, how: Invalidation) {
        for (key, kept) in self.kept.iter_mut().enumerate() {
            invalidate(kept, reach.is_none_or(|reach| reach == key), how);
        }
    }
}

fn invalidate(kept: &mut Kept, reached: bool, how: Invalidation) {
    match kept {
        Kept::Entry {
            invalid, marked, ..
        } if reached => match how {
            Invalidation::Absent => *invalid = true,
            Invalidation::Stale => *marked = true,
        },
        Kept::Once {
            invalid, cut_off, ..
        } => *invalid |= reached || *cut_off,
        _ => {}
    }
}

async fn check(steps: Vec<Step>) {
    let cache = Cache::new();
    let modes = Arc::new(std::sync::Mutex::new(
        [Mode::Store(Lifetime::revalidate(secs(2))); KEYS],
    ));
    let gate = Arc::new(std::sync::Mutex::new(None::<Gate>));
    let runs = Arc::new(AtomicUsize::new(0));
    let origin = |key: usize| {
        let (modes, gate, runs) = (Arc::clone(&modes), Arc::clone(&gate), Arc::clone(&runs));
        Origin::new(move |_, _| {
            // Decided when the render begins.
            let (mode, gate) = (modes.lock().unwrap()[key], gate.lock().unwrap().clone());
            let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                if let Some(gate) = gate {
                    gate.passed().await;
                }
                let outcome = match mode {
                    Mode::Store(lifetime) => RenderOutcome::store(Text(run.to_string()), lifetime),
                    Mode::Fail => RenderOutcome::ShareOnce(Text(format!("fail {run}"))),
                    Mode::Panic => std::panic::resume_unwind(Box::new(format!("run {run}"))),
                    Mode::Individual => RenderOutcome::individual(Own(format!("own {run}"))),
                };
                outcome.tagged(vec![Tag::from("shared")])
            }
        })
    };
    let tag = |reach: Option<usize>| reach.map_or("shared", |key| PATHS[key]);
    let mut model = Model {
        now: 0,
        runs: 0,
        modes: *modes.lock().unwrap(),
        kept: [const { Kept::Nothing }; KEYS],
    };
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Get(key) => {
                let answer = cache.told(PATHS[key], &origin(key)).await;
                cache.engine.settled().await;
                assert_eq!(answer, model.get(key, None), "step {number}");
            }
            Step::Advance(millis) => {
                cache.hands.advance(ms(millis));
                model.now += millis;
            }
            Step::Mode(key, mode) => {
                modes.lock().unwrap()[key] = mode;
                model.modes[key] = mode;
            }
            Step::Invalidate(reach, how) => {
                cache.mark(tag(reach), how).await;
                model.invalidate(reach, how);
            }
            Step::Meanwhile(key, reach, how) => {
                let closed = Gate::closed();
                *gate.lock().unwrap() = Some(closed.clone());
                let asking = cache.crowd(1, PATHS[key], &origin(key));
                turns().await;
                cache.mark(tag(reach), how).await;
                closed.open();
                *gate.lock().unwrap() = None;
                let answers = all_told(asking).await;
                cache.engine.settled().await;
                assert_eq!(
                    answers,
                    [model.get(key, Some((reach, how)))],
                    "step {number}"
                );
            }
        }
        assert_eq!(runs.load(Ordering::SeqCst), model.runs, "step {number}");
    }
}

proptest! {
    #[test]
    fn any_sequence_agrees_with_a_model_without_tasks_or_locks(steps in steps()) {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(check(steps));
    }
}
