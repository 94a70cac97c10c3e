//! The connections to the server: one for entries and leases, and one for the record of
//! invalidations, which waits for none of the others.

mod connection;
mod line;
mod servers;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use redis::RedisError;

pub(super) use self::connection::Connection;
use self::line::Line;
pub(super) use self::servers::Servers;
use crate::store::{News, StoreError};

/// The kinds of calls. Calls of one kind that are not answered do not keep others from being made.
#[derive(Clone, Copy, Debug)]
pub(super) enum CallKind {
    Read,
    Write,
    Lease,
    Record,
}

/// The number of kinds of calls.
const KINDS: usize = 4;

/// The time that a call may take, and the kind of the call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) kind: CallKind,
    pub(super) time: Duration,
}

/// The connections to the server, each of which fails and is made anew on its own.
pub(super) struct Link {
    entries: Line,
    record: Line,
    news: Arc<News>,
}

impl Link {
    /// Begins to connect, and waits until the first attempts have succeeded or failed.
    pub(super) async fn open(servers: Servers, channel: String) -> Self {
        let (servers, news) = (Arc::new(servers), Arc::new(News::default()));
        let channel = (Arc::clone(&news), channel);
        let entries = Line::open(Arc::clone(&servers), "entries", None, None);
        // This line hears at once that the server is gone.
        let record = Line::open(servers, "invalidations", Some(channel), Some(&entries));
        let link = Self {
            entries,
            record,
            news,
        };
        join(link.entries.settle(), link.record.settle()).await;
        link
    }

    pub(super) fn news(&self) -> &News {
        &self.news
    }

    /// Makes a call, and waits for the answer for as long as the limit says. Fails at once while
    /// there is no connection.
    pub(super) async fn call<T, F>(
        &self,
        what: &str,
        limit: Limit,
        call: impl FnOnce(Connection) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        self.line(limit).call(what, limit, call).await
    }

    /// Makes a call in the background, and ignores its answer. Nothing is sent while there is no
    /// connection.
    pub(super) fn send<T, F>(&self, limit: Limit, call: impl FnOnce(Connection) -> F)
    where
        F: Future<Output = Result<T, RedisError>> + Send + 'static,
        T: Send + 'static,
    {
        self.line(limit).send(limit, call);
    }

    fn line(&self, limit: Limit) -> &Line {
        match limit.kind {
            CallKind::Record => &self.record,
            CallKind::Read | CallKind::Write | CallKind::Lease => &self.entries,
        }
    }
}
