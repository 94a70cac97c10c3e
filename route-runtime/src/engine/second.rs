//! The store behind memory, as the engine sees it: in monotonic time, within limits, and left
//! alone while it is down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::breaker::{Breaker, Trial};
use super::clock::{Clock, Moment};
use super::entry::{Entry, Made, Value};
use super::freshness::Lifetime;
use super::key::CacheKey;
use super::{Config, Limits, OnPartition};
use crate::store::{
    EntryKey, Epoch, Invalidation, Invalidations, Lease, LeaseToken, Store, StoreError,
    StoreFuture, StoredEntry, Tag,
};

/// How far another machine's clock may be ahead before its entries are not believed.
const SKEW: Duration = Duration::from_secs(5);

/// The second level of the cache.
pub(super) struct Second {
    store: Arc<dyn Store>,
    build: Arc<str>,
    pub(super) limits: Limits,
    pub(super) staleness: Duration,
    on_partition: OnPartition,
    breaker: Breaker,
    writes: Trial,
    leases: Trial,
    /// When the store was last asked what had been invalidated, and said it.
    verified: AtomicU64,
}

impl Second {
    /// Makes the second level, if the configuration has one.
    pub(super) fn of(config: &Config) -> Option<Self> {
        Some(Self {
            store: Arc::clone(config.store.as_ref()?),
            build: Arc::clone(&config.build),
            limits: config.limits,
            staleness: config.staleness,
            on_partition: config.on_partition,
            breaker: Breaker::default(),
            writes: Trial::new("does not take what is written; it is kept in memory only"),
            leases: Trial::new("gives no leases; every instance renders for itself"),
            // Nobody promises anything until somebody follows.
            verified: AtomicU64::new(u64::MAX),
        })
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    fn key<'a>(&'a self, key: &'a impl CacheKey) -> EntryKey<'a> {
        EntryKey {
            build: key.belongs_to_build().then_some(&*self.build),
            name: key.name(),
        }
    }

    /// Whether everything that others invalidated longer ago than is promised is known here.
    ///
    /// To be asked before the record of invalidations is: what is verified then, it includes.
    pub(super) fn is_verified(&self, now: Moment) -> bool {
        let verified = Moment::from_bits(self.verified.load(Ordering::Acquire));
        now.since(verified) <= self.staleness
    }

    pub(super) fn serves_unverified(&self) -> bool {
        self.on_partition == OnPartition::Serve
    }

    /// Begins to promise: nothing is verified yet.
    pub(super) fn begin(&self) {
        let never = Moment::MIN.to_bits();
        self.verified.store(never, Ordering::Release);
    }

    /// Everything that was invalidated before `asked` is in force here.
    pub(super) fn verify(&self, asked: Moment, now: Moment) {
        self.verified.fetch_max(asked.to_bits(), Ordering::Release);
        // One that answers, but slowly, is as much in the way of requests as one that does not.
        if now.since(asked) <= self.limits.store_read {
            self.breaker.close(now);
        }
    }

    /// The store is away.
    pub(super) fn lose(&self, why: &StoreError) {
        self.breaker.open(why);
    }

    pub(super) fn is_away(&self) -> bool {
        self.breaker.is_open()
    }

    /// Reads an entry; `None` if there is none that can be believed.
    pub(super) async fn read<V: Value>(
        &self,
        clock: &Clock,
        key: &impl CacheKey,
        until: Moment,
    ) -> Result<Option<Entry<V>>, StoreError> {
        let found = self.store.read(self.key(key));
        let found = self.until(clock, until, found).await;
        match &found {
            Ok(_) => self.breaker.read_succeeded(),
            Err(Unanswered::Failed(error)) => self.breaker.read_failed(clock.now(), error),
            Err(Unanswered::Rushed) => {}
        }
        let Some(stored) = found? else {
            return Ok(None);
        };
        let age = match clock.wall().duration_since(stored.created) {
            Ok(age) => age,
            Err(ahead) if ahead.duration() <= SKEW => Duration::ZERO,
            Err(_) => return Ok(None),
        };
        let lifetime = Lifetime {
            revalidate: stored.revalidate,
            expire: stored.expire,
        };
        let made = Made {
            created: clock.now().before(age),
            created_wall: stored.created,
            started: stored.started,
        };
        Ok(V::decode(&stored.body).map(|value| Entry::new(value, lifetime, stored.tags, made)))
    }

    pub(super) async fn write<V: Value>(
        &self,
        clock: &Clock,
        key: &impl CacheKey,
        entry: &Entry<V>,
    ) -> Result<(), StoreError> {
        if !self.takes_writes(clock) {
            return Ok(());
        }
        let Some(body) = entry.value().encode() else {
            return Ok(());
        };
        let stored = StoredEntry {
            body,
            created: entry.created_wall(),
            started: entry.started(),
            revalidate: entry.lifetime().revalidate,
            expire: entry.lifetime().expire,
            tags: entry.shared_tags(),
        };
        self.written(clock, self.store.write(self.key(key), stored))
            .await
    }

    pub(super) async fn remove(
        &self,
        clock: &Clock,
        key: &impl CacheKey,
    ) -> Result<(), StoreError> {
        if !self.takes_writes(clock) {
            return Ok(());
        }
        self.written(clock, self.store.remove(self.key(key))).await
    }

    fn takes_writes(&self, clock: &Clock) -> bool {
        !(self.is_away() || self.writes.rests(clock.now()))
    }

    async fn written(&self, clock: &Clock, written: StoreFuture<'_, ()>) -> Result<(), StoreError> {
        let written = within(clock, self.limits.store_write, written).await;
        match &written {
            Ok(()) => self.writes.succeeded(),
            Err(error) => self.writes.failed(clock.now(), error),
        }
        written
    }

    /// Asks to be the one who renders; `None` if there is nobody to ask.
    pub(super) async fn lease(
        &self,
        clock: &Clock,
        key: &impl CacheKey,
        length: Duration,
        until: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        let now = clock.now();
        if self.is_away() || self.leases.rests(now) {
            return Ok(None);
        }
        let lease = self.store.lease(self.key(key), length);
        let lease = self.until(clock, until, lease).await;
        match &lease {
            Ok(_) => self.leases.succeeded(),
            Err(Unanswered::Failed(error)) => self.leases.failed(clock.now(), error),
            Err(Unanswered::Rushed) => {}
        }
        Ok(Some(lease?))
    }

    /// Waits for one of several answers that a request waits for until the same moment.
    async fn until<T>(
        &self,
        clock: &Clock,
        until: Moment,
        answer: StoreFuture<'_, T>,
    ) -> Result<T, Unanswered> {
        let limit = until.since(clock.now());
        let is_rushed = limit < self.limits.store_read / 2;
        match clock.within(limit, answer).await {
            Some(answer) => answer.map_err(Unanswered::Failed),
            None if is_rushed => Err(Unanswered::Rushed),
            None => Err(Unanswered::Failed(late())),
        }
    }

    /// Gives a lease back. If it fails, the lease runs out.
    pub(super) async fn release(
        &self,
        clock: &Clock,
        key: &impl CacheKey,
        token: LeaseToken,
    ) -> Result<(), StoreError> {
        if self.is_away() {
            return Ok(());
        }
        let released = self.store.release(self.key(key), token);
        within(clock, self.limits.store_write, released).await
    }

    /// Tried also while the store is away: whoever asks is to be told.
    pub(super) async fn invalidate(
        &self,
        clock: &Clock,
        tags: &[Tag],
        how: Invalidation,
    ) -> Result<Epoch, StoreError> {
        within(
            clock,
            self.limits.store_write,
            self.store.invalidate(tags, how),
        )
        .await
    }

    /// Asks, also while the store is away, what was invalidated above `after`.
    pub(super) async fn invalidations(
        &self,
        clock: &Clock,
        after: Epoch,
        limit: Duration,
    ) -> Result<Invalidations, StoreError> {
        let news = within(clock, limit, self.store.invalidations(after)).await?;
        if news.until < after {
            // Its numbers mean nothing here any more: content cannot be told to be older than one.
            return Err(StoreError::new(
                "the store has forgotten invalidations that it had recorded",
            ));
        }
        Ok(news)
    }
}

/// Why a request was not told in time what it asked.
enum Unanswered {
    Failed(StoreError),
    /// Others that it waited for before left less than half of its time for this. That says nothing
    /// of the store but that it is slow.
    Rushed,
}

impl From<Unanswered> for StoreError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Failed(error) => error,
            Unanswered::Rushed => late(),
        }
    }
}

fn late() -> StoreError {
    StoreError::new("the store did not answer in time")
}

async fn within<T>(
    clock: &Clock,
    limit: Duration,
    answer: StoreFuture<'_, T>,
) -> Result<T, StoreError> {
    clock
        .within(limit, answer)
        .await
        .unwrap_or_else(|| Err(late()))
}
