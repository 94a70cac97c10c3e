//! The questions of an instance about the store's record of invalidations.
//!
//! An instance knows one mark of the record: the last that is in force here. Each question names it,
//! so that the store notices what it has lost. The answer to a question counts only while the mark
//! that was named is still the one in force. So one question is under way at a time, and all
//! invalidations that wait meanwhile are carried out as one.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turns, MutexGuard as Turn, oneshot};

use super::clock::Moment;
use super::entry::Value;
use super::key::CacheKey;
use super::second::{Second, late_error};
use super::stats::count;
use super::{Core, Engine};
use crate::store::{Invalidation, Invalidations, Mark, StoreError, Tag};

/// The turn to ask, and what waits for it.
pub(super) struct Questions {
    turn: Turns<()>,
    waiting: Mutex<Vec<PendingInvalidation>>,
    /// The number of questions so far.
    begun: AtomicU64,
    /// The number of the last question that has ended, and how it ended.
    ended: Mutex<(u64, Asked)>,
}

type Asked = Result<(), StoreError>;

/// An invalidation that waits to be carried out.
struct PendingInvalidation {
    tags: Box<[Tag]>,
    how: Invalidation,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// A question under way.
pub(super) struct RecordQuestion {
    number: u64,
    asked: Moment,
    /// The mark that the question names, which is the one in force.
    pub(super) seen: Mark,
}

impl Default for Questions {
    fn default() -> Self {
        Self {
            turn: Turns::new(()),
            waiting: Mutex::default(),
            begun: AtomicU64::new(0),
            ended: Mutex::new((0, Ok(()))),
        }
    }
}

impl Questions {
    /// Waits for the turn to ask.
    pub(super) async fn turn(&self) -> Turn<'_, ()> {
        self.turn.lock().await
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<PendingInvalidation>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, (u64, Asked)> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the outcome of a question that began after the first `begun` ones, if one has ended.
    fn ended_after(&self, begun: u64) -> Option<Result<(), StoreError>> {
        let (number, outcome) = &*self.ended();
        (*number > begun).then(|| outcome.clone())
    }
}

impl<K: CacheKey, V: Value> Engine<K, V> {
    /// Invalidates all content that depends on one of `tags` and whose render has begun by now.
    ///
    /// Once this has resolved, no request that begins here is answered with such content. On other
    /// instances, no request is that begins later than the bound on staleness. An invalidation that
    /// has begun is carried out even if its future is dropped.
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
        let core = &self.0;
        let Some(second) = &core.second else {
            core.epochs.invalidate(tags, how);
            return Ok(());
        };
        let (done, mut outcome) = oneshot::channel();
        let tags = tags.into();
        second
            .questions
            .waiting()
            .push(PendingInvalidation { tags, how, done });
        let (core, second) = (Arc::clone(core), Arc::clone(second));
        // Dropped with the task, which may be dropped before it begins.
        let (alive, ended) = oneshot::channel::<()>();
        self.0.spawn.spawn(Box::pin(async move {
            core.carry_out_waiting(&second).await;
            drop(alive);
        }));
        tokio::select! {
            biased;
            outcome = &mut outcome => outcome.ok(),
            _ = ended => outcome.try_recv().ok(),
        }
        .unwrap_or_else(|| Err(StoreError::new("the program ends")))
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
}

impl<K: CacheKey, V: Value> Core<K, V> {
    /// Carries out all invalidations that wait, those of each kind as one.
    async fn carry_out_waiting(&self, second: &Second) {
        let _turn = second.questions.turn().await;
        let waiting = mem::take(&mut *second.questions.waiting());
        let (absent, stale): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|waiting| waiting.how == Invalidation::Absent);
        for (how, waiting) in [(Invalidation::Absent, absent), (Invalidation::Stale, stale)] {
            if waiting.is_empty() {
                continue;
            }
            let mut tags: Vec<_> = waiting.iter().flat_map(|it| &it.tags).cloned().collect();
            tags.sort_unstable();
            tags.dedup();
            let outcome = self.carry_out(second, &tags, how).await;
            for waiting in waiting {
                // The caller may have gone.
                drop(waiting.done.send(outcome.clone()));
            }
        }
    }

    /// Records one invalidation in the store, and puts it into force. The caller has the turn.
    async fn carry_out(
        &self,
        second: &Second,
        tags: &[Tag],
        how: Invalidation,
    ) -> Result<(), StoreError> {
        let question = self.question(second);
        let seen = question.seen;
        let recorded = second.invalidate(&self.clock, tags, how, seen).await?;
        if self.epochs.follow(recorded, tags, how) {
            // Nothing lies between what was in force and this invalidation.
            self.end(second, &question, Ok(()));
            return Ok(());
        }
        let own = recorded.mark;
        let limit = second.limits.store_write;
        self.ask(second, Some(own), limit).await?;
        let published = self.epochs.published();
        if own.epoch <= published && seen.epoch < published {
            Ok(())
        } else {
            Err(StoreError::new(
                "the store does not report an invalidation that it has recorded",
            ))
        }
    }

    /// Asks the store what was invalidated, in turn with all other questions, within `limit`. If
    /// that has been asked since this call began, takes the outcome of it. A turn that does not come
    /// in time says nothing of the store.
    pub(super) async fn catch_up(
        &self,
        second: &Second,
        limit: Duration,
    ) -> Result<(), StoreError> {
        let questions = &second.questions;
        let begun = questions.begun.load(Ordering::SeqCst);
        let called = self.clock.now();
        let Some(_turn) = self.clock.within(limit, questions.turn()).await else {
            return Err(late_error());
        };
        if let Some(outcome) = questions.ended_after(begun) {
            return outcome;
        }
        let waited = self.clock.now().since(called);
        self.ask(second, None, limit.saturating_sub(waited)).await
    }

    /// Asks the store what was invalidated. The caller has the turn.
    async fn ask(
        &self,
        second: &Second,
        own: Option<Mark>,
        limit: Duration,
    ) -> Result<(), StoreError> {
        let question = self.question(second);
        let seen = question.seen;
        let news = second.invalidations(&self.clock, seen, own, limit).await;
        self.answer(second, &question, news)
    }

    /// Begins a question. The caller has the turn.
    pub(super) fn question(&self, second: &Second) -> RecordQuestion {
        RecordQuestion {
            number: second.questions.begun.fetch_add(1, Ordering::SeqCst) + 1,
            asked: self.clock.now(),
            seen: self.epochs.mark(),
        }
    }

    /// Puts into force what the store reported. The caller has had the turn since it began the
    /// question.
    pub(super) fn answer(
        &self,
        second: &Second,
        question: &RecordQuestion,
        news: Result<Invalidations, StoreError>,
    ) -> Result<(), StoreError> {
        let outcome = news.and_then(|news| {
            if self.epochs.adopt(&news) {
                return Ok(());
            }
            // The numbers of the store mean nothing here any more: they do not show whether content
            // is older than an invalidation.
            Err(StoreError::new(
                "the store has forgotten invalidations that it had recorded",
            ))
        });
        self.end(second, question, outcome.clone());
        outcome
    }

    fn end(&self, second: &Second, question: &RecordQuestion, outcome: Result<(), StoreError>) {
        match &outcome {
            Ok(()) => second.verify(question.asked, self.clock.now()),
            Err(error) => {
                count(&self.counters.store_failures);
                second.mark_away(error);
            }
        }
        *second.questions.ended() = (question.number, outcome);
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
        if let Some(second) = &self.second
            && self.is_out_of_contact(self.clock.now())
        {
            let asked = self.catch_up(second, second.limits.store_read).await;
            if let Err(error) = asked {
                // The next request does not wait again.
                second.mark_away(&error);
            }
        }
    }
}
