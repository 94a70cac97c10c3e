//! Values of users, dropped where that keeps nobody waiting.
//!
//! The code that drops a value is the user's, and may block or panic.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Sender};
use std::thread;

use crate::target;

thread_local! {
    /// Set on threads on which others wait, so that no code of users may run there.
    static IS_NEEDED: Cell<bool> = const { Cell::new(false) };
}

/// The thread that drops values. `None` if it could not start.
static DROPS: LazyLock<Option<Sender<Box<dyn Any + Send>>>> = LazyLock::new(|| {
    let (sender, values) = mpsc::channel::<Box<dyn Any + Send>>();
    let drop_all = move || {
        for value in values {
            _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
        }
    };
    let thread = thread::Builder::new().name("route-drops".into());
    if let Err(error) = thread.spawn(drop_all) {
        tracing::error!(target: target::HANDLER, %error, "the thread that drops values could not start");
        return None;
    }
    Some(sender)
});

/// Says that others wait for this thread, so that no code of users may run on it.
pub(crate) fn is_needed() {
    IS_NEEDED.set(true);
}

/// Drops values on a thread for which nothing waits.
pub(super) fn drop_apart<T: Send + 'static>(values: Vec<T>) {
    if values.is_empty() {
        return;
    }
    let values: Box<dyn Any + Send> = Box::new(values);
    match &*DROPS {
        // The thread never ends.
        Some(drops) => drop(drops.send(values)),
        None => drop(values),
    }
}

/// A value of users. If it is dropped on a thread that is [needed](is_needed), another thread drops
/// it.
pub(crate) struct DroppedApart<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> DroppedApart<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    pub(crate) fn get(&self) -> &T {
        match &self.0 {
            Some(value) => value,
            None => unreachable!("it is there until it is dropped"),
        }
    }
}

impl<T: Send + 'static> Drop for DroppedApart<T> {
    fn drop(&mut self) {
        if IS_NEEDED.get()
            && let Some(value) = self.0.take()
        {
            drop_apart(vec![value]);
        }
    }
}
