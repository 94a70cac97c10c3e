//! The admission of renders, of refreshes and of reads of the store: each has a number of places,
//! shared out among owners by the rule of [`Shares`].

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::shares::Shares;
use super::stats::RenderShare;
use super::{Clock, Failure, Limits};
use crate::owner::Owner;
use crate::target;

/// The admission of work, within the [`Limits`].
#[derive(Debug)]
pub(super) struct Admission {
    limits: Limits,
    renders: Arc<Places>,
    refreshes: Arc<Places>,
    reads: Arc<Places>,
}

impl Admission {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            renders: Places::new("renders", limits.places.renders),
            refreshes: Places::new("refreshes", limits.places.refreshes),
            reads: Places::new("reads of the store", limits.reads),
        }
    }

    /// Admits a refresh, or refuses it. A refresh never waits, because no request waits for it.
    pub(super) fn admit_refresh(&self, owner: Owner) -> Option<Admitted> {
        self.refreshes.take(owner)
    }

    /// Returns whether a refresh would be refused now.
    pub(super) fn refuses_refresh(&self, owner: Owner) -> bool {
        !self.refreshes.lock().may_take(owner)
    }

    /// Waits until a render that requests wait for may run.
    ///
    /// A notification of `hurry` lets it run at once and uncounted. It says that a render which is
    /// already admitted has come to wait for this one, and would hold its own place in the
    /// meantime.
    pub(super) async fn admit_render(
        &self,
        owner: Owner,
        clock: &Clock,
        hurry: &Notify,
    ) -> Result<Option<Admitted>, Failure> {
        self.admit(&self.renders, owner, clock, hurry.notified())
            .await
    }

    /// Waits until the store may be asked about an entry. Places for that come back soon, because
    /// the store is never waited for long.
    pub(super) async fn admit_read(
        &self,
        owner: Owner,
        clock: &Clock,
    ) -> Result<Option<Admitted>, Failure> {
        self.admit(&self.reads, owner, clock, pending()).await
    }

    async fn admit(
        &self,
        places: &Arc<Places>,
        owner: Owner,
        clock: &Clock,
        hurry: impl Future<Output = ()>,
    ) -> Result<Option<Admitted>, Failure> {
        if let Some(place) = places.take(owner) {
            return Ok(Some(place));
        }
        let Some(waiting) = places.wait(owner, self.limits.queue) else {
            return Err(self.turn_away(places, owner));
        };
        let Queued { turn, ticket } = waiting;
        let turned = tokio::select! {
            biased;
            place = turn => return Ok(place.ok()),
            () = hurry => Ok(None),
            () = clock.sleep(self.limits.queue_wait) => Err(self.turn_away(places, owner)),
        };
        drop(ticket);
        turned
    }

    /// Returns the failure of a request that is turned away. Logs only the first of a series.
    fn turn_away(&self, places: &Places, owner: Owner) -> Failure {
        let mut shares = places.lock();
        if shares.refuse(owner) {
            let busiest = shares.iter().max_by_key(|(_, share)| share.taken);
            let (busiest, most) = busiest.map_or((owner, 0), |(busiest, it)| (busiest, it.taken));
            let Places { what, count, .. } = places;
            tracing::warn!(
                target: target::CACHE,
                "`{owner}` has all the {what} that it may have at once, and too many more wait: some \
                 of its requests are answered with 503. See what hangs there, lower its \
                 `max_duration`, or raise ROUTE_RENDERS. `{busiest}` has most of the places for \
                 {what}: {most} of {count}"
            );
        }
        Failure::Overloaded {
            owner,
            retry_after: self.limits.retry_after,
        }
    }

    /// Returns the renders of each owner that runs some, waits for some, or was turned away, the
    /// busiest first.
    pub(super) fn shares(&self) -> Vec<RenderShare> {
        let mut all: BTreeMap<Owner, RenderShare> = BTreeMap::new();
        for (owner, share) in self.renders.lock().iter() {
            let all = all.entry(owner).or_insert(RenderShare::of(owner));
            all.running = share.taken as u64;
            all.waiting = share.waiting.len() as u64;
            all.overloaded = share.refused;
        }
        for (owner, share) in self.refreshes.lock().iter() {
            let all = all.entry(owner).or_insert(RenderShare::of(owner));
            all.refreshing = share.taken as u64;
        }
        for (owner, share) in self.reads.lock().iter() {
            if share.refused > 0 {
                let all = all.entry(owner).or_insert(RenderShare::of(owner));
                all.overloaded += share.refused;
            }
        }
        let mut all: Vec<_> = all.into_values().collect();
        all.sort_by_key(|share| (Reverse(share.running + share.refreshing), share.handler));
        all
    }
}

/// A number of places for one kind of work.
#[derive(Debug)]
struct Places {
    what: &'static str,
    count: usize,
    shares: Mutex<Shares<Waiter>>,
    tickets: AtomicU64,
}

/// A wait for a place, as its queue knows it.
#[derive(Debug)]
struct Waiter {
    number: u64,
    turn: oneshot::Sender<Admitted>,
}

/// A wait for a place, as the one that waits knows it.
struct Queued {
    turn: oneshot::Receiver<Admitted>,
    ticket: Ticket,
}

/// A right to wait. Whoever drops it leaves the queue.
struct Ticket {
    places: Arc<Places>,
    owner: Owner,
    number: u64,
}

/// A place that was taken. It comes back when this value is dropped, also by a panic.
#[derive(Debug)]
pub(super) struct Admitted {
    places: Arc<Places>,
    owner: Owner,
}

impl Places {
    fn new(what: &'static str, count: usize) -> Arc<Self> {
        Arc::new(Self {
            what,
            count,
            shares: Mutex::new(Shares::new(count)),
            tickets: AtomicU64::new(0),
        })
    }

    fn take(self: &Arc<Self>, owner: Owner) -> Option<Admitted> {
        self.lock().take(owner).then(|| self.place(owner))
    }

    /// Returns `None` if the owner's queue is full.
    fn wait(self: &Arc<Self>, owner: Owner, longest: usize) -> Option<Queued> {
        let (sender, turn) = oneshot::channel();
        let number = self.tickets.fetch_add(1, Ordering::Relaxed);
        let waiter = Waiter {
            number,
            turn: sender,
        };
        let mut shares = self.lock();
        // A place may have come back since the owner was refused one.
        if shares.take(owner) {
            drop(waiter.turn.send(self.place(owner)));
        } else {
            shares.wait(owner, waiter, longest).ok()?;
        }
        let places = Arc::clone(self);
        Some(Queued {
            turn,
            ticket: Ticket {
                places,
                owner,
                number,
            },
        })
    }

    fn place(self: &Arc<Self>, owner: Owner) -> Admitted {
        Admitted {
            places: Arc::clone(self),
            owner,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shares<Waiter>> {
        // Nothing that holds the lock can panic halfway through a change.
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let next = self.places.lock().give_back(self.owner);
        // Sent without the lock: the place of one that has gone comes back at once.
        for (owner, waiter) in next {
            drop(waiter.turn.send(self.places.place(owner)));
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let number = self.number;
        let is_it = |waiter: &Waiter| waiter.number == number;
        // Dropped without the lock.
        let left = self.places.lock().leave(self.owner, is_it);
        drop(left);
    }
}
