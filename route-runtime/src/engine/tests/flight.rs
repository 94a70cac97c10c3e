use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crate::engine::flight::{End, Flights, Join, Lead};

type TestFlights = Flights<&'static str, (), usize>;

fn lead(flights: &TestFlights, key: &'static str) -> Lead<&'static str, (), usize> {
    match flights.join(&key, || ()) {
        Join::Lead(lead) => lead,
        Join::Follow(_) => panic!("{key} is flying"),
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn all_followers_get_what_landed_and_the_key_is_free_again() {
    let flights = TestFlights::new();
    let first = lead(&flights, "a");
    let other = lead(&flights, "b");
    let Join::Follow(follow) = flights.join(&"a", || ()) else {
        panic!("two lead");
    };
    let mut waiting = pin!(follow.end());
    assert!(poll(waiting.as_mut()).is_pending());
    first.land(7);
    assert_eq!(poll(waiting), Poll::Ready(End::Landed(7)));
    assert_eq!(poll(pin!(follow.end())), Poll::Ready(End::Landed(7)));
    assert_eq!(flights.len(), 1);
    drop(other);
    assert_eq!(flights.len(), 0);
    drop(lead(&flights, "a"));
}

#[test]
fn a_lead_dropped_in_a_panic_abandons_its_flight() {
    let flights = TestFlights::new();
    let first = lead(&flights, "a");
    let follow = first.follow();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _lead = first;
        panic!("expected by a test");
    }));
    assert!(panicked.is_err());
    assert_eq!(poll(pin!(follow.end())), Poll::Ready(End::Abandoned));
    drop(lead(&flights, "a"));
}

#[test]
fn followers_that_stop_waiting_leave_the_other_followers_their_places() {
    let flights = TestFlights::new();
    let first = lead(&flights, "a");
    let follow = first.follow();
    let mut stays = Box::pin(follow.end());
    assert!(poll(stays.as_mut()).is_pending());
    for _ in 0..100 {
        let mut goes = Box::pin(follow.end());
        assert!(poll(goes.as_mut()).is_pending());
    }
    first.land(1);
    assert_eq!(poll(stays.as_mut()), Poll::Ready(End::Landed(1)));
}

#[test]
fn a_wait_that_closes_a_circle_is_refused_however_long_the_circle() {
    let flights = TestFlights::new();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|key| lead(&flights, key));
    assert!(flights.wait_for(a.id(), a.id()).is_none());
    let ab = flights.wait_for(a.id(), b.id()).unwrap();
    let again = flights.wait_for(a.id(), b.id()).unwrap();
    let _ad = flights.wait_for(a.id(), d.id()).unwrap();
    let _bc = flights.wait_for(b.id(), c.id()).unwrap();
    assert!(flights.wait_for(c.id(), a.id()).is_none());
    assert!(flights.wait_for(c.id(), d.id()).is_some());
    drop(ab);
    assert!(flights.wait_for(c.id(), a.id()).is_none());
    drop(again);
    assert!(flights.wait_for(c.id(), a.id()).is_some());
}
