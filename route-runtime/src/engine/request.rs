//! The way of a request through the engine.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use super::ancestry::{Ancestry, Stale};
use super::entry::{Entry, Value};
use super::flight::{End, Flights, Follow, Join, Waiting};
use super::key::CacheKey;
use super::landing::{Landing, Origin};
use super::render::{Admit, Flight, RenderFn};
use super::stats::count;
use super::status::{Bypass, Status};
use super::{Absence, Answer, Call, Content, Core, Engine, Failure, Found, Hit, Turn};
use crate::store::{Epoch, Standing, Tag};

/// The number of times that a request asks when flights end without an answer for it. A few suffice
/// while renders are not dropped. The bound is for a runtime that is going away.
const ATTEMPTS: usize = 8;

/// A request that waited for a flight.
struct Waited<'a, V: Value> {
    /// The epoch that was published when the request began.
    begun: Epoch,
    stale: Stale,
    /// The tags of [`Call::also`].
    also: &'a [Tag],
    /// The reason why the request waited.
    absence: Absence,
    /// The channel for content that is for this request alone, if the request started the flight.
    own: Option<oneshot::Receiver<V::Individual>>,
}

/// The meaning of a landing for a request that waited for it.
enum Arrival<V: Value> {
    Answered(Result<Answer<V>, Failure>),
    /// The request renders for itself.
    Alone,
    /// The request looks again. What landed is too old for it, or is in memory.
    Again,
}

impl<K: CacheKey, V: Value> Engine<K, V> {
    /// Answers a request: from memory if possible, from a render that is under way, or by starting
    /// one. `render` is called for each render that this request starts, which is usually none.
    ///
    /// A render runs as a task of its own, so dropping the returned future stops nothing that other
    /// requests may wait for. Only a render for this request alone runs as part of the future.
    ///
    /// # Errors
    ///
    /// See [`Failure`]. A render's own errors are values.
    pub(crate) async fn get_or_render(
        &self,
        call: Call<'_, K, V>,
        render: impl RenderFn<K, V>,
    ) -> Result<Answer<V>, Failure> {
        let core = &self.0;
        core.regain_contact().await;
        let begun = core.epochs.published();
        // Each request is counted once, by what it found first.
        let mut first_absence = None;
        for attempt in 0..ATTEMPTS {
            let is_new = first_absence.is_none();
            let absence = match core.look_up_entry(&call.place(), core.clock.now()) {
                Found::Fresh(hit) => {
                    if is_new {
                        core.counters.hits.add();
                    }
                    core.count_unverified(&hit);
                    return Ok(hit.answer());
                }
                Found::Stale(hit) if call.stale == Stale::Serve => {
                    core.start_refresh(&call, &hit, &render);
                    if is_new {
                        core.counters.stale.add();
                    }
                    core.count_unverified(&hit);
                    return Ok(hit.answer());
                }
                Found::Kept(kept, age) => {
                    core.count_miss(is_new);
                    return kept.result().map(|value| Answer {
                        content: Content::Once(value),
                        status: Status::Collapsed,
                        age,
                        is_current: false,
                    });
                }
                Found::Pass => {
                    core.count_miss(is_new);
                    return core.render_alone(&call, render, Bypass::Individual).await;
                }
                Found::Stale(_) => Absence::Expired,
                Found::Absent(absence) => absence,
            };
            core.count_miss(is_new);
            let absence = *first_absence.get_or_insert(absence);

            let (follow, led) = match core.flights.join(call.key, Notify::new) {
                Join::Follow(follow) => (follow, None),
                Join::Lead(lead) => {
                    // The flight before this one may have landed since the look-up.
                    if core.has_content(&call) {
                        continue;
                    }
                    if call.parent.is_some_and(Ancestry::is_deep) {
                        return Err(Failure::Cycle);
                    }
                    (lead.follow(), Some((lead, oneshot::channel())))
                }
            };
            // Recorded before a render of our own begins, so that it knows that we wait.
            let Ok(_waiting) = call.wait_for(&core.flights, &follow) else {
                return core.render_alone(&call, render, Bypass::Cycle).await;
            };
            let own = led.map(|(lead, (send, receive))| {
                core.start_flight(Flight {
                    ancestry: Ancestry::flight(call.key.clone(), lead.id(), call.parent),
                    lead,
                    slot: call.slot.cloned(),
                    tags: Arc::clone(call.tags),
                    also: call.also.into(),
                    limit: call.limit,
                    owner: call.owner,
                    keep: call.keep,
                    render: render.clone(),
                    admit: match (call.turn, call.parent) {
                        (Turn::Queue, None) => Admit::Queue,
                        _ => Admit::AtOnce,
                    },
                    own: Some(send),
                    // Stale content that did not stay in memory the first time may not stay the
                    // second time either.
                    adopt: match attempt {
                        0 => call.stale,
                        _ => Stale::Refetch,
                    },
                });
                receive
            });

            let End::Landed(landing) = follow.end().await else {
                continue;
            };
            let waited = Waited {
                begun,
                stale: call.stale,
                also: call.also,
                absence,
                own,
            };
            match core.judge_landing(landing, waited) {
                Arrival::Answered(answer) => return answer,
                Arrival::Alone => {
                    return core.render_alone(&call, render, Bypass::Individual).await;
                }
                Arrival::Again => {}
            }
        }
        Err(Failure::Abandoned)
    }
}

impl<K: CacheKey, V: Value> Core<K, V> {
    /// Starts the refresh of a stale entry, unless one is under way, one has failed lately, or the
    /// handler has as many refreshes under way as it may.
    pub(super) fn start_refresh(
        self: &Arc<Self>,
        call: &Call<'_, K, V>,
        hit: &Hit<V>,
        render: &impl RenderFn<K, V>,
    ) {
        let Some(claim) = hit.entry.claim_refresh(self.clock.now()) else {
            return;
        };
        let Some(admitted) = self.admission.admit_refresh(call.owner) else {
            return;
        };
        let Join::Lead(lead) = self.flights.join(call.key, Notify::new) else {
            return;
        };
        // The refresh before this one may have landed since the look-up.
        match self.look_up_entry(&call.place(), self.clock.now()) {
            Found::Stale(now) if Arc::ptr_eq(&now.entry, &hit.entry) => {}
            _ => return,
        }
        count(&self.counters.refreshes);
        self.start_flight(Flight {
            // No request waits for the refresh, so it is rendered on no other render's behalf.
            ancestry: Ancestry::flight(call.key.clone(), lead.id(), None),
            lead,
            slot: call.slot.cloned(),
            tags: Arc::clone(call.tags),
            also: call.also.into(),
            limit: call.limit,
            owner: call.owner,
            keep: call.keep,
            render: render.clone(),
            admit: Admit::Refresh {
                _claim: claim,
                _admitted: admitted,
            },
            own: None,
            adopt: Stale::Refetch,
        });
    }

    /// Gives a request that waited for a flight its share of what landed.
    fn judge_landing(&self, landing: Landing<V>, waited: Waited<'_, V>) -> Arrival<V> {
        let Waited {
            begun,
            stale,
            also,
            absence,
            own,
        } = waited;
        let status = |stored| match own {
            Some(_) => absence.status(stored),
            None => Status::Collapsed,
        };
        match landing {
            Landing::Entry(entry, origin) => {
                if !self.serves_entry(begun, &entry, also, stale) {
                    return Arrival::Again;
                }
                let age = self.clock.now().since(entry.created());
                let status = match origin {
                    Origin::Adopted if own.is_some() => {
                        Status::Hit(entry.lifetime().seconds_left(age))
                    }
                    origin => status(origin == Origin::Stored),
                };
                Arrival::Answered(Ok(Answer {
                    is_current: self.entry_standing(&entry, also) == Standing::Valid,
                    content: Content::Entry(entry),
                    status,
                    age,
                }))
            }
            Landing::Kept(kept) => {
                let result = kept.result();
                // A render that timed out shows no content, old or new.
                let shows_nothing = matches!(result, Err(Failure::TimedOut));
                let standing = || self.kept_standing(&kept, also);
                if !shows_nothing
                    && !self.may_serve(begun, kept.started(), standing, Standing::Valid)
                {
                    return Arrival::Again;
                }
                Arrival::Answered(result.map(|value| Answer {
                    content: Content::Once(value),
                    status: status(false),
                    age: Duration::ZERO,
                    is_current: false,
                }))
            }
            Landing::Individual => match own.and_then(|mut own| own.try_recv().ok()) {
                Some(value) => Arrival::Answered(Ok(Answer {
                    content: Content::Individual(value),
                    status: Status::Bypass(Bypass::Individual),
                    age: Duration::ZERO,
                    is_current: false,
                })),
                None => Arrival::Alone,
            },
            Landing::Look => Arrival::Again,
            Landing::Refused(failure) => {
                count(&self.counters.overloaded);
                Arrival::Answered(Err(failure))
            }
        }
    }

    /// Renders for one request only, as part of that request.
    async fn render_alone(
        &self,
        call: &Call<'_, K, V>,
        render: impl RenderFn<K, V>,
        why: Bypass,
    ) -> Result<Answer<V>, Failure> {
        let ancestry = Engine::<K, V>::alone(call.key.clone(), call.parent)?;
        let rendered = self
            .run_render(call.limit, move || render.render(ancestry))
            .await?;
        Ok(Answer {
            content: rendered.into_content(),
            status: Status::Bypass(why),
            age: Duration::ZERO,
            is_current: false,
        })
    }

    fn count_miss(&self, is_new: bool) {
        if is_new {
            count(&self.counters.misses);
        }
    }

    /// Returns whether a request like this one would find an answer without a flight.
    fn has_content(&self, call: &Call<'_, K, V>) -> bool {
        match self.look_up_entry(&call.place(), self.clock.now()) {
            Found::Fresh(_) | Found::Kept(..) | Found::Pass => true,
            Found::Stale(_) => call.stale == Stale::Serve,
            Found::Absent(_) => false,
        }
    }

    fn serves_entry(&self, begun: Epoch, entry: &Entry<V>, also: &[Tag], stale: Stale) -> bool {
        let at_least = match stale {
            Stale::Serve => Standing::Stale,
            Stale::Refetch => Standing::Valid,
        };
        let standing = || self.entry_standing(entry, also);
        self.may_serve(begun, entry.started().epoch, standing, at_least)
    }
}

impl<K: CacheKey, V: Value> Call<'_, K, V> {
    /// Records that the render from which this request comes, if any, waits for a flight. Fails if
    /// the flight waits for that render.
    fn wait_for<T: Clone>(
        &self,
        flights: &Flights<K, Notify, T>,
        follow: &Follow<Notify, T>,
    ) -> Result<Option<Waiting>, Circle> {
        let Some(waiter) = self.parent.and_then(Ancestry::nearest_flight) else {
            return Ok(None);
        };
        let waiting = flights.wait_for(waiter, follow.id()).ok_or(Circle)?;
        // The flight may be queueing for the turn that the waiting render holds.
        follow.meta().notify_one();
        Ok(Some(waiting))
    }
}

/// The error of a wait that would never end.
struct Circle;
