//! The task that follows what other instances invalidate.
//!
//! The promise: let an invalidation resolve at T, on any instance. Every request that begins later
//! than T plus the bound on staleness sees its effect. So an instance remembers *when it asked* the
//! store for the last answer that it has put into force. A request that begins within the bound
//! after that moment is answered from memory. For a request that begins later, the instance is cut
//! off as far as it knows.

use std::future::pending;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::{sync::oneshot, task::yield_now};

use super::clock::{Clock, Moment};
use super::entry::Value;
use super::key::CacheKey;
use super::second::Second;
use super::stats::count;
use super::{Core, Engine};
use crate::store::{Invalidation, Invalidations, StoreError, Tag};

/// The time after which the store is asked again, unless it reports an invalidation earlier.
const TICK: Duration = Duration::from_millis(500);

/// The shortest such time, however short the bound on staleness.
const SHORTEST_TICK: Duration = Duration::from_millis(5);

impl<K: CacheKey, V: Value> Engine<K, V> {
    /// Invalidates all content that depends on one of `tags` and whose render has begun by now.
    ///
    /// Once this has resolved, no request that begins here is answered with such content. On other
    /// instances, no request is that begins later than the bound on staleness.
    ///
    /// # Errors
    ///
    /// Fails if the store behind memory did not confirm that it recorded the invalidation, or if
    /// the other invalidations that it recorded could not be read. Then nothing is invalidated
    /// here: content that other instances still serve would come back from them. Asking again is
    /// safe.
    pub(crate) async fn invalidate(
        &self,
        tags: &[Tag],
        how: Invalidation,
    ) -> Result<(), StoreError> {
        let Core {
            clock,
            epochs,
            second,
            ..
        } = &*self.0;
        let Some(second) = second else {
            epochs.invalidate(tags, how);
            return Ok(());
        };
        let before = epochs.published();
        let epoch = second.invalidate(clock, tags, how).await?;
        if epoch <= before {
            // The store has lost its record and counts anew. With such a number, this invalidation
            // would be taken for one that is in force already, and would never come into force.
            // When the store is asked, it learns how far the numbers had come. It then rises above
            // them, and says that everything older is invalidated.
            self.catch_up().await?;
            return if epochs.published() > before {
                Ok(())
            } else {
                Err(StoreError::new(
                    "the store gave an invalidation a number that it had given before",
                ))
            };
        }
        if epochs.follow(epoch, tags, how) {
            return Ok(());
        }
        self.catch_up().await?;
        if epochs.published() >= epoch {
            Ok(())
        } else {
            Err(StoreError::new(
                "the store does not report an invalidation that it has recorded",
            ))
        }
    }

    /// Learns from the store behind memory what other instances have invalidated. Does nothing if
    /// there is no store.
    ///
    /// # Errors
    ///
    /// Fails if the store does not answer, or has forgotten what it had recorded.
    pub(crate) async fn catch_up(&self) -> Result<(), StoreError> {
        match &self.0.second {
            Some(second) => self.0.catch_up(second, second.limits.store_write).await,
            None => Ok(()),
        }
    }

    /// Starts to follow what other instances invalidate, in a task that ends with the engine. From
    /// now on, content in memory counts as verified only while the store can be asked.
    pub(crate) fn follow(&self) {
        let Some(second) = &self.0.second else { return };
        let (alive, gone) = oneshot::channel();
        if self.0.following.set(alive).is_err() {
            return;
        }
        second.begin_promise();
        self.0.spawn.spawn(Box::pin(follow(
            Arc::downgrade(&self.0),
            Arc::clone(second),
            self.0.clock.clone(),
            gone,
        )));
    }
}

impl<K: CacheKey, V: Value> Core<K, V> {
    pub(super) async fn catch_up(
        &self,
        second: &Second,
        limit: Duration,
    ) -> Result<(), StoreError> {
        let asked = self.clock.now();
        let after = self.epochs.published();
        let news = second.invalidations(&self.clock, after, limit).await;
        self.apply_news(second, asked, news)
    }

    /// Returns whether this instance has been out of contact with the store for longer than the
    /// bound on staleness, without knowing that the store is away. Its process may have been
    /// stopped.
    pub(super) fn is_out_of_contact(&self, now: Moment) -> bool {
        let is_out = |second: &Arc<Second>| !second.is_verified(now) && !second.is_away();
        self.second.as_ref().is_some_and(is_out)
    }

    /// Asks the store what was invalidated, if this instance is out of contact. All requests wait
    /// for one question, for as long as a request may wait for the store.
    pub(super) async fn regain_contact(&self) {
        if !self.is_out_of_contact(self.clock.now()) {
            return;
        }
        let Some(second) = &self.second else { return };
        let _asking = second.asking.lock().await;
        // Another request may have asked meanwhile. If that failed, the store counts as away.
        if self.is_out_of_contact(self.clock.now()) {
            self.catch_up(second, second.limits.store_read).await.ok();
        }
    }

    /// Puts into force the invalidations that the store reported.
    fn apply_news(
        &self,
        second: &Second,
        asked: Moment,
        news: Result<Invalidations, StoreError>,
    ) -> Result<(), StoreError> {
        match news {
            Ok(news) => {
                self.epochs.adopt(&news);
                second.verify(asked, self.clock.now());
                Ok(())
            }
            Err(error) => {
                count(&self.counters.store_failures);
                second.mark_away(&error);
                Err(error)
            }
        }
    }
}

/// Follows the store until the engine is gone. It holds the engine only for moments, so that
/// waiting for the store does not keep the engine alive.
async fn follow<K: CacheKey, V: Value>(
    core: Weak<Core<K, V>>,
    second: Arc<Second>,
    clock: Clock,
    mut gone: oneshot::Receiver<()>,
) {
    let store = Arc::clone(second.store());
    let tick = TICK.min(second.staleness / 2).max(SHORTEST_TICK);
    // Called before the invalidations are read each time, so that none is missed between the two.
    let mut changed = Some(store.changed());
    loop {
        let asked = clock.now();
        let Some(after) = core.upgrade().map(|core| core.epochs.published()) else {
            return;
        };
        let news = tokio::select! {
            biased;
            _ = &mut gone => return,
            news = second.invalidations(&clock, after, second.limits.store_write) => news,
        };
        let Some(held) = core.upgrade() else { return };
        // A failure has already been counted and logged.
        held.apply_news(&second, asked, news).ok();
        drop(held);

        let next = async {
            match &mut changed {
                Some(changed) => changed.await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = &mut gone => return,
            // A store that cannot report now is asked again after the tick.
            heard = next => changed = heard.ok().map(|()| store.changed()),
            () = clock.sleep(tick) => {
                changed.get_or_insert_with(|| store.changed());
            }
        }
        // A store that changes all the time must not keep this thread from all other work.
        yield_now().await;
    }
}
