//! The questions that a flight asks the store behind memory before it renders.

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
use super::{Core, Engine, Keep, KeyPlace};
use crate::owner::Owner;
use crate::store::{Lease, LeaseToken, Standing, StoreError};

/// The first pause before the store is read again for an entry that another instance renders.
const FIRST_LOOK: Duration = Duration::from_millis(20);
/// The longest such pause. Each pause is twice as long as the one before.
const LAST_LOOK: Duration = Duration::from_millis(200);

/// The number of times that an entry is read until all that its render had seen is in force here.
const READS: usize = 3;

/// The longest rest of an entry that another instance refreshes. Then the store is read again,
/// which by then may have what the other instance made.
const REST: Duration = Duration::from_secs(1);

/// The requests that wait for a flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// Requests wait, for as long as a render may take.
    For(Duration),
    /// No request waits: all are answered with stale content.
    Nobody,
}

/// The questions of a flight to the store.
pub(super) struct Asking<'a, K, V: Value> {
    pub(super) place: &'a KeyPlace<'a, K, V>,
    /// The treatment of stale content from the store.
    pub(super) stale: Stale,
    pub(super) waits: Waits,
}

/// The fate of a flight once the store has been asked: it lands, or it renders.
pub(super) struct FromStore<V: Value> {
    /// The landing, if the flight needs no render.
    pub(super) landing: Option<Landing<V>>,
    /// The right to render, among all instances. It must be given back in any case.
    pub(super) lease: Option<LeaseToken>,
}

impl<V: Value> FromStore<V> {
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
    /// Takes into memory the entry of the store that a request would be answered with, fresh or
    /// stale. Starts no render. Returns whether the store had such an entry and memory had none.
    pub(crate) async fn recall(&self, key: &K, slot: Option<&CacheSlot<V>>) -> bool {
        let core = &self.0;
        let place = KeyPlace {
            key,
            slot,
            also: &[],
            owner: Owner::NOBODY,
            keep: Keep::Listed,
        };
        let Some(second) = &core.second else {
            return false;
        };
        // The leader of a flight that is under way renders or adopts something newer.
        let Join::Lead(lead) = core.flights.join(key, Notify::new) else {
            return false;
        };
        if core.read_memory(&place).is_some() {
            return false;
        }
        let until = core.clock.now().after(second.limits.store_read);
        let found = core
            .adopt_from_store(second, &place, Stale::Serve, until)
            .await;
        lead.land(Landing::Look);
        matches!(found, Ok(Some(_)))
    }
}

impl<K: CacheKey, V: Value> Engine<K, V> {
    /// Removes the entry of a key from the store. The entry in memory stays.
    pub(crate) async fn forget(&self, key: &K) {
        if let Some(second) = &self.0.second {
            let removed = second.remove(&self.0.clock, key).await;
            self.0.count_store_failure(removed).ok();
        }
    }

    /// Removes this entry, which is of no use to the request that got it, from memory and from the
    /// store. Removes nothing if memory has another entry. What lands at the same moment may be
    /// removed too, and is then rendered again.
    pub(crate) async fn discard(&self, key: &K, entry: &Arc<Entry<V>>, keep: Keep) {
        let memory = &self.0.memory;
        match memory.read(key) {
            Some(Held::Entry(held)) if !Arc::ptr_eq(&held, entry) => return,
            _ => memory.remove(key),
        }
        if keep != Keep::InMemory {
            self.forget(key).await;
        }
    }
}

impl<K: CacheKey, V: Value> Core<K, V> {
    /// Returns the store behind memory, if it has a part in keeping the content.
    pub(super) fn second_for(&self, keep: Keep) -> Option<&Second> {
        match keep {
            Keep::InMemory => None,
            Keep::Unlisted | Keep::Listed => self.second.as_deref(),
        }
    }

    /// Looks in the store for something better than what is in memory. If the store has nothing,
    /// asks it for the lease to render. While another instance holds the lease, waits for what
    /// that instance makes.
    ///
    /// A store that does not answer is waited for once, for [`Limits::store_read`] in all.
    ///
    /// [`Limits::store_read`]: super::Limits::store_read
    pub(super) async fn ask_store_first(&self, asking: Asking<'_, K, V>) -> FromStore<V> {
        let Asking {
            place,
            stale,
            waits,
        } = asking;
        let Some(second) = self.second_for(place.keep) else {
            return FromStore::render(None);
        };
        let begun = self.clock.now();
        let mut pause = FIRST_LOOK;
        // The moment at which the lease that this flight waits for runs out.
        let mut held_until = None;
        loop {
            // Given back before this flight waits for another instance. A refresh has a place as
            // long as it is under way.
            let reading = match waits {
                Waits::Nobody => None,
                Waits::For(_) => match self.admission.admit_read(place.owner, &self.clock).await {
                    Ok(reading) => reading,
                    Err(failure) => return FromStore::land(Landing::Refused(failure), None),
                },
            };
            // The limit counts from now, when the question is sent.
            let until = self.clock.now().after(second.limits.store_read);
            match self.adopt_from_store(second, place, stale, until).await {
                Ok(Some(landing)) => return FromStore::land(landing, None),
                Ok(None) => {}
                Err(_) => return FromStore::render(None),
            }
            let lease = second
                .lease(&self.clock, &*self.spawn, place.key, until)
                .await;
            let left = match self.count_store_failure(lease) {
                Ok(Some(Lease::Held(left))) => left,
                Ok(Some(Lease::Granted(token))) => {
                    // Since the read, the previous holder may have written an entry and given the
                    // lease back.
                    let found = self.adopt_from_store(second, place, stale, until).await;
                    let landing = found.unwrap_or_default();
                    let is_given_back = held_until.is_some_and(|end| self.clock.now() < end);
                    if landing.is_none() && is_given_back {
                        // The previous holder made nothing for others, and this flight may make
                        // nothing for others either. So it renders without the lease: the
                        // instances that waited with it must not wait for each other in turn.
                        self.release_lease(place.key, Some(token)).await;
                        return FromStore::render(None);
                    }
                    return FromStore {
                        landing,
                        lease: Some(token),
                    };
                }
                Ok(None) | Err(_) => return FromStore::render(None),
            };
            let now = self.clock.now();
            held_until = Some(now.after(left));
            let patience = match waits {
                Waits::Nobody => {
                    if let Some(Held::Entry(entry)) = self.read_memory(place) {
                        entry.rest_for(now, left.clamp(FIRST_LOOK, REST));
                    }
                    return FromStore::land(Landing::Look, None);
                }
                Waits::For(patience) => patience.saturating_sub(now.since(begun)),
            };
            if patience.is_zero() {
                return FromStore::render(None);
            }
            drop(reading);
            let wait = pause.min(left.max(FIRST_LOOK)).min(patience);
            self.clock.sleep(wait).await;
            pause = LAST_LOOK.min(pause * 2);
        }
    }

    /// Takes the entry of the store into memory, if the request can use it: a fresh entry always,
    /// a stale one only under [`Stale::Serve`].
    async fn adopt_from_store(
        &self,
        second: &Second,
        place: &KeyPlace<'_, K, V>,
        stale: Stale,
        until: Moment,
    ) -> Result<Option<Landing<V>>, StoreError> {
        let now = self.clock.now();
        if second.is_away() {
            return Ok(None);
        }
        if !second.is_verified(now) {
            // The entry in the store may have been invalidated, and only the store may know it yet.
            self.catch_up(second, until.since(now)).await?;
        }
        let Some(entry) = self
            .read_store(second, place.key, until)
            .await?
            .map(Arc::new)
        else {
            return Ok(None);
        };
        let age = self.clock.now().since(entry.created());
        let standing = self.entry_standing(&entry, place.also);
        Ok(match (standing, entry.lifetime().freshness(age)) {
            (Standing::Valid, Freshness::Fresh) => {
                count(&self.counters.adopted);
                self.write_entry(place, &entry);
                Some(Landing::Entry(entry, Origin::Adopted))
            }
            (Standing::Absent, _) | (_, Freshness::Expired) => None,
            // Stale: the requests that look again find it, take it and start a refresh.
            _ => {
                let adopted = stale == Stale::Serve && self.write_entry(place, &entry);
                adopted.then(|| {
                    count(&self.counters.adopted);
                    Landing::Look
                })
            }
        })
    }

    /// Reads an entry from the store. Whoever wrote it may have seen more invalidations than this
    /// instance has. Then it counts only once it has been read again with all of them in force: they
    /// may be lost by now, and the numbers may mean others.
    ///
    /// An entry that is not above the mark that the read named needs no such care. The store knew
    /// that mark. If it has lost it since, the floors that rise are above the entry.
    async fn read_store(
        &self,
        second: &Second,
        key: &K,
        until: Moment,
    ) -> Result<Option<Entry<V>>, StoreError> {
        for _ in 0..READS {
            let seen = self.epochs.mark();
            let read = second.read(&self.clock, key, seen, until).await;
            match self.count_store_failure(read)? {
                Some(entry) if entry.started().epoch > seen.epoch => {
                    let left = until.since(self.clock.now());
                    if left < second.limits.store_read / 2 {
                        // An answer that does not come in so short a time says nothing of the store.
                        return Ok(None);
                    }
                    self.catch_up(second, left).await?;
                }
                found => return Ok(found),
            }
        }
        Ok(None)
    }

    pub(super) async fn release_lease(&self, key: &K, lease: Option<LeaseToken>) {
        if let (Some(second), Some(token)) = (&self.second, lease) {
            let released = second.release(&self.clock, key, token).await;
            // A lease that cannot be given back runs out by itself.
            self.count_store_failure(released).ok();
        }
    }

    /// Counts the failure of the store, if the result is one.
    pub(super) fn count_store_failure<T>(
        &self,
        result: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        result.inspect_err(|_| count(&self.counters.store_failures))
    }
}
