//! One render per key, however many wait for it.
//!
//! The first to ask for a key [leads](Lead): it owes the others an end. The rest
//! [follow](Follow). A lead that is dropped without having landed, because its task was dropped
//! or panicked, ends the flight as [`Abandoned`](End::Abandoned): everyone wakes, asks again, and
//! one of them leads. The key is free before anyone wakes.
//!
//! A render may wait for other renders. Who waits for whom is recorded, and a wait that would
//! close a circle is refused.
//!
//! Synchronous and built from `std` alone; waiting is a future over a list of wakers.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tells flights apart. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FlightId(u64);

/// How a flight ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End<T> {
    /// With something for all who waited.
    Landed(T),
    /// With nothing: ask again.
    Abandoned,
}

/// What a request for a key becomes.
#[derive(Debug)]
pub(crate) enum Join<K: Eq + Hash, M, T> {
    Lead(Lead<K, M, T>),
    Follow(Follow<M, T>),
}

/// The flights of an engine: keyed by `K`, ending with a `T`, each with something (`M`) that its
/// followers can reach while it is under way.
#[derive(Debug)]
pub(crate) struct Flights<K, M, T> {
    table: Arc<Mutex<Table<K, M, T>>>,
    waits: Arc<Mutex<Waits>>,
}

#[derive(Debug)]
struct Table<K, M, T> {
    flying: HashMap<K, Arc<Flight<M, T>>>,
    next: u64,
}

#[derive(Debug)]
struct Flight<M, T> {
    id: FlightId,
    meta: M,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    end: Option<End<T>>,
    /// A place for each who waits; free ones are listed, since waiting clients come and go.
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl<K: Eq + Hash + Clone, M, T: Clone> Flights<K, M, T> {
    pub(crate) fn new() -> Self {
        Self {
            table: Arc::new(Mutex::new(Table {
                flying: HashMap::new(),
                next: 0,
            })),
            waits: Arc::new(Mutex::new(Waits::default())),
        }
    }

    /// Leads the flight of `key` if there is none, else follows it.
    pub(crate) fn join(&self, key: &K, meta: impl FnOnce() -> M) -> Join<K, M, T> {
        let mut table = lock(&self.table);
        if let Some(flight) = table.flying.get(key) {
            return Join::Follow(Follow(Arc::clone(flight)));
        }
        table.next += 1;
        let flight = Arc::new(Flight {
            id: FlightId(table.next),
            meta: meta(),
            state: Mutex::new(State {
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
    /// value is dropped. `None` if it would thereby wait for itself.
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

    /// Returns how many flights are under way.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        lock(&self.table).flying.len()
    }
}

/// The duty to end a flight, by [landing](Lead::land) it or by being dropped.
#[derive(Debug)]
pub(crate) struct Lead<K: Eq + Hash, M, T> {
    table: Arc<Mutex<Table<K, M, T>>>,
    key: K,
    flight: Arc<Flight<M, T>>,
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

    /// Lets whoever started the flight wait for it like the others.
    pub(crate) fn follow(&self) -> Follow<M, T> {
        Follow(Arc::clone(&self.flight))
    }

    /// Ends the flight. What those who come later are to find must be in place by now.
    pub(crate) fn land(mut self, content: T) {
        self.end = End::Landed(content);
    }
}

impl<K: Eq + Hash, M, T> Drop for Lead<K, M, T> {
    fn drop(&mut self) {
        // The key first: who is woken and asks again must not find this flight.
        let entry = lock(&self.table).flying.remove_entry(&self.key);
        let mut state = lock(&self.flight.state);
        state.end = Some(std::mem::replace(&mut self.end, End::Abandoned));
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        drop(entry);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

/// Someone else's flight.
#[derive(Debug)]
pub(crate) struct Follow<M, T>(Arc<Flight<M, T>>);

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

/// Resolves when a flight has ended.
#[derive(Debug)]
pub(crate) struct Ending<'a, M, T> {
    flight: &'a Flight<M, T>,
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
        // Once the flight has ended its list of wakers is gone.
        if state.end.is_none() {
            let waker = state.wakers[place].take();
            state.free.push(place);
            drop(state);
            drop(waker);
        }
    }
}

/// Which flights wait for which. A render may wait for several at once, and twice for one.
#[derive(Debug, Default)]
struct Waits(HashMap<FlightId, Vec<FlightId>>);

impl Waits {
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

/// That one flight waits for another, for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Waiting {
    waits: Arc<Mutex<Waits>>,
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

/// What the locks protect is whole at every point where a panic could start.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
