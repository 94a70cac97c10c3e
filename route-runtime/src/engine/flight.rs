//! Flights: one render per key, however many requests wait for it.
//!
//! The first request for a key [leads](Lead): it owes the others an end of the flight. The others
//! [follow](Follow). A lead may be dropped without having landed, because its task was dropped or
//! panicked. Then the flight ends as [`Abandoned`](End::Abandoned): all followers wake and ask
//! again, and one of them leads. The key is free before any follower wakes.
//!
//! A render may wait for other renders. Each such wait is recorded, and a wait that would close a
//! circle is refused.
//!
//! This module is synchronous and built from `std` alone. Waiting is a future over a list of
//! wakers.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The number of a flight. No number is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FlightId(u64);

/// The end of a flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End<T> {
    /// The flight ended with something for all who waited.
    Landed(T),
    /// The flight ended with nothing. Its followers ask again.
    Abandoned,
}

/// The role of a request in the flight of its key.
#[derive(Debug)]
pub(crate) enum Join<K: Eq + Hash, M, T> {
    Lead(Lead<K, M, T>),
    Follow(Follow<M, T>),
}

/// The flights of an engine, keyed by `K`. Each ends with a `T`, and has an `M` that its followers
/// can reach while it is under way.
#[derive(Debug)]
pub(crate) struct Flights<K, M, T> {
    table: Arc<Mutex<FlightTable<K, M, T>>>,
    waits: Arc<Mutex<WaitsFor>>,
}

#[derive(Debug)]
struct FlightTable<K, M, T> {
    flying: HashMap<K, Arc<KeyFlight<M, T>>>,
    next: u64,
}

#[derive(Debug)]
struct KeyFlight<M, T> {
    id: FlightId,
    meta: M,
    state: Mutex<FlightState<T>>,
}

#[derive(Debug)]
struct FlightState<T> {
    end: Option<End<T>>,
    /// A place for each request that waits.
    wakers: Vec<Option<Waker>>,
    /// The free places among the wakers. They are used again, since waiting clients come and go.
    free: Vec<usize>,
}

impl<K: Eq + Hash + Clone, M, T: Clone> Flights<K, M, T> {
    pub(crate) fn new() -> Self {
        Self {
            table: Arc::new(Mutex::new(FlightTable {
                flying: HashMap::new(),
                next: 0,
            })),
            waits: Arc::new(Mutex::new(WaitsFor::default())),
        }
    }

    /// Starts to lead the flight of `key` if there is none, otherwise follows it.
    pub(crate) fn join(&self, key: &K, meta: impl FnOnce() -> M) -> Join<K, M, T> {
        let mut table = lock(&self.table);
        if let Some(flight) = table.flying.get(key) {
            return Join::Follow(Follow(Arc::clone(flight)));
        }
        table.next += 1;
        let flight = Arc::new(KeyFlight {
            id: FlightId(table.next),
            meta: meta(),
            state: Mutex::new(FlightState {
                end: None,
                wakers: Vec::new(),
                free: Vec::new(),
            }),
        });
        table.flying.insert(key.clone(), Arc::clone(&flight));
        Join::Lead(Lead {
            table: Arc::clone(&self.table),
            key: key.clone(),
            flight,
            end: End::Abandoned,
        })
    }

    /// Records that the render of flight `waiter` waits for flight `awaited`, until the returned
    /// value is dropped. Returns `None` if `waiter` would thereby wait for itself.
    pub(crate) fn wait_for(&self, waiter: FlightId, awaited: FlightId) -> Option<Waiting> {
        let mut waits = lock(&self.waits);
        if waits.leads_to(awaited, waiter) {
            return None;
        }
        waits.0.entry(waiter).or_default().push(awaited);
        Some(Waiting {
            waits: Arc::clone(&self.waits),
            waiter,
            awaited,
        })
    }

    /// Returns the number of flights under way.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        lock(&self.table).flying.len()
    }
}

/// The duty to end a flight, by [landing](Lead::land) it or by being dropped.
#[derive(Debug)]
pub(crate) struct Lead<K: Eq + Hash, M, T> {
    table: Arc<Mutex<FlightTable<K, M, T>>>,
    key: K,
    flight: Arc<KeyFlight<M, T>>,
    end: End<T>,
}

impl<K: Eq + Hash, M, T> Lead<K, M, T> {
    pub(crate) fn id(&self) -> FlightId {
        self.flight.id
    }

    pub(crate) fn key(&self) -> &K {
        &self.key
    }

    pub(crate) fn meta(&self) -> &M {
        &self.flight.meta
    }

    /// Returns a follower, by which the request that leads waits like the others.
    pub(crate) fn follow(&self) -> Follow<M, T> {
        Follow(Arc::clone(&self.flight))
    }

    /// Ends the flight. The content that later requests are to find must be in place by now.
    pub(crate) fn land(mut self, content: T) {
        self.end = End::Landed(content);
    }
}

impl<K: Eq + Hash, M, T> Drop for Lead<K, M, T> {
    fn drop(&mut self) {
        // The key is removed first: a follower that wakes and asks again must not find this flight.
        let entry = lock(&self.table).flying.remove_entry(&self.key);
        let mut state = lock(&self.flight.state);
        state.end = Some(std::mem::replace(&mut self.end, End::Abandoned));
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        drop(entry);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

/// The handle with which a request waits for a flight.
#[derive(Debug)]
pub(crate) struct Follow<M, T>(Arc<KeyFlight<M, T>>);

impl<M, T: Clone> Follow<M, T> {
    pub(crate) fn id(&self) -> FlightId {
        self.0.id
    }

    pub(crate) fn meta(&self) -> &M {
        &self.0.meta
    }

    /// Waits until the flight has ended.
    pub(crate) fn end(&self) -> Ending<'_, M, T> {
        Ending {
            flight: &self.0,
            place: None,
        }
    }
}

/// A future that resolves when a flight has ended.
#[derive(Debug)]
pub(crate) struct Ending<'a, M, T> {
    flight: &'a KeyFlight<M, T>,
    place: Option<usize>,
}

impl<M, T: Clone> Future for Ending<'_, M, T> {
    type Output = End<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End<T>> {
        let flight = self.flight;
        let mut state = lock(&flight.state);
        if let Some(end) = &state.end {
            return Poll::Ready(end.clone());
        }
        let place = *self.place.get_or_insert_with(|| match state.free.pop() {
            Some(place) => place,
            None => {
                state.wakers.push(None);
                state.wakers.len() - 1
            }
        });
        match &mut state.wakers[place] {
            Some(waker) => waker.clone_from(cx.waker()),
            empty => *empty = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl<M, T> Drop for Ending<'_, M, T> {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let mut state = lock(&self.flight.state);
        // Once the flight has ended, its list of wakers is gone.
        if state.end.is_none() {
            let waker = state.wakers[place].take();
            state.free.push(place);
            drop(state);
            drop(waker);
        }
    }
}

/// The flights that each flight waits for. A render may wait for several at once, and twice for
/// the same one.
#[derive(Debug, Default)]
struct WaitsFor(HashMap<FlightId, Vec<FlightId>>);

impl WaitsFor {
    fn leads_to(&self, from: FlightId, to: FlightId) -> bool {
        let mut seen = vec![from];
        let mut next = 0;
        while let Some(&flight) = seen.get(next) {
            if flight == to {
                return true;
            }
            for awaited in self.0.get(&flight).into_iter().flatten() {
                if !seen.contains(awaited) {
                    seen.push(*awaited);
                }
            }
            next += 1;
        }
        false
    }
}

/// The record that one flight waits for another, for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Waiting {
    waits: Arc<Mutex<WaitsFor>>,
    waiter: FlightId,
    awaited: FlightId,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waits = lock(&self.waits);
        if let Some(awaited) = waits.0.get_mut(&self.waiter) {
            if let Some(place) = awaited.iter().position(|&id| id == self.awaited) {
                awaited.swap_remove(place);
            }
            if awaited.is_empty() {
                waits.0.remove(&self.waiter);
            }
        }
    }
}

/// Locks a mutex, even a poisoned one. The protected value is whole at every point where a panic
/// could start.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
