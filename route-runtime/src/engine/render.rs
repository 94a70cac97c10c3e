//! What happens in the task of a flight.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use super::admission::Counted;
use super::ancestry::{Ancestry, Stale};
use super::behind::{Ahead, Waits};
use super::entry::{CacheSlot, Claim, Entry, Held, Kept, Made, Value};
use super::flight::Lead;
use super::freshness::Freshness;
use super::key::CacheKey;
use super::landing::{Landing, Origin};
use super::outcome::{Outcome, Rendered};
use super::stats::count;
use super::{Core, Failure, Place};
use crate::panic::message;
use crate::store::{Epoch, Standing, Tag};
use crate::target;

/// A render that others may wait for, ready to start.
pub(super) struct Flight<K: CacheKey, V: Value, R> {
    pub(super) lead: Lead<K, Notify, Landing<V>>,
    pub(super) slot: Option<Arc<CacheSlot<V>>>,
    pub(super) tags: Arc<[Tag]>,
    /// See [`Call::also`](super::Call::also). What is taken from the store must be new enough for
    /// whoever started the flight: it would ask again, and be given the same.
    pub(super) also: Arc<[Tag]>,
    pub(super) limit: Duration,
    pub(super) ancestry: Ancestry<K>,
    pub(super) render: R,
    pub(super) admit: Admit<V>,
    /// Where content for one request only goes: to the one who started the flight, if it waits.
    pub(super) own: Option<oneshot::Sender<V::Individual>>,
    /// Whether stale content from the store behind memory, which is asked first, will do.
    pub(super) adopt: Stale,
}

/// By what right a render runs.
pub(super) enum Admit<V: Value> {
    /// It has been admitted, and gives both back when it is done.
    Refresh { _claim: Claim<V>, _permit: Counted },
    /// As part of a render that has been admitted, or because its caller bounds it.
    AtOnce,
    /// When its turn comes.
    Queue,
}

/// What is left to do once nobody waits any more.
enum Aftermath<V: Value> {
    Nothing,
    Write(Arc<Entry<V>>),
    Remove,
}

impl<K: CacheKey, V: Value> Core<K, V> {
    /// Hands a flight to the spawner.
    pub(super) fn start<R, F>(self: &Arc<Self>, flight: Flight<K, V, R>)
    where
        R: Fn(Ancestry<K>) -> F + Send + 'static,
        F: Future<Output = Rendered<V>> + Send + 'static,
    {
        let core = Arc::clone(self);
        let running = self.tasks.begin();
        self.spawn.spawn(Box::pin(async move {
            core.fly(flight).await;
            // Whoever waits for the last task may be about to drop the engine.
            drop(core);
            drop(running);
        }));
    }

    async fn fly<R, F>(&self, flight: Flight<K, V, R>)
    where
        R: Fn(Ancestry<K>) -> F + Send,
        F: Future<Output = Rendered<V>> + Send,
    {
        let Flight {
            lead,
            slot,
            tags,
            also,
            limit,
            ancestry,
            render,
            admit,
            own,
            adopt,
        } = flight;
        let key = lead.key().clone();
        let place = Place {
            key: &key,
            slot: slot.as_deref(),
            also: &also,
        };
        let waits = match admit {
            Admit::Refresh { .. } => Waits::Nobody,
            Admit::AtOnce | Admit::Queue => Waits::For(limit),
        };
        let Ahead { landing, lease } = self.ahead(&place, adopt, limit, waits).await;
        if let Some(landing) = landing {
            drop(admit);
            lead.land(landing);
            return self.release(&key, lease).await;
        }
        let turn = match admit {
            Admit::Queue => match self.admission.render(&self.clock, lead.meta()).await {
                Ok(turn) => turn,
                Err(failure) => {
                    lead.land(Landing::Refused(failure));
                    return self.release(&key, lease).await;
                }
            },
            Admit::AtOnce | Admit::Refresh { .. } => None,
        };
        let started = self.epochs.published();
        let result = self.run(limit, move || render(ancestry)).await;
        // Of data, whoever asked for it is told.
        if matches!(result, Err(Failure::TimedOut)) && key.belongs_to_build() {
            tracing::warn!(target: target::CACHE, { url.path = key.name() }, "a render took too long");
        }
        let (landing, aftermath) = self.conclude(&place, &tags, started, result, own);
        drop((turn, admit));
        lead.land(landing);
        self.after(&key, aftermath).await;
        // Whoever is given the lease next finds what was written.
        self.release(&key, lease).await;
    }

    /// Runs a render, for at most its limit, and turns a panic into a failure.
    pub(super) async fn run<F>(
        &self,
        limit: Duration,
        render: impl FnOnce() -> F,
    ) -> Result<Rendered<V>, Failure>
    where
        F: Future<Output = Rendered<V>>,
    {
        count(&self.counters.renders);
        // In a block of its own, so that a panic before there is a future is caught, too.
        let mut render = Box::pin(async { render().await });
        let mut limit = self.clock.sleep(limit);
        poll_fn(|cx| {
            let polled = catch_unwind(AssertUnwindSafe(|| render.as_mut().poll(cx)));
            match polled {
                Ok(Poll::Ready(rendered)) => Poll::Ready(Ok(rendered)),
                Ok(Poll::Pending) => Pin::new(&mut limit)
                    .poll(cx)
                    .map(|()| Err(Failure::TimedOut)),
                Err(payload) => Poll::Ready(Err(Failure::Panicked(message(&*payload).into()))),
            }
        })
        .await
    }

    /// Decides what becomes of the result, and puts into memory what those who come next find.
    fn conclude(
        &self,
        place: &Place<'_, K, V>,
        declared: &Arc<[Tag]>,
        started: Epoch,
        result: Result<Rendered<V>, Failure>,
        own: Option<oneshot::Sender<V::Individual>>,
    ) -> (Landing<V>, Aftermath<V>) {
        let now = self.clock.now();
        match result.map(|rendered| (rendered.outcome, joined(declared, rendered.tags))) {
            Ok((
                Outcome::Store {
                    value,
                    lifetime,
                    is_passing,
                },
                tags,
            )) => {
                let made = Made {
                    created: now,
                    created_wall: self.clock.wall(),
                    started,
                };
                let entry = Entry::new(value, lifetime, tags, made);
                self.store(place, Arc::new(entry), is_passing)
            }
            Ok((Outcome::Individual { value, pass }, _)) => {
                self.hold(place, Held::Pass(now.after(pass)));
                if let Some(own) = own {
                    // Whoever started the flight may have gone; then nobody gets it.
                    drop(own.send(value));
                }
                (Landing::Individual, Aftermath::Remove)
            }
            Ok((Outcome::ShareOnce(value), tags)) => {
                self.keep(place, Kept::new(Ok(value), Some(tags), now, started))
            }
            Err(failure) => self.keep(place, Kept::new(Err(failure), None, now, started)),
        }
    }

    fn store(
        &self,
        place: &Place<'_, K, V>,
        entry: Arc<Entry<V>>,
        is_passing: bool,
    ) -> (Landing<V>, Aftermath<V>) {
        if entry.standing(&self.epochs) == Standing::Absent {
            // The old entry, if there is one, may depend on less.
            return (Landing::Entry(entry, Origin::Unstored), Aftermath::Nothing);
        }
        if self.hold(place, Held::Entry(Arc::clone(&entry))) {
            let aftermath = if is_passing {
                // What was there before must not come back when this has passed.
                Aftermath::Remove
            } else {
                Aftermath::Write(Arc::clone(&entry))
            };
            (Landing::Entry(entry, Origin::Stored), aftermath)
        } else {
            count(&self.counters.oversize);
            (Landing::Entry(entry, Origin::Unstored), Aftermath::Remove)
        }
    }

    /// Keeps what is not stored, for a moment, unless there is an entry to fall back on.
    fn keep(&self, place: &Place<'_, K, V>, kept: Kept<V>) -> (Landing<V>, Aftermath<V>) {
        let now = self.clock.now();
        let kept = Arc::new(kept);
        match self.held(place) {
            Some(Held::Entry(old))
                if old.standing(&self.epochs) != Standing::Absent
                    && old.lifetime().freshness(now.since(old.created())) != Freshness::Expired =>
            {
                old.rest(now);
            }
            _ => {
                if !self.hold(place, Held::Kept(Arc::clone(&kept))) {
                    count(&self.counters.oversize);
                }
            }
        }
        (Landing::Kept(kept), Aftermath::Nothing)
    }

    async fn after(&self, key: &K, aftermath: Aftermath<V>) {
        let Some(second) = &self.second else { return };
        let done = match aftermath {
            Aftermath::Nothing => Ok(()),
            Aftermath::Write(entry) => second.write(&self.clock, key, &entry).await,
            Aftermath::Remove => second.remove(&self.clock, key).await,
        };
        self.counted(done).ok();
    }
}

/// The tags that were declared, and those found out, each once.
fn joined(declared: &Arc<[Tag]>, found: Vec<Tag>) -> Arc<[Tag]> {
    if found.is_empty() {
        return Arc::clone(declared);
    }
    let mut tags = declared.to_vec();
    tags.extend(found);
    tags.sort_unstable();
    tags.dedup();
    tags.into()
}
