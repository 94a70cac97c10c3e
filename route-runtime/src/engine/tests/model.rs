//! Models that run every interleaving of a few threads, and every order of memory that the language
//! allows.
//!
//! `epoch` and `flight` are compiled here once more, from the same source, against loom's
//! primitives instead of `std`'s. So the models run with all other tests, and there is no second
//! implementation that could differ.
//!
//! loom remembers only the last access to an atomic. So a thread that reads an atomic just before
//! it writes it hides orders from the checker. Weakening an `Ordering` must make a model fail: try
//! it when something here changes.

mod sync {
    pub(crate) use loom::sync::{
        Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    };
    pub(crate) use std::sync::PoisonError;
}

#[path = "../epoch.rs"]
#[expect(
    dead_code,
    clippy::duplicate_mod,
    reason = "see above; a model uses a part"
)]
mod epoch;
#[path = "../flight.rs"]
#[expect(
    dead_code,
    clippy::duplicate_mod,
    reason = "see above; a model uses a part"
)]
mod flight;

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use self::epoch::{Epochs, Stamp};
use self::flight::{End, Flights, Join};
use crate::store::{Invalidation, Standing, Tag};

/// Checks a model with at most three preemptions. Two threads show nearly every fault of such code,
/// and three preemptions suffice for that. Without a bound, the larger models take minutes.
fn model(run: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(run);
}

fn tag() -> [Tag; 1] {
    [Tag::from("t")]
}

#[test]
fn a_stamp_covers_no_invalidation_whose_cause_the_render_missed() {
    model(|| {
        let epochs = Arc::new(Epochs::new(4));
        let source = Arc::new(AtomicUsize::new(0));
        let writer = thread::spawn({
            let (epochs, source) = (Arc::clone(&epochs), Arc::clone(&source));
            move || {
                source.store(1, Ordering::Relaxed);
                epochs.invalidate(&tag(), Invalidation::Absent);
            }
        });
        // A render takes its stamp first, and then reads.
        let stamp = Stamp::new(epochs.published());
        let content = source.load(Ordering::Relaxed);
        writer.join().unwrap();
        let standing = epochs.standing(&stamp, &tag());
        assert!(content == 1 || standing == Standing::Absent);
    });
}

#[test]
fn raising_a_stamp_hides_no_invalidation() {
    model(|| {
        let epochs = Arc::new(Epochs::new(4));
        let stamp = Arc::new(Stamp::new(epochs.published()));
        // Another tag is invalidated, so that judging the entry raises its stamp.
        epochs.invalidate(&[Tag::from("other")], Invalidation::Absent);
        let reader = thread::spawn({
            let (epochs, stamp) = (Arc::clone(&epochs), Arc::clone(&stamp));
            move || epochs.standing(&stamp, &tag())
        });
        epochs.invalidate(&tag(), Invalidation::Absent);
        assert_eq!(epochs.standing(&stamp, &tag()), Standing::Absent);
        reader.join().unwrap();
        assert_eq!(epochs.standing(&stamp, &tag()), Standing::Absent);
    });
}

#[test]
fn a_mark_of_staleness_is_seen_with_the_stamp_that_covers_it() {
    model(|| {
        let epochs = Arc::new(Epochs::new(4));
        let stamp = Arc::new(Stamp::new(epochs.published()));
        epochs.invalidate(&tag(), Invalidation::Stale);
        let reader = thread::spawn({
            let (epochs, stamp) = (Arc::clone(&epochs), Arc::clone(&stamp));
            move || assert_eq!(epochs.standing(&stamp, &tag()), Standing::Stale)
        });
        assert_eq!(epochs.standing(&stamp, &tag()), Standing::Stale);
        reader.join().unwrap();
    });
}

#[test]
fn two_invalidations_at_once_get_two_numbers_and_both_hold() {
    model(|| {
        let epochs = Arc::new(Epochs::new(4));
        let stamp = Stamp::new(epochs.published());
        let other = thread::spawn({
            let epochs = Arc::clone(&epochs);
            move || epochs.invalidate(&tag(), Invalidation::Absent)
        });
        let mine = epochs.invalidate(&[Tag::from("u")], Invalidation::Absent);
        assert!(epochs.published() >= mine);
        assert_ne!(other.join().unwrap(), mine);
        for tag in [Tag::from("t"), Tag::from("u")] {
            assert_eq!(epochs.standing(&stamp, &[tag]), Standing::Absent);
        }
    });
}

type TestFlights = Flights<&'static str, (), usize>;

#[test]
fn one_request_leads_at_a_time_and_a_dropped_lead_leaves_no_follower_waiting() {
    model(|| {
        let flights = Arc::new(TestFlights::new());
        let leading = Arc::new(AtomicUsize::new(0));
        let ask = |flights: &TestFlights, leading: &AtomicUsize| {
            loop {
                match flights.join(&"key", || ()) {
                    Join::Lead(lead) => {
                        assert_eq!(leading.fetch_add(1, Ordering::Relaxed), 0);
                        leading.fetch_sub(1, Ordering::Relaxed);
                        drop(lead);
                        return;
                    }
                    // If a wake-up could be lost, this would hang, and loom would report it.
                    Join::Follow(follow) => assert_eq!(block_on(follow.end()), End::Abandoned),
                }
            }
        };
        let other = thread::spawn({
            let (flights, leading) = (Arc::clone(&flights), Arc::clone(&leading));
            move || ask(&flights, &leading)
        });
        ask(&flights, &leading);
        other.join().unwrap();
        assert_eq!(flights.len(), 0);
    });
}

#[test]
fn the_next_leader_after_a_landing_finds_what_was_put_in_place_before_it() {
    model(|| {
        let flights = Arc::new(TestFlights::new());
        let store = Arc::new(AtomicUsize::new(0));
        let ask = |flights: &TestFlights, store: &AtomicUsize| {
            match flights.join(&"key", || ()) {
                Join::Lead(lead) => {
                    // The engine looks the key up a second time here.
                    if store.load(Ordering::Relaxed) == 0 {
                        store.store(7, Ordering::Relaxed);
                        lead.land(7);
                        return 1;
                    }
                }
                Join::Follow(follow) => match block_on(follow.end()) {
                    End::Landed(content) => assert_eq!(content, 7),
                    // The leader found the content at its second look-up.
                    End::Abandoned => assert_eq!(store.load(Ordering::Relaxed), 7),
                },
            }
            0
        };
        let other = thread::spawn({
            let (flights, store) = (Arc::clone(&flights), Arc::clone(&store));
            move || ask(&flights, &store)
        });
        let renders = ask(&flights, &store) + other.join().unwrap();
        assert_eq!(renders, 1);
    });
}

#[test]
fn a_follower_that_stops_waiting_disturbs_no_other_follower() {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};
    model(|| {
        let flights = TestFlights::new();
        let Join::Lead(lead) = flights.join(&"key", || ()) else {
            unreachable!("the first leads");
        };
        let (goes, stays) = (lead.follow(), lead.follow());
        let going = thread::spawn(move || {
            let mut cx = Context::from_waker(Waker::noop());
            drop(pin!(goes.end()).poll(&mut cx));
        });
        let landing = thread::spawn(move || lead.land(7));
        assert_eq!(block_on(stays.end()), End::Landed(7));
        going.join().unwrap();
        landing.join().unwrap();
    });
}

#[test]
fn two_flights_never_wait_for_each_other() {
    model(|| {
        let flights = Arc::new(TestFlights::new());
        let (Join::Lead(a), Join::Lead(b)) = (flights.join(&"a", || ()), flights.join(&"b", || ()))
        else {
            unreachable!("nobody else leads");
        };
        let (id_a, id_b) = (a.id(), b.id());
        let (follow_a, follow_b) = (a.follow(), b.follow());
        let other = thread::spawn({
            let flights = Arc::clone(&flights);
            move || {
                let waiting = flights.wait_for(id_b, id_a);
                if waiting.is_some() {
                    block_on(follow_a.end());
                }
                b.land(1);
            }
        });
        let waiting = flights.wait_for(id_a, id_b);
        if waiting.is_some() {
            block_on(follow_b.end());
        }
        a.land(1);
        other.join().unwrap();
    });
}
