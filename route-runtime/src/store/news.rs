//! A signal that something has happened, for tasks that wait for it.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// A signal that wakes every listener, and is remembered for a listener that is busy just then.
#[derive(Debug, Default)]
pub(crate) struct News {
    notify: Notify,
    told: AtomicU64,
    heard: AtomicU64,
}

impl News {
    pub(crate) fn tell(&self) {
        self.told.fetch_add(1, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    /// Resolves on the first [`tell`](Self::tell) after this call. Resolves at once if there was a
    /// `tell` since the last of these futures resolved.
    ///
    /// The second rule serves a single listener. Of several listeners, one may take a signal while
    /// another is busy. A listener misses nothing if it calls this before it looks at the state
    /// that the signal is about.
    pub(crate) fn heard(&self) -> impl Future<Output = ()> + Send + '_ {
        // Listens from here on, not from the first poll.
        let notified = self.notify.notified();
        async move {
            if self.told.load(Ordering::SeqCst) == self.heard.load(Ordering::SeqCst) {
                notified.await;
            }
            let told = self.told.load(Ordering::SeqCst);
            self.heard.fetch_max(told, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn nothing_is_missed_between_two_calls_nor_between_a_call_and_its_first_poll() {
        let news = News::default();
        assert!(news.heard().now_or_never().is_none());
        news.tell();
        news.tell();
        assert!(news.heard().now_or_never().is_some());
        let (first, second) = (news.heard(), news.heard());
        news.tell();
        assert!(first.now_or_never().is_some());
        assert!(second.now_or_never().is_some());
        assert!(news.heard().now_or_never().is_none());
    }

    #[test]
    fn a_dropped_future_consumes_no_signal() {
        let news = News::default();
        let unheard = news.heard();
        news.tell();
        drop(unheard);
        assert!(news.heard().now_or_never().is_some());
    }
}
