//! A record of the log events on the thread of a test.
//!
//! One subscriber serves all tests of the process, because tracing remembers for the whole process
//! whether a place in the code has a listener.

use std::cell::RefCell;
use std::sync::Once;

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

thread_local! {
    static LOGGED: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("route_runtime")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        LOGGED.with_borrow_mut(|logged| {
            logged.push((*metadata.level(), metadata.target().to_owned()));
        });
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Starts to record log events, if that has not been started yet.
pub(crate) fn listen() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        tracing::subscriber::set_global_default(Listener).expect("this is the only one");
    });
}

/// Returns the levels of the events logged on this thread, in modules whose path contains `place`.
pub(crate) fn levels(place: &str) -> Vec<Level> {
    LOGGED.with_borrow(|logged| {
        let there = logged.iter().filter(|(_, target)| target.contains(place));
        there.map(|(level, _)| *level).collect()
    })
}
