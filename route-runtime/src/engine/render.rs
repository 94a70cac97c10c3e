//! The task of a flight.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use super::admission::Admitted;
use super::ancestry::{Ancestry, Stale};
use super::behind::{Asking, FromStore, Waits};
use super::entry::{CacheSlot, Claim, Entry, Held, Kept, Made, Value};
use super::flight::Lead;
use super::freshness::Freshness;
use super::key::CacheKey;
use super::landing::{Landing, Origin};
use super::outcome::{RenderOutcome, TaggedOutcome};
use super::stats::count;
use super::{Core, Failure, Keep, KeyPlace};
use crate::owner::Owner;
use crate::panic::message;
use crate::store::{Mark, Standing, Tag};
use crate::target;

/// A function that renders the value of a key. It is called once for each render, and is given what
/// the render is for.
pub(crate) trait RenderFn<K, V: Value>: Clone + Send + 'static {
    type Future: Future<Output = TaggedOutcome<V>> + Send + 'static;

    fn render(&self, ancestry: Ancestry<K>) -> Self::Future;
}

impl<K, V, R, F> RenderFn<K, V> for R
where
    V: Value,
    R: Fn(Ancestry<K>) -> F + Clone + Send + 'static,
    F: Future<Output = TaggedOutcome<V>> + Send + 'static,
{
    type Future = F;

    fn render(&self, ancestry: Ancestry<K>) -> F {
        self(ancestry)
    }
}

/// A render that others may wait for, ready to start.
pub(super) struct Flight<K: CacheKey, V: Value, R> {
    pub(super) lead: Lead<K, Notify, Landing<V>>,
    pub(super) slot: Option<Arc<CacheSlot<V>>>,
    pub(super) tags: Arc<[Tag]>,
    /// The tags of [`Call::also`](super::Call::also). An entry that is taken from the store must be
    /// new enough for the request that started the flight. Otherwise that request would ask again,
    /// and be given the same entry.
    pub(super) also: Arc<[Tag]>,
    pub(super) limit: Duration,
    pub(super) owner: Owner,
    pub(super) keep: Keep,
    pub(super) ancestry: Ancestry<K>,
    pub(super) render: R,
    pub(super) admit: Admit<V>,
    /// The channel for content that is for one request only. It leads to the request that started
    /// the flight, and is `None` in a refresh, for which no request waits.
    pub(super) own: Option<oneshot::Sender<V::Individual>>,
    /// The treatment of stale content from the store behind memory, which is asked first.
    pub(super) adopt: Stale,
}

/// A flight that needs a render, since the store had nothing for it.
struct RenderingFlight<'a, K: CacheKey, V: Value, R> {
    lead: Lead<K, Notify, Landing<V>>,
    place: &'a KeyPlace<'a, K, V>,
    tags: &'a Arc<[Tag]>,
    limit: Duration,
    ancestry: Ancestry<K>,
    render: R,
    admit: Admit<V>,
    own: Option<oneshot::Sender<V::Individual>>,
}

/// The right by which a render runs.
pub(super) enum Admit<V: Value> {
    /// The refresh has been admitted. It gives its claim and its place back when it is done.
    Refresh {
        _claim: Claim<V>,
        _admitted: Admitted,
    },
    /// The render runs at once, as part of a render that has been admitted, or because its caller
    /// bounds it.
    AtOnce,
    /// The render runs when its turn comes.
    Queue,
}

/// The work that is left once no request waits any more.
enum Aftermath<V: Value> {
    Nothing,
    Write(Arc<Entry<V>>),
    Remove,
}

impl<K: CacheKey, V: Value> Core<K, V> {
    /// Hands a flight to the spawner.
    pub(super) fn start_flight<R: RenderFn<K, V>>(self: &Arc<Self>, flight: Flight<K, V, R>) {
        let core = Arc::clone(self);
        let running = self.tasks.begin();
        self.spawn.spawn(Box::pin(async move {
            core.run_flight(flight).await;
            // The caller that waits for the last task may be about to drop the engine, so this
            // handle is dropped before the task counts as done.
            drop(core);
            drop(running);
        }));
    }

    async fn run_flight<R: RenderFn<K, V>>(&self, flight: Flight<K, V, R>) {
        let Flight {
            lead,
            slot,
            tags,
            also,
            limit,
            owner,
            keep,
            ancestry,
            render,
            admit,
            own,
            adopt,
        } = flight;
        let key = lead.key().clone();
        let place = KeyPlace {
            key: &key,
            slot: slot.as_deref(),
            also: &also,
            owner,
            keep,
        };
        let waits = match admit {
            Admit::Refresh { .. } => Waits::Nobody,
            Admit::AtOnce | Admit::Queue => Waits::For(limit),
        };
        let asking = Asking {
            place: &place,
            stale: adopt,
            waits,
        };
        let FromStore { landing, lease } = self.ask_store_first(asking).await;
        if let Some(landing) = landing {
            drop(admit);
            lead.land(landing);
            return self.release_lease(&key, lease).await;
        }
        let render = self.render_and_land(RenderingFlight {
            lead,
            place: &place,
            tags: &tags,
            limit,
            ancestry,
            render,
            admit,
            own,
        });
        match (&self.second, lease) {
            (Some(second), Some(token)) => second.keeping(&self.clock, &key, token, render).await,
            _ => render.await,
        }
        // Given back only now, so that the next holder of the lease finds what was written.
        self.release_lease(&key, lease).await;
    }

    /// Waits for a place, renders, gives the result to all who wait, and writes it to the store.
    async fn render_and_land<R: RenderFn<K, V>>(&self, flight: RenderingFlight<'_, K, V, R>) {
        let RenderingFlight {
            lead,
            place,
            tags,
            limit,
            ancestry,
            render,
            admit,
            own,
        } = flight;
        let turn = match admit {
            Admit::Queue => {
                let hurry = lead.meta();
                match self
                    .admission
                    .admit_render(place.owner, &self.clock, hurry)
                    .await
                {
                    Ok(turn) => turn,
                    Err(failure) => return lead.land(Landing::Refused(failure)),
                }
            }
            Admit::AtOnce | Admit::Refresh { .. } => None,
        };
        let started = self.epochs.mark();
        let result = self
            .run_render(limit, move || render.render(ancestry))
            .await;
        // A timeout of data is left to the caller that asked for the data.
        if matches!(result, Err(Failure::TimedOut)) && place.key.belongs_to_build() {
            tracing::warn!(target: target::CACHE, { url.path = place.key.name() }, "a render took too long");
        }
        let (landing, aftermath) = self.conclude_render(place, tags, started, result, own);
        drop((turn, admit));
        lead.land(landing);
        self.finish_in_store(place, aftermath).await;
    }

    /// Runs a render for at most `limit`, and turns a panic into a failure.
    pub(super) async fn run_render<F>(
        &self,
        limit: Duration,
        render: impl FnOnce() -> F,
    ) -> Result<TaggedOutcome<V>, Failure>
    where
        F: Future<Output = TaggedOutcome<V>>,
    {
        count(&self.counters.renders);
        // Called in a block of its own, so that a panic before there is a future is caught too.
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

    /// Decides what becomes of the result, and puts into memory what the next requests find.
    fn conclude_render(
        &self,
        place: &KeyPlace<'_, K, V>,
        declared: &Arc<[Tag]>,
        started: Mark,
        result: Result<TaggedOutcome<V>, Failure>,
        own: Option<oneshot::Sender<V::Individual>>,
    ) -> (Landing<V>, Aftermath<V>) {
        let now = self.clock.now();
        match result.map(|rendered| (rendered.outcome, merge_tags(declared, rendered.tags))) {
            Ok((
                RenderOutcome::Store {
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
                self.store_entry(place, Arc::new(entry), is_passing)
            }
            Ok((RenderOutcome::Individual { value, pass }, _)) => {
                self.write_memory(place, Held::Pass(now.after(pass)));
                if let Some(own) = own {
                    // The request that started the flight may have gone. Then no request gets it.
                    drop(own.send(value));
                }
                (Landing::Individual, Aftermath::Remove)
            }
            Ok((RenderOutcome::ShareOnce(value), tags)) => {
                self.keep_result(place, Kept::new(Ok(value), Some(tags), now, started.epoch))
            }
            Err(failure) => {
                self.keep_result(place, Kept::new(Err(failure), None, now, started.epoch))
            }
        }
    }

    fn store_entry(
        &self,
        place: &KeyPlace<'_, K, V>,
        entry: Arc<Entry<V>>,
        is_passing: bool,
    ) -> (Landing<V>, Aftermath<V>) {
        if entry.standing(&self.epochs) == Standing::Absent {
            // The old entry, if there is one, stays: it may depend on fewer tags.
            return (Landing::Entry(entry, Origin::Unstored), Aftermath::Nothing);
        }
        if self.write_entry(place, &entry) {
            let aftermath = if is_passing {
                // The store's old entry is not to come back when this one is gone. It may, as stale
                // content, if the store is away now.
                Aftermath::Remove
            } else {
                Aftermath::Write(Arc::clone(&entry))
            };
            (Landing::Entry(entry, Origin::Stored), aftermath)
        } else {
            (Landing::Entry(entry, Origin::Unstored), Aftermath::Remove)
        }
    }

    /// Keeps a result that is not stored, so that it is shared for a moment. If there is an entry
    /// to fall back on, keeps that entry instead, and lets its next refresh wait.
    fn keep_result(&self, place: &KeyPlace<'_, K, V>, kept: Kept<V>) -> (Landing<V>, Aftermath<V>) {
        let now = self.clock.now();
        let kept = Arc::new(kept);
        match self.read_memory(place) {
            Some(Held::Entry(old))
                if self.entry_standing(&old, place.also) != Standing::Absent
                    && old.lifetime().freshness(now.since(old.created())) != Freshness::Expired =>
            {
                old.rest_after_failure(now);
            }
            _ => {
                if !self.write_memory(place, Held::Kept(Arc::clone(&kept))) {
                    count(&self.counters.oversize);
                }
            }
        }
        (Landing::Kept(kept), Aftermath::Nothing)
    }

    async fn finish_in_store(&self, place: &KeyPlace<'_, K, V>, aftermath: Aftermath<V>) {
        let Some(second) = self.second_for(place.keep) else {
            return;
        };
        let (key, keep) = (place.key, place.keep);
        let done = match aftermath {
            Aftermath::Nothing => return,
            Aftermath::Write(entry) => second.write(&self.clock, key, &entry, keep).await,
            Aftermath::Remove => second.remove(&self.clock, key).await.map(|()| true),
        };
        if let Ok(false) = self.count_store_failure(done) {
            // The store has lost invalidations, or this instance has missed some. A failure to ask
            // is counted and logged there.
            self.catch_up(second, second.limits.store_write).await.ok();
        }
    }
}

/// Returns the tags that were declared and those that the render found, each once.
fn merge_tags(declared: &Arc<[Tag]>, found: Vec<Tag>) -> Arc<[Tag]> {
    if found.is_empty() {
        return Arc::clone(declared);
    }
    let mut tags = declared.to_vec();
    tags.extend(found);
    tags.sort_unstable();
    tags.dedup();
    tags.into()
}
