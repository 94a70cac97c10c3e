//! The store behind memory, as the engine sees it: in monotonic time, within limits, and left
//! alone while it is down.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;

use super::breaker::{Breaker, Trial};
use super::clock::{Clock, Moment};
use super::entry::{Entry, Made, Value};
use super::freshness::Lifetime;
use super::key::CacheKey;
use super::record::Questions;
use super::{EngineConfig, Keep, Limits, OnPartition, Spawn};
use crate::store::{
    EntryKey, Invalidation, Invalidations, Lease, LeaseToken, Mark, OwnedKey, Recorded, Store,
    StoreError, StoreFuture, StoredEntry, Tag,
};

/// The time by which another machine's clock may be ahead before its entries are not believed.
const SKEW: Duration = Duration::from_secs(5);

/// The time for which a lease is asked, and renewed before it is over. No request waits for longer
/// than this for an instance that has died.
pub(super) const LEASE: Duration = Duration::from_secs(5);

/// The second level of the cache, which is the store behind memory.
pub(super) struct Second {
    store: Arc<dyn Store>,
    build: Arc<str>,
    pub(super) limits: Limits,
    pub(super) staleness: Duration,
    on_partition: OnPartition,
    breaker: Breaker,
    writes: Trial,
    leases: Trial,
    /// The moment at which the store was asked for the last answer about what had been invalidated.
    verified: AtomicU64,
    pub(super) questions: Questions,
}

impl Second {
    /// Makes the second level, if the configuration has a store.
    pub(super) fn from_config(config: &EngineConfig) -> Option<Self> {
        Some(Self {
            store: Arc::clone(config.store.as_ref()?),
            build: Arc::clone(&config.build),
            limits: config.limits,
            staleness: config.staleness,
            on_partition: config.on_partition,
            breaker: Breaker::default(),
            writes: Trial::new("does not take what is written; it is kept in memory only"),
            leases: Trial::new("gives no leases; every instance renders for itself"),
            // Nothing is promised until the engine follows, so until then everything is verified.
            verified: AtomicU64::new(u64::MAX),
            questions: Questions::default(),
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

    /// Returns whether this instance knows everything that other instances invalidated longer ago
    /// than the bound on staleness.
    ///
    /// Call this before reading the record of invalidations. Then the record includes everything
    /// that is verified.
    pub(super) fn is_verified(&self, now: Moment) -> bool {
        let verified = Moment::from_bits(self.verified.load(Ordering::Acquire));
        now.since(verified) <= self.staleness
    }

    pub(super) fn serves_unverified(&self) -> bool {
        self.on_partition == OnPartition::Serve
    }

    /// Begins to promise the bound on staleness. Nothing is verified yet.
    pub(super) fn begin_promise(&self) {
        let never = Moment::MIN.to_bits();
        self.verified.store(never, Ordering::Release);
    }

    /// Records that everything that was invalidated before `asked` is in force here.
    pub(super) fn verify(&self, asked: Moment, now: Moment) {
        self.verified.fetch_max(asked.to_bits(), Ordering::Release);
        // A store that answers slowly holds up requests as much as one that does not answer.
        if now.since(asked) <= self.limits.store_read {
            self.breaker.close(now);
        }
    }

    /// Records that the store is away.
    pub(super) fn mark_away(&self, why: &StoreError) {
        self.breaker.open(why);
    }

    pub(super) fn is_away(&self) -> bool {
        self.breaker.is_open()
    }

    /// Reads an entry, for an instance that has the record in force up to `seen`. Returns `None` if
    /// there is none that can be believed.
    pub(super) async fn read<V: Value>(
        &self,
        clock: &Clock,
        key: &impl CacheKey,
        seen: Mark,
        until: Moment,
    ) -> Result<Option<Entry<V>>, StoreError> {
        let found = self.store.read(self.key(key), seen);
        let found = self.answer_until(clock, until, found).await;
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
            Err(_) => {
                // A clock was ahead. The entry would seem newer than any that is to replace it.
                let removed = self.store.remove(self.key(key));
                self.answer_until(clock, until, removed).await.ok();
                return Ok(None);
            }
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

    /// Writes an entry. Returns `false` if the store refuses it, because its record does not lead to
    /// where the entry's render began.
    pub(super) async fn write<V: Value>(
        &self,
        clock: &Clock,
        key: &impl CacheKey,
        entry: &Entry<V>,
        keep: Keep,
    ) -> Result<bool, StoreError> {
        if !self.takes_writes(clock) {
            return Ok(true);
        }
        let Some(body) = entry.value().encode() else {
            return Ok(true);
        };
        let stored = StoredEntry {
            body,
            created: entry.created_wall(),
            started: entry.started(),
            revalidate: entry.lifetime().revalidate,
            expire: entry.lifetime().expire,
            tags: entry.shared_tags(),
            listed: keep == Keep::Listed,
        };
        self.finish_write(clock, self.store.write(self.key(key), stored))
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
        self.finish_write(clock, self.store.remove(self.key(key)))
            .await
    }

    fn takes_writes(&self, clock: &Clock) -> bool {
        !(self.is_away() || self.writes.rests(clock.now()))
    }

    async fn finish_write<T>(
        &self,
        clock: &Clock,
        written: StoreFuture<'_, T>,
    ) -> Result<T, StoreError> {
        let written = within(clock, self.limits.store_write, written).await;
        match &written {
            Ok(_) => self.writes.succeeded(),
            Err(error) => self.writes.failed(clock.now(), error),
        }
        written
    }

    /// Asks for the lease to render, for [`LEASE`]. Returns `None` if the store cannot be asked now,
    /// because it is away or because leases have failed lately.
    ///
    /// The question is a task of its own: a lease that is granted after this call has ended is given
    /// back.
    pub(super) async fn lease(
        &self,
        clock: &Clock,
        spawn: &dyn Spawn,
        key: &impl CacheKey,
        until: Moment,
    ) -> Result<Option<Lease>, StoreError> {
        let now = clock.now();
        if self.is_away() || self.leases.rests(now) {
            return Ok(None);
        }
        let (asker, mut answered) = oneshot::channel();
        let (store, clock_of_task) = (Arc::clone(&self.store), clock.clone());
        let owned = OwnedKey::from(self.key(key));
        spawn.spawn(Box::pin(async move {
            let lease = store.lease(owned.borrowed(), LEASE);
            // A store that answers later than this has forgotten the lease.
            let Some(lease) = clock_of_task.within(2 * LEASE, lease).await else {
                return;
            };
            if let Err(Ok(Lease::Granted(token))) = asker.send(lease) {
                let released = store.release(owned.borrowed(), token);
                clock_of_task.within(LEASE, released).await;
            }
        }));
        let answer = async {
            let gone = |_| Err(StoreError::new("the question for a lease was dropped"));
            (&mut answered).await.unwrap_or_else(gone)
        };
        let mut lease = self.answer_until(clock, until, Box::pin(answer)).await;
        // The answer may have come just after the time was over.
        answered.close();
        if let (Err(_), Ok(late)) = (&lease, answered.try_recv()) {
            lease = late.map_err(Unanswered::Failed);
        }
        match &lease {
            Ok(_) => self.leases.succeeded(),
            Err(Unanswered::Failed(error)) => self.leases.failed(clock.now(), error),
            Err(Unanswered::Rushed) => {}
        }
        Ok(Some(lease?))
    }

    /// Waits for an answer of the store until a moment. A request asks the store several questions,
    /// and waits for all answers until the same moment.
    async fn answer_until<T>(
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
            None => Err(Unanswered::Failed(late_error())),
        }
    }

    /// Makes a lease last for [`LEASE`] from now on. Returns whether it is still held, as far as is
    /// known.
    async fn renew(&self, clock: &Clock, key: &impl CacheKey, token: LeaseToken) -> bool {
        let renewed = self.store.renew(self.key(key), token, LEASE);
        let renewed = within(clock, self.limits.store_write, renewed).await;
        renewed.unwrap_or(true)
    }

    /// Does something, and renews a lease for as long as that takes.
    pub(super) async fn keeping<T>(
        &self,
        clock: &Clock,
        key: &impl CacheKey,
        token: LeaseToken,
        work: impl Future<Output = T>,
    ) -> T {
        let keep = async {
            loop {
                clock.sleep(LEASE / 3).await;
                if !self.renew(clock, key, token).await {
                    return;
                }
            }
        };
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => done,
            // Another instance has the lease now. What is rendered here is as good.
            () = keep => work.await,
        }
    }

    /// Gives a lease back. If that fails, the lease runs out by itself.
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

    /// Records an invalidation in the store. This is tried even while the store is away, because
    /// the caller must learn whether it succeeded.
    pub(super) async fn invalidate(
        &self,
        clock: &Clock,
        tags: &[Tag],
        how: Invalidation,
        seen: Mark,
    ) -> Result<Recorded, StoreError> {
        let recorded = self.store.invalidate(tags, how, seen);
        within(clock, self.limits.store_write, recorded).await
    }

    /// Asks the store what was invalidated above `seen`, even while the store is away.
    pub(super) async fn invalidations(
        &self,
        clock: &Clock,
        seen: Mark,
        own: Option<Mark>,
        limit: Duration,
    ) -> Result<Invalidations, StoreError> {
        within(clock, limit, self.store.invalidations(seen, own)).await
    }
}

/// The reason why a request got no answer of the store in time.
enum Unanswered {
    Failed(StoreError),
    /// Earlier answers left less than half of the request's time for this one. That shows only
    /// that the store is slow.
    Rushed,
}

impl From<Unanswered> for StoreError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Failed(error) => error,
            Unanswered::Rushed => late_error(),
        }
    }
}

pub(super) fn late_error() -> StoreError {
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
        .unwrap_or_else(|| Err(late_error()))
}
