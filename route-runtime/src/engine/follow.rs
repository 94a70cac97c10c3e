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

use super::clock::Clock;
use super::entry::Value;
use super::key::CacheKey;
use super::second::Second;
use super::{Core, Engine};

/// The time after which the store is asked again, unless it reports an invalidation earlier.
const TICK: Duration = Duration::from_millis(500);

/// The shortest such time, however short the bound on staleness.
const SHORTEST_TICK: Duration = Duration::from_millis(5);

impl<K: CacheKey, V: Value> Engine<K, V> {
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
        let turn = tokio::select! {
            biased;
            _ = &mut gone => return,
            turn = second.questions.turn() => turn,
        };
        let Some(question) = core.upgrade().map(|core| core.question(&second)) else {
            return;
        };
        let news = tokio::select! {
            biased;
            _ = &mut gone => return,
            news = second.invalidations(&clock, question.seen, None, second.limits.store_write) => news,
        };
        let Some(held) = core.upgrade() else { return };
        // A failure has already been counted and logged.
        held.answer(&second, &question, news).ok();
        drop((held, turn));

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
