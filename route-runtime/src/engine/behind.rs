//! What a flight asks the store behind memory before it renders.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use super::ancestry::Stale;
use super::clock::Moment;
use super::entry::{CacheSlot, Entry, Held, Value};
use super::flight::Join;
use super::freshness::Freshness;
use super::key::CacheKey;
use super::landing::{Landing, Origin};
use super::second::Second;
use super::stats::count;
use super::{Core, Engine, Place};
use crate::store::{Lease, LeaseToken, Standing, StoreError};

/// How soon what another instance renders is looked for, and how seldom at last.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LAST_LOOK: Duration = Duration::from_millis(200);

/// How long an entry rests that another instance refreshes. Then the store is read again, which
/// by then may have what that one made.
const REST: Duration = Duration::from_secs(1);

/// Who waits for a flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// Requests, for as long as a render may take.
    For(Duration),
    /// Nobody: they have stale content.
    Nobody,
}

/// What becomes of a flight once the store has been asked.
pub(super) struct Ahead<V: Value> {
    /// Where it lands without a render.
    pub(super) landing: Option<Landing<V>>,
    /// The right to render, among all instances. To be given back in any case.
    pub(super) lease: Option<LeaseToken>,
}

impl<V: Value> Ahead<V> {
    fn land(landing: Landing<V>, lease: Option<LeaseToken>) -> Self {
        Self {
            landing: Some(landing),
            lease,
        }
    }

    fn render(lease: Option<LeaseToken>) -> Self {
        Self {
            landing: None,
            lease,
        }
    }
}

impl<K: CacheKey, V: Value> Engine<K, V> {
    /// Takes from the store what a request would be answered with, fresh or stale, and starts
    /// nothing. Returns whether there is anything now.
    pub(crate) async fn recall(&self, key: &K, slot: Option<&CacheSlot<V>>) -> bool {
        let core = &self.0;
        let place = Place {
            key,
            slot,
            also: &[],
        };
        let Some(second) = &core.second else {
            return false;
        };
        // Whoever leads now renders or adopts something newer.
        let Join::Lead(lead) = core.flights.join(key, Notify::new) else {
            return false;
        };
        if core.held(&place).is_some() {
            return false;
        }
        let until = core.clock.now().after(second.limits.store_read);
        let found = core.adopt(second, &place, Stale::Serve, until).await;
        lead.land(Landing::Look);
        matches!(found, Ok(Some(_)))
    }
}

impl<K: CacheKey, V: Value> Engine<K, V> {
    /// Removes an entry from the store; what is in memory stays.
    pub(crate) async fn forget(&self, key: &K) {
        if let Some(second) = &self.0.second {
            let removed = second.remove(&self.0.clock, key).await;
            self.0.counted(removed).ok();
        }
    }

    /// Removes this entry, which is of no use to whoever got it, from memory and from the store. A
    /// newer one that is in memory stays.
    pub(crate) async fn discard(&self, key: &K, entry: &Arc<Entry<V>>) {
        let memory = &self.0.memory;
        match memory.read(key) {
            Some(Held::Entry(held)) if !Arc::ptr_eq(&held, entry) => return,
            _ => memory.remove(key),
        }
        self.forget(key).await;
    }
}

impl<K: CacheKey, V: Value> Core<K, V> {
    /// Looks in the store for something better than what is in memory, and if it has nothing,
    /// asks it for the right to render. While another instance has that, waits for what it makes.
    ///
    /// A store that does not answer is waited for once, for [`Limits::store_read`] in all.
    ///
    /// [`Limits::store_read`]: super::Limits::store_read
    pub(super) async fn ahead(
        &self,
        place: &Place<'_, K, V>,
        stale: Stale,
        limit: Duration,
        waits: Waits,
    ) -> Ahead<V> {
        let Some(second) = &self.second else {
            return Ahead::render(None);
        };
        // Whoever asks next is to find what was written: so a little longer than a render may be.
        let length = limit + second.limits.store_write;
        let begun = self.clock.now();
        let mut pause = FIRST_LOOK;
        // When the lease runs out that is waited for.
        let mut held_until = None;
        loop {
            let until = self.clock.now().after(second.limits.store_read);
            match self.adopt(second, place, stale, until).await {
                Ok(Some(landing)) => return Ahead::land(landing, None),
                Ok(None) => {}
                Err(_) => return Ahead::render(None),
            }
            let lease = second.lease(&self.clock, place.key, length, until).await;
            let left = match self.counted(lease) {
                Ok(Some(Lease::Held(left))) => left,
                Ok(Some(Lease::Granted(token))) => {
                    // The one before may have written, and given it back, since the look.
                    let found = self.adopt(second, place, stale, until).await;
                    let landing = found.unwrap_or_default();
                    let is_given_back = held_until.is_some_and(|end| self.clock.now() < end);
                    if landing.is_none() && is_given_back {
                        // Whoever had it made nothing for others, and nor may we: those who wait
                        // with us are not to wait for each of us in turn.
                        self.release(place.key, Some(token)).await;
                        return Ahead::render(None);
                    }
                    return Ahead {
                        landing,
                        lease: Some(token),
                    };
                }
                Ok(None) | Err(_) => return Ahead::render(None),
            };
            let now = self.clock.now();
            held_until = Some(now.after(left));
            let patience = match waits {
                Waits::Nobody => {
                    if let Some(Held::Entry(entry)) = self.held(place) {
                        entry.rest_for(now, left.clamp(FIRST_LOOK, REST));
                    }
                    return Ahead::land(Landing::Look, None);
                }
                Waits::For(patience) => patience.saturating_sub(now.since(begun)),
            };
            if patience.is_zero() {
                return Ahead::render(None);
            }
            let wait = pause.min(left.max(FIRST_LOOK)).min(patience);
            self.clock.sleep(wait).await;
            pause = LAST_LOOK.min(pause * 2);
        }
    }

    /// Takes what the store has, if it is better than what is in memory.
    async fn adopt(
        &self,
        second: &Second,
        place: &Place<'_, K, V>,
        stale: Stale,
        until: Moment,
    ) -> Result<Option<Landing<V>>, StoreError> {
        let now = self.clock.now();
        if second.is_away() {
            return Ok(None);
        }
        if !second.is_verified(now) {
            // What is in the store may have been invalidated there, too.
            self.catch_up(second, until.since(now)).await?;
        }
        let read = second.read(&self.clock, place.key, until).await;
        let Some(entry) = self.counted(read)?.map(Arc::new) else {
            return Ok(None);
        };
        let age = self.clock.now().since(entry.created());
        let standing = self.entry_standing(&entry, place.also);
        Ok(match (standing, entry.lifetime().freshness(age)) {
            (Standing::Valid, Freshness::Fresh) => {
                count(&self.counters.adopted);
                self.hold(place, Held::Entry(Arc::clone(&entry)));
                Some(Landing::Entry(entry, Origin::Adopted))
            }
            (Standing::Absent, _) | (_, Freshness::Expired) => None,
            // Stale: whoever looks finds it, takes it and starts a refresh.
            _ => {
                let adopted = stale == Stale::Serve && self.hold(place, Held::Entry(entry));
                adopted.then(|| {
                    count(&self.counters.adopted);
                    Landing::Look
                })
            }
        })
    }

    pub(super) async fn release(&self, key: &K, lease: Option<LeaseToken>) {
        if let (Some(second), Some(token)) = (&self.second, lease) {
            let released = second.release(&self.clock, key, token).await;
            // It runs out by itself.
            self.counted(released).ok();
        }
    }

    /// Counts a failure of the store.
    pub(super) fn counted<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        result.inspect_err(|_| count(&self.counters.store_failures))
    }
}
