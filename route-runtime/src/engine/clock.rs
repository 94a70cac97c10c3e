//! The clock, which is the only reader of time.
//!
//! Freshness in memory is measured on a clock that never runs backwards. Entries in a store are
//! stamped with wall time, the only time that two machines or two runs of a program share.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A point on a clock's monotonic line, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    /// The moment at which every clock begins. It is late enough that an entry which was stored
    /// before can be given a moment too.
    const START: Self = Self(1 << 62);

    /// The earliest moment.
    pub(crate) const MIN: Self = Self(0);

    /// Returns the time from `earlier` to this moment, or zero if `earlier` is later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    pub(crate) fn after(self, length: Duration) -> Self {
        Self(self.0.saturating_add(nanos(length)))
    }

    pub(crate) fn before(self, length: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(length)))
    }

    pub(super) fn to_bits(self) -> u64 {
        self.0
    }

    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

/// A clock, which tells the time and wakes the tasks that wait for it.
#[derive(Clone, Debug)]
pub(crate) struct Clock(TimeSource);

#[derive(Clone, Debug)]
enum TimeSource {
    System { origin: Instant },
    Manual(ManualClock),
}

impl Clock {
    /// Makes a clock that reads the machine's clocks. Waiting on it needs a tokio runtime with its
    /// timer enabled.
    pub(crate) fn system() -> Self {
        Self(TimeSource::System {
            origin: Instant::now(),
        })
    }

    /// Makes a clock that stands still until it is advanced.
    pub(crate) fn manual() -> (Self, ManualClock) {
        let clock = ManualClock(Arc::new(Hands {
            now: AtomicU64::new(Moment::START.0),
            state: Mutex::new(State {
                // Any fixed date will do. A round one is easily recognized in a failing test.
                wall: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
                sleepers: BTreeMap::new(),
                next: 0,
            }),
        }));
        (Self(TimeSource::Manual(clock.clone())), clock)
    }

    pub(crate) fn now(&self) -> Moment {
        match &self.0 {
            TimeSource::System { origin } => Moment::START.after(origin.elapsed()),
            TimeSource::Manual(clock) => clock.now(),
        }
    }

    pub(crate) fn wall(&self) -> SystemTime {
        match &self.0 {
            TimeSource::System { .. } => SystemTime::now(),
            TimeSource::Manual(clock) => clock.state().wall,
        }
    }

    /// Waits for `length`, counted from this call.
    pub(crate) fn sleep(&self, length: Duration) -> Sleep {
        Sleep(match &self.0 {
            TimeSource::System { .. } => Sleeping::System(Box::pin(tokio::time::sleep(length))),
            TimeSource::Manual(clock) => Sleeping::Manual {
                clock: clock.clone(),
                until: clock.now().after(length),
                place: None,
            },
        })
    }

    /// Runs `future` for at most `length`. After that, drops it and returns `None`.
    pub(crate) async fn within<F: Future>(&self, length: Duration, future: F) -> Option<F::Output> {
        let mut limit = self.sleep(length);
        let mut future = pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Pin::new(&mut limit).poll(cx).map(|()| None),
        })
        .await
    }
}

/// The hands of a [`Clock`] that a test moves.
#[derive(Clone)]
pub(crate) struct ManualClock(Arc<Hands>);

struct Hands {
    now: AtomicU64,
    state: Mutex<State>,
}

struct State {
    wall: SystemTime,
    /// The tasks that wait, ordered by the moment of their wake-up, then by arrival.
    sleepers: BTreeMap<(Moment, u64), Waker>,
    next: u64,
}

impl ManualClock {
    fn now(&self) -> Moment {
        Moment(self.0.now.load(Ordering::SeqCst))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the clock that these hands belong to.
    pub(crate) fn clock(&self) -> Clock {
        Clock(TimeSource::Manual(self.clone()))
    }

    /// Moves both times on, and wakes the tasks that waited for a moment up to the new one.
    pub(crate) fn advance(&self, length: Duration) {
        let due = {
            let mut state = self.state();
            let now = self.now().after(length);
            self.0.now.store(now.0, Ordering::SeqCst);
            state.wall += length;
            let later = state.sleepers.split_off(&(now, u64::MAX));
            std::mem::replace(&mut state.sleepers, later)
        };
        due.into_values().for_each(Waker::wake);
    }

    /// Sets wall time alone, forwards or backwards, as an administrator or a time server may.
    #[cfg(test)]
    pub(crate) fn set_wall(&self, wall: SystemTime) {
        self.state().wall = wall;
    }

    /// Returns the number of tasks that wait for a moment to come.
    #[cfg(test)]
    pub(crate) fn sleepers(&self) -> usize {
        self.state().sleepers.len()
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}

/// A future that resolves when its time has come.
pub(crate) struct Sleep(Sleeping);

enum Sleeping {
    System(Pin<Box<tokio::time::Sleep>>),
    Manual {
        clock: ManualClock,
        until: Moment,
        place: Option<u64>,
    },
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Sleeping::System(sleep) => sleep.as_mut().poll(cx),
            Sleeping::Manual {
                clock,
                until,
                place,
            } => {
                // Compared under the lock, so that the clock cannot pass `until` unseen.
                let mut state = clock.state();
                if clock.now() >= *until {
                    return Poll::Ready(());
                }
                let place = *place.get_or_insert_with(|| {
                    state.next += 1;
                    state.next
                });
                state.sleepers.insert((*until, place), cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Sleeping::Manual {
            clock,
            until,
            place: Some(place),
        } = &self.0
        {
            clock.state().sleepers.remove(&(*until, *place));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn moments_are_ordered_and_never_negative() {
        let (clock, hands) = Clock::manual();
        let first = clock.now();
        hands.advance(SECOND);
        let second = clock.now();
        assert_eq!(second.since(first), SECOND);
        assert_eq!(first.since(second), Duration::ZERO);
        assert_eq!(first.after(SECOND), second);
        assert_eq!(second.before(SECOND), first);
        assert_eq!(
            second.after(Duration::MAX).before(Duration::MAX),
            Moment::MIN
        );
    }

    #[test]
    fn a_sleeper_wakes_exactly_when_its_time_has_come() {
        let (clock, hands) = Clock::manual();
        let count = Arc::new(Counter::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let mut sleep = clock.sleep(2 * SECOND);
        assert!(Pin::new(&mut sleep).poll(&mut cx).is_pending());
        assert!(Pin::new(&mut sleep).poll(&mut cx).is_pending());
        assert_eq!(hands.sleepers(), 1);
        hands.advance(SECOND);
        assert_eq!(count.0.load(Ordering::SeqCst), 0);
        hands.advance(SECOND);
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert!(Pin::new(&mut sleep).poll(&mut cx).is_ready());
        assert!(
            Pin::new(&mut clock.sleep(Duration::ZERO))
                .poll(&mut cx)
                .is_ready()
        );
    }

    #[test]
    fn a_dropped_sleeper_leaves_nothing_behind() {
        let (clock, hands) = Clock::manual();
        let mut cx = Context::from_waker(Waker::noop());
        let mut sleep = clock.sleep(SECOND);
        assert!(Pin::new(&mut sleep).poll(&mut cx).is_pending());
        drop(sleep);
        assert_eq!(hands.sleepers(), 0);
    }

    #[test]
    fn wall_time_may_jump_while_monotonic_time_does_not() {
        let (clock, hands) = Clock::manual();
        let (now, wall) = (clock.now(), clock.wall());
        hands.set_wall(wall - SECOND);
        assert_eq!(clock.now(), now);
        assert_eq!(clock.wall(), wall - SECOND);
        hands.advance(SECOND);
        assert_eq!(clock.wall(), wall);
    }

    #[test]
    fn the_system_clock_does_not_run_backwards() {
        let clock = Clock::system();
        let first = clock.now();
        assert!(first >= Moment::START);
        assert!(clock.now() >= first);
    }
}
