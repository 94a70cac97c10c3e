//! Several instances of one application, in front of one store.

mod breaking;
mod following;
mod keeping;
mod leasing;
mod losing;
mod promise;
mod restarting;

use std::collections::HashMap;
use std::future::{pending, ready};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64};

use tokio::sync::watch;

use super::*;
use crate::engine::OnPartition;
use crate::store::{
    EntryKey, Invalidations, Lease, LeaseToken, Mark, MemoryStore, Recorded, Store, StoreError,
    StoreFuture, StoredEntry,
};

const TWO: Lifetime = Lifetime::revalidate(secs(2));
const TICK: Duration = ms(500);

/// The store behind all instances: a memory, with leases by a clock that the test moves.
struct Hub {
    inner: MemoryStore,
    clock: Clock,
    leases: Mutex<HashMap<String, (LeaseToken, crate::engine::Moment)>>,
    tokens: AtomicU64,
    /// The number of invalidations so far.
    news: watch::Sender<u64>,
}

impl Hub {
    fn lease(&self, key: EntryKey<'_>, length: Duration) -> Lease {
        let now = self.clock.now();
        let mut leases = self.leases.lock().unwrap();
        match leases.get(key.name) {
            Some((_, until)) if *until > now => Lease::Held(until.since(now)),
            _ => {
                let token = LeaseToken(self.tokens.fetch_add(1, Ordering::SeqCst));
                leases.insert(key.name.into(), (token, now.after(length)));
                Lease::Granted(token)
            }
        }
    }

    fn leased(&self) -> usize {
        self.leases.lock().unwrap().len()
    }
}

/// The state of an instance's way to the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// No answer comes back.
    Hangs,
    /// Errors come back.
    Fails,
}

/// The store as one instance sees it. The way from the instance to the hub may be cut.
struct Link {
    hub: Arc<Hub>,
    way: AtomicU8,
    /// The store refuses to lease, and to write.
    is_poor: AtomicBool,
    /// The store reports by itself that something was invalidated.
    tells: bool,
    heard: AtomicU64,
    reads: AtomicUsize,
    asked: AtomicUsize,
    /// The operation that is held up, and the gate that holds it up.
    slow: Mutex<Option<(What, Gate)>>,
    /// The operation whose answers are held back, and the gate that holds them back.
    late: Mutex<Option<(What, Gate)>>,
}

/// An operation that may be held up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Read,
    Write,
    Lease,
    Invalidate,
    Invalidations,
}

impl Link {
    /// Holds up all operations of one kind, until the gate is opened.
    fn hold_up(&self, what: What) -> Gate {
        let gate = Gate::closed();
        *self.slow.lock().unwrap() = Some((what, gate.clone()));
        gate
    }

    /// Holds back the answers to all operations of one kind, until the gate is opened. The hub has
    /// carried them out by then.
    fn hold_back(&self, what: What) -> Gate {
        let gate = Gate::closed();
        *self.late.lock().unwrap() = Some((what, gate.clone()));
        gate
    }

    async fn passed(&self, what: What) {
        Self::through(&self.slow, what).await;
    }

    /// Waits until the answer of an operation may come back, and returns it.
    async fn answered<T>(&self, what: What, answer: StoreFuture<'_, T>) -> Result<T, StoreError> {
        let answer = answer.await;
        Self::through(&self.late, what).await;
        answer
    }

    async fn through(held: &Mutex<Option<(What, Gate)>>, what: What) {
        let gate = match &*held.lock().unwrap() {
            Some((held, gate)) if *held == what => gate.clone(),
            _ => return,
        };
        gate.passed().await;
    }

    fn set(&self, way: Way) {
        self.way.store(way as u8, Ordering::SeqCst);
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// Returns how often the store was asked what had been invalidated.
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Runs an operation at the hub, if the way there is open.
    fn go<'a, T: Send + 'a>(
        &'a self,
        act: impl FnOnce() -> StoreFuture<'a, T>,
    ) -> StoreFuture<'a, T> {
        match self.way.load(Ordering::SeqCst) {
            way if way == Way::Open as u8 => act(),
            way if way == Way::Hangs as u8 => Box::pin(pending()),
            _ => Box::pin(ready(Err(StoreError::new("cut")))),
        }
    }

    fn poorly<'a, T: Send + 'a>(
        &'a self,
        act: impl FnOnce() -> StoreFuture<'a, T>,
    ) -> StoreFuture<'a, T> {
        if self.is_poor.load(Ordering::SeqCst) {
            return Box::pin(ready(Err(StoreError::new("full"))));
        }
        self.go(act)
    }
}

impl Store for Link {
    fn read<'a>(&'a self, key: EntryKey<'a>, seen: Mark) -> StoreFuture<'a, Option<StoredEntry>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let read = self.go(|| self.hub.inner.read(key, seen));
        Box::pin(self.answered(What::Read, read))
    }

    fn write<'a>(&'a self, key: EntryKey<'a>, entry: StoredEntry) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            self.passed(What::Write).await;
            let written = self.poorly(|| self.hub.inner.write(key, entry));
            self.answered(What::Write, written).await
        })
    }

    fn remove<'a>(&'a self, key: EntryKey<'a>) -> StoreFuture<'a, ()> {
        self.go(|| self.hub.inner.remove(key))
    }

    fn invalidate<'a>(
        &'a self,
        tags: &'a [Tag],
        how: Invalidation,
        seen: Mark,
    ) -> StoreFuture<'a, Recorded> {
        let recorded = self.go(|| {
            let recorded = self.hub.inner.invalidate(tags, how, seen);
            self.hub.news.send_modify(|news| *news += 1);
            recorded
        });
        Box::pin(self.answered(What::Invalidate, recorded))
    }

    fn invalidations(&self, seen: Mark, own: Option<Mark>) -> StoreFuture<'_, Invalidations> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            self.passed(What::Invalidations).await;
            let news = self.go(|| self.hub.inner.invalidations(seen, own));
            self.answered(What::Invalidations, news).await
        })
    }

    fn lease<'a>(&'a self, key: EntryKey<'a>, length: Duration) -> StoreFuture<'a, Lease> {
        Box::pin(async move {
            self.passed(What::Lease).await;
            self.poorly(|| Box::pin(ready(Ok(self.hub.lease(key, length)))))
                .await
        })
    }

    fn renew<'a>(
        &'a self,
        key: EntryKey<'a>,
        token: LeaseToken,
        length: Duration,
    ) -> StoreFuture<'a, bool> {
        self.poorly(|| {
            let now = self.hub.clock.now();
            let mut leases = self.hub.leases.lock().unwrap();
            let held = leases.get_mut(key.name);
            let held = held.filter(|(held, until)| *held == token && *until > now);
            let is_held = held.is_some();
            if let Some((_, until)) = held {
                *until = now.after(length);
            }
            Box::pin(ready(Ok(is_held)))
        })
    }

    fn release<'a>(&'a self, key: EntryKey<'a>, token: LeaseToken) -> StoreFuture<'a, ()> {
        self.go(|| {
            let mut leases = self.hub.leases.lock().unwrap();
            if leases.get(key.name).is_some_and(|(held, _)| *held == token) {
                leases.remove(key.name);
            }
            Box::pin(ready(Ok(())))
        })
    }

    fn changed(&self) -> StoreFuture<'_, ()> {
        if !self.tells {
            return Box::pin(pending());
        }
        let mut news = self.hub.news.subscribe();
        let heard = self.heard.swap(*news.borrow(), Ordering::SeqCst);
        Box::pin(async move {
            let told = news.wait_for(|news| *news > heard).await;
            told.map(drop)
                .map_err(|_| StoreError::new("the hub is gone"))
        })
    }
}

struct Cluster {
    hub: Arc<Hub>,
    hands: ManualClock,
}

/// An instance of the application, with its link to the hub.
struct Instance {
    cache: Cache,
    link: Arc<Link>,
}

impl std::ops::Deref for Instance {
    type Target = Cache;

    fn deref(&self) -> &Cache {
        &self.cache
    }
}

impl Cluster {
    fn new() -> Self {
        let (clock, hands) = Clock::manual();
        let hub = Arc::new(Hub {
            inner: MemoryStore::new(10_000_000),
            clock,
            leases: Mutex::default(),
            tokens: AtomicU64::new(1),
            news: watch::Sender::new(0),
        });
        Self { hub, hands }
    }

    /// Makes an instance whose store reports invalidations by itself, and that has caught up.
    async fn instance(&self) -> Instance {
        let instance = self.made(true, |_| {});
        instance.follow().await;
        instance
    }

    /// Makes an instance that does not follow yet.
    fn made(&self, tells: bool, change: impl FnOnce(&mut EngineConfig)) -> Instance {
        let link = Arc::new(Link {
            hub: Arc::clone(&self.hub),
            way: AtomicU8::new(Way::Open as u8),
            is_poor: AtomicBool::new(false),
            tells,
            heard: AtomicU64::new(0),
            reads: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            slow: Mutex::default(),
            late: Mutex::default(),
        });
        let engine = Cache::engine(self.hub.clock.clone(), |config| {
            config.store = Some(Arc::clone(&link) as Arc<dyn Store>);
            config.build = "build".into();
            change(config);
        });
        let hands = self.hands.clone();
        Instance {
            cache: Cache {
                engine,
                hands,
                keep: Keep::Listed,
            },
            link,
        }
    }

    /// Lets time pass in small steps, and gives every task its turn in each step.
    async fn pass(&self, time: Duration) {
        const STEP: Duration = ms(10);
        let mut left = time;
        while !left.is_zero() {
            let step = left.min(STEP);
            self.hands.advance(step);
            turns().await;
            left -= step;
        }
    }
}

impl Instance {
    async fn follow(&self) {
        self.engine.follow();
        turns().await;
    }

    async fn settled(&self) {
        self.engine.settled().await;
    }

    async fn rendered(&self, path: &str, origin: &Origin) -> String {
        let told = self.told(path, origin).await;
        self.settled().await;
        told
    }

    fn asking(&self, path: &'static str, origin: &Origin) -> Asking {
        self.crowd(1, path, origin).remove(0)
    }
}
