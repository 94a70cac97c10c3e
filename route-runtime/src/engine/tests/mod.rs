//! The engine as its callers see it. Tests move time by hand, and never wait for it to pass.

mod bounds;
mod crowd;
mod depending;
mod epoch;
mod failing;
mod fairness;
mod flight;
mod individual;
mod invalidation;
mod model;
mod nested;
mod random;
mod second;
mod sharing;
mod timeline;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::{runtime::Handle, sync::Semaphore, task::yield_now};

use crate::engine::{
    Ancestry, Answer, CacheSlot, Call, Clock, Content, Engine, EngineConfig, Failure, Keep, Key,
    Lifetime, ManualClock, RenderFn, RenderOutcome, Stale, TaggedOutcome, Turn, Value,
};
use crate::owner::Owner;
use crate::store::{Invalidation, Tag};

const LIMIT: Duration = Duration::from_secs(60);

/// The owner of renders in tests with one owner.
const OWNER: Owner = Owner("tests");

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The value that tests cache.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Text(String);

/// The content that tests make for one request only.
#[derive(Debug)]
struct Own(String);

impl Value for Text {
    type Individual = Own;

    fn weight(&self) -> usize {
        self.0.len()
    }

    fn encode(&self) -> Option<Arc<[u8]>> {
        Some(self.0.as_bytes().into())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        String::from_utf8(bytes.to_vec()).ok().map(Self)
    }
}

fn store(body: impl Into<String>, lifetime: Lifetime) -> TaggedOutcome<Text> {
    RenderOutcome::store(Text(body.into()), lifetime).into()
}

fn share_once(body: impl Into<String>) -> TaggedOutcome<Text> {
    RenderOutcome::ShareOnce(Text(body.into())).into()
}

fn individual(body: impl Into<String>) -> TaggedOutcome<Text> {
    RenderOutcome::individual(Own(body.into())).into()
}

fn body(answer: &Answer<Text>) -> &str {
    match &answer.content {
        Content::Entry(entry) => &entry.value().0,
        Content::Once(text) => &text.0,
        Content::Individual(own) => &own.0,
    }
}

/// Returns the word for how a request was answered, and the body of the answer: `hit 1`.
fn told(answer: &Result<Answer<Text>, Failure>) -> String {
    match answer {
        Ok(answer) => format!("{} {}", answer.status.as_str(), body(answer)),
        Err(failure) => format!("failed: {failure}"),
    }
}

type Made = Pin<Box<dyn Future<Output = TaggedOutcome<Text>> + Send>>;

/// An origin of content, which counts how many renders it runs, and how many at once.
#[derive(Clone)]
struct Origin {
    make: Arc<dyn Fn(usize, Ancestry<Key>) -> Made + Send + Sync>,
    runs: Arc<AtomicUsize>,
    active: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Origin {
    /// Makes an origin whose renders call `make` with the number of the run, from 1.
    fn new<F>(make: impl Fn(usize, Ancestry<Key>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = TaggedOutcome<Text>> + Send + 'static,
    {
        Self {
            make: Arc::new(move |run, ancestry| Box::pin(make(run, ancestry))),
            runs: Arc::default(),
            active: Arc::default(),
            most: Arc::default(),
        }
    }

    /// Makes an origin whose renders store the number of the run.
    fn numbers(lifetime: Lifetime) -> Self {
        Self::new(move |run, _| async move { store(run.to_string(), lifetime) })
    }

    fn gated(
        gate: &Gate,
        make: impl Fn(usize) -> TaggedOutcome<Text> + Send + Sync + 'static,
    ) -> Self {
        let (gate, make) = (gate.clone(), Arc::new(make));
        Self::new(move |run, _| {
            let (gate, make) = (gate.clone(), Arc::clone(&make));
            async move {
                gate.passed().await;
                make(run)
            }
        })
    }

    fn render(&self) -> impl RenderFn<Key, Text> {
        let origin = self.clone();
        move |ancestry: Ancestry<Key>| {
            let run = origin.runs.fetch_add(1, Ordering::SeqCst) + 1;
            let active = Active(Arc::clone(&origin.active));
            let now = origin.active.fetch_add(1, Ordering::SeqCst) + 1;
            origin.most.fetch_max(now, Ordering::SeqCst);
            let made = (origin.make)(run, ancestry);
            Box::pin(async move {
                let _active = active;
                made.await
            })
        }
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    /// Returns how many renders ran at once at the busiest time.
    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    fn active(&self) -> usize {
        self.active.load(Ordering::SeqCst)
    }
}

struct Active(Arc<AtomicUsize>);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A gate that holds renders up until it is opened. It stays open for good.
#[derive(Clone)]
struct Gate(Arc<Semaphore>);

impl Gate {
    fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    fn open(&self) {
        self.0.close();
    }

    /// Lets one render through.
    fn admit(&self) {
        self.0.add_permits(1);
    }

    async fn passed(&self) {
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }
}

/// An engine with a clock of its own.
#[derive(Clone)]
struct Cache {
    engine: Engine<Key, Text>,
    hands: ManualClock,
    keep: Keep,
}

impl Cache {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut EngineConfig)) -> Self {
        let (clock, hands) = Clock::manual();
        Self {
            engine: Self::engine(clock, change),
            hands,
            keep: Keep::Listed,
        }
    }

    fn engine(clock: Clock, change: impl FnOnce(&mut EngineConfig)) -> Engine<Key, Text> {
        let mut config = EngineConfig::new(Handle::current());
        config.clock = clock;
        change(&mut config);
        Engine::new(config)
    }

    /// Asks like a client: the path is the tag, and stale content is accepted.
    async fn get(&self, path: &str, origin: &Origin) -> Result<Answer<Text>, Failure> {
        self.ask(path, Stale::Serve, None, origin).await
    }

    /// Asks like a client of one handler among several.
    async fn get_of(
        &self,
        owner: Owner,
        path: &str,
        origin: &Origin,
    ) -> Result<Answer<Text>, Failure> {
        self.ask_of(owner, path, Stale::Serve, None, origin).await
    }

    async fn ask(
        &self,
        path: &str,
        stale: Stale,
        parent: Option<&Ancestry<Key>>,
        origin: &Origin,
    ) -> Result<Answer<Text>, Failure> {
        self.ask_of(OWNER, path, stale, parent, origin).await
    }

    async fn ask_of(
        &self,
        owner: Owner,
        path: &str,
        stale: Stale,
        parent: Option<&Ancestry<Key>>,
        origin: &Origin,
    ) -> Result<Answer<Text>, Failure> {
        let call = Call {
            key: &Key::new(path),
            slot: None,
            tags: &Arc::from([Tag::from(path)]),
            also: &[],
            stale,
            limit: LIMIT,
            turn: Turn::Queue,
            owner,
            keep: self.keep,
            parent,
        };
        self.engine.get_or_render(call, origin.render()).await
    }

    async fn get_slot(
        &self,
        slot: &Arc<CacheSlot<Text>>,
        origin: &Origin,
    ) -> Result<Answer<Text>, Failure> {
        let call = Call {
            key: &Key::new("/slot"),
            slot: Some(slot),
            tags: &Arc::from([Tag::from("/slot")]),
            also: &[],
            stale: Stale::Serve,
            limit: LIMIT,
            turn: Turn::Queue,
            owner: OWNER,
            keep: self.keep,
            parent: None,
        };
        self.engine.get_or_render(call, origin.render()).await
    }

    async fn told(&self, path: &str, origin: &Origin) -> String {
        told(&self.get(path, origin).await)
    }

    /// Asks `count` times at once, each in a task.
    fn crowd(&self, count: usize, path: &'static str, origin: &Origin) -> Vec<Asking> {
        (0..count)
            .map(|_| {
                let (cache, origin) = (self.clone(), origin.clone());
                tokio::spawn(async move { cache.get(path, &origin).await })
            })
            .collect()
    }

    /// Waits until so many requests in all have found no entry, and therefore wait.
    async fn until_missed(&self, misses: u64) {
        until(|| self.engine.stats().misses >= misses).await;
        turns().await;
    }

    async fn invalidate(&self, tag: &str) {
        self.mark(tag, Invalidation::Absent).await;
    }

    async fn mark(&self, tag: &str, how: Invalidation) {
        let marked = self.engine.invalidate(&[Tag::from(tag)], how).await;
        marked.expect("there is no store that could fail");
    }
}

type Asking = tokio::task::JoinHandle<Result<Answer<Text>, Failure>>;

async fn all_told(asking: Vec<Asking>) -> Vec<String> {
    let mut answers = Vec::new();
    for asked in asking {
        answers.push(told(&asked.await.expect("requests do not panic")));
    }
    answers.sort_unstable();
    answers
}

/// Counts how often each answer was given.
fn tally(answers: &[String]) -> Vec<(usize, &str)> {
    answers
        .chunk_by(|a, b| a == b)
        .map(|same| (same.len(), &*same[0]))
        .collect()
}

/// Gives way to other tasks until a condition holds.
async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        yield_now().await;
    }
}

/// Gives every other task of a single-threaded runtime several turns.
async fn turns() {
    for _ in 0..32 {
        yield_now().await;
    }
}
