//! A connection to the server. It is made in the background, and given up when the server does
//! not answer.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use redis::aio::{MultiplexedConnection, PubSub, PubSubSink};
use redis::{ErrorKind, Msg, RedisError, ServerErrorKind};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

use super::connection::{Connection, Shard};
use super::servers::{FoundServer, Servers};
use super::{KINDS, Limit};
use crate::store::{News, StoreError};
use crate::target;

/// The number of unanswered calls of a kind in a row after which no more of them are made until the
/// server has shown that it is only slow.
const PATIENCE: u32 = 3;
/// The time between two pings, which ask the server for a sign of life.
pub(super) const PULSE: Duration = Duration::from_secs(5);
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A connection for calls, and one for messages if the line has news to pass on. Either both are
/// there or neither is.
pub(super) struct Line {
    state: watch::Receiver<LineState>,
    shared: Arc<SharedLine>,
    keeper: AbortHandle,
}

#[derive(Clone)]
enum LineState {
    Up(Connection),
    /// There is no connection, for this reason.
    Down(Arc<str>),
}

/// The news of the line, and the channel that they come from.
pub(super) type Channel = (Arc<News>, String);

struct SharedLine {
    servers: Arc<Servers>,
    /// The purpose of the line, for the log.
    purpose: &'static str,
    channel: Option<Channel>,
    /// The number of calls in a row that were not answered, for each kind of calls.
    unanswered: [AtomicU32; KINDS],
    /// The server has answered since this was last looked at.
    answered: AtomicBool,
    /// Asks for a sign of life.
    slow: Arc<Notify>,
    broken: Notify,
    /// Another line that is asked for a sign of life when this one is lost.
    other: Option<Arc<Notify>>,
}

/// A connection that was made, with all that belongs to it.
struct Connected {
    calls: MultiplexedConnection,
    found: FoundServer,
    shard: Option<Arc<Shard>>,
    news: Option<PubSub>,
}

/// The end of a connection.
enum LineEnd {
    Lost(&'static str),
    /// Another server has the keys now. This one redirects calls, or is about to be a replica.
    Moved,
}

impl Line {
    /// Begins to connect. When this line is lost, the `other` is checked at once.
    pub(super) fn open(
        servers: Arc<Servers>,
        purpose: &'static str,
        channel: Option<Channel>,
        other: Option<&Self>,
    ) -> Self {
        let shared = Arc::new(SharedLine {
            servers,
            purpose,
            channel,
            unanswered: Default::default(),
            answered: AtomicBool::new(false),
            slow: Arc::default(),
            broken: Notify::new(),
            other: other.map(|line| Arc::clone(&line.shared.slow)),
        });
        let (up, state) = watch::channel(LineState::Down("it is being made".into()));
        let keeper = tokio::spawn(keep(Arc::clone(&shared), up)).abort_handle();
        Self {
            state,
            shared,
            keeper,
        }
    }

    /// Waits until the first attempt to connect has succeeded or failed, or has taken too long.
    pub(super) async fn settle(&self) {
        let mut state = self.state.clone();
        timeout(self.shared.servers.limit, state.changed())
            .await
            .ok();
    }

    /// Makes a call, and waits for the answer for at most `limit`. Fails at once while there is no
    /// connection.
    pub(super) async fn call<T, F>(
        &self,
        what: &str,
        limit: Limit,
        call: impl FnOnce(Connection) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let connection = match &*self.state.borrow() {
            LineState::Up(connection) => connection.within(limit.time),
            LineState::Down(why) => {
                return Err(StoreError::new(format!(
                    "cannot {what}: there is no connection to Redis: {why}"
                )));
            }
        };
        let unanswered = &self.shared.unanswered[limit.kind as usize];
        if unanswered.load(Ordering::Relaxed) >= PATIENCE {
            return Err(StoreError::new(format!(
                "cannot {what}: Redis did not answer the last {PATIENCE} times"
            )));
        }
        let answered = || {
            self.shared.answered.store(true, Ordering::Relaxed);
            unanswered.store(0, Ordering::Relaxed);
        };
        match timeout(limit.time, call(connection)).await {
            Ok(Ok(answer)) => {
                answered();
                Ok(answer)
            }
            Ok(Err(error)) => {
                if is_lost(&error) {
                    self.shared.broken.notify_one();
                } else {
                    answered();
                }
                Err(StoreError::new(format!("cannot {what}")).with_cause(error))
            }
            Err(_) => {
                if unanswered.fetch_add(1, Ordering::Relaxed) + 1 >= PATIENCE {
                    self.shared.slow.notify_one();
                }
                Err(StoreError::new(format!(
                    "cannot {what}: Redis did not answer within {:?}",
                    limit.time
                )))
            }
        }
    }

    /// Makes a call in the background, and ignores its answer. Nothing is sent while there is no
    /// connection.
    pub(super) fn send<T, F>(&self, limit: Limit, call: impl FnOnce(Connection) -> F)
    where
        F: Future<Output = Result<T, RedisError>> + Send + 'static,
        T: Send + 'static,
    {
        if let LineState::Up(connection) = &*self.state.borrow() {
            tokio::spawn(timeout(limit.time, call(connection.within(limit.time))));
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Returns whether another connection may do better: this one is gone, talks nonsense, or leads to
/// a server that is loading, has become a replica or has lost its cluster.
fn is_lost(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, BusyLoading, ClusterDown, MasterDown, Moved, ReadOnly};
    match error.kind() {
        ErrorKind::Server(kind) => {
            matches!(
                kind,
                ReadOnly | BusyLoading | MasterDown | ClusterDown | Moved | Ask
            )
        }
        // The server reports an error that the client has no name for, such as being full.
        ErrorKind::Extension => false,
        _ => true,
    }
}

/// Keeps the line connected for as long as it lives, by connecting again and again.
async fn keep(shared: Arc<SharedLine>, state: watch::Sender<LineState>) {
    let mut pause = SHORTEST_PAUSE;
    let mut silent = false;
    let purpose = shared.purpose;
    loop {
        let connected = timeout(shared.servers.limit, shared.connect()).await;
        let error = match connected {
            Ok(Ok(connected)) => {
                tracing::debug!(target: target::STORE, "connected to Redis for {purpose}");
                let begun = Instant::now();
                let calls = connected.calls.clone();
                let connection = Connection::new(calls, connected.shard.clone());
                state.send_replace(LineState::Up(connection));
                // Messages that were sent meanwhile were not heard.
                shared.tell();
                let end = shared.listen(connected).await;
                // A connection that is lost at once is as good as none.
                if begun.elapsed() >= PULSE {
                    (pause, silent) = (SHORTEST_PAUSE, false);
                }
                match end {
                    LineEnd::Lost(why) => why.to_owned(),
                    LineEnd::Moved => {
                        // Calls are redirected meanwhile.
                        sleep(SHORTEST_PAUSE).await;
                        continue;
                    }
                }
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it does not answer".to_owned(),
        };
        state.send_replace(LineState::Down(error.as_str().into()));
        if let Some(other) = &shared.other {
            other.notify_one();
        }
        // Logged once for each time that the server is away.
        if !silent {
            tracing::warn!(
                target: target::STORE,
                %error,
                "there is no connection to Redis for {purpose}: going on without"
            );
            silent = true;
        }
        sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

impl SharedLine {
    fn tell(&self) {
        if let Some((news, _)) = &self.channel {
            news.tell();
        }
    }

    async fn connect(&self) -> Result<Connected, RedisError> {
        let found = self.servers.find().await?;
        let news = match &self.channel {
            None => None,
            Some((_, channel)) => {
                let mut news = found.client.get_async_pubsub().await?;
                news.subscribe(channel).await?;
                Some(news)
            }
        };
        let mut calls = found.connection.clone();
        ping(&mut calls).await?;
        let shard = match &found.address {
            Some(address) if self.servers.is_cluster() => {
                let servers = Arc::clone(&self.servers);
                Some(Arc::new(Shard::new(servers, address.clone())))
            }
            _ => None,
        };
        // Complaints about a connection that is gone mean nothing for this one.
        for complaint in [&*self.slow, &self.broken] {
            timeout(Duration::ZERO, complaint.notified()).await.ok();
        }
        self.forgive();
        Ok(Connected {
            calls,
            found,
            shard,
            news,
        })
    }

    /// Forgets which calls were not answered.
    fn forgive(&self) {
        for unanswered in &self.unanswered {
            unanswered.store(0, Ordering::Relaxed);
        }
    }

    /// Passes on the server's messages until the connection is given up. Returns the reason.
    async fn listen(&self, connected: Connected) -> LineEnd {
        let Connected {
            mut calls,
            found,
            shard,
            news,
        } = connected;
        let (mut ask, mut said) = split(news);
        let mut pulse = interval_at(Instant::now() + PULSE, PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut superseded = std::pin::pin!(self.servers.superseded(found.address.as_ref()));
        let mut moved = std::pin::pin!(async {
            match &shard {
                Some(shard) => shard.moved().await,
                None => std::future::pending().await,
            }
        });
        loop {
            tokio::select! {
                message = said.next() => match message {
                    Some(_) => self.tell(),
                    None => return LineEnd::Lost("the connection was closed"),
                },
                () = self.broken.notified() => return LineEnd::Lost("it does not answer as it should"),
                () = &mut moved => return LineEnd::Moved,
                () = &mut superseded => return LineEnd::Moved,
                () = self.slow.notified() => {
                    // Calls fail at once until it is known whether the server is only slow.
                    let alive = timeout(self.servers.limit, ping(&mut calls)).await;
                    if !matches!(alive, Ok(Ok(()))) {
                        return LineEnd::Lost("it does not answer");
                    }
                    self.forgive();
                }
                _ = pulse.tick() => {
                    let alive = timeout(self.servers.limit, self.beat(&mut calls, ask.as_mut()));
                    if !matches!(alive.await, Ok(Ok(()))) {
                        return LineEnd::Lost("it gives no sign of life");
                    }
                }
            }
        }
    }

    /// Asks for a sign of life on each connection that has given none.
    async fn beat(
        &self,
        calls: &mut MultiplexedConnection,
        news: Option<&mut PubSubSink>,
    ) -> Result<(), RedisError> {
        if !self.answered.swap(false, Ordering::Relaxed) {
            ping(calls).await?;
        }
        match news {
            Some(news) => news.ping::<redis::Value>().await.map(drop),
            None => Ok(()),
        }
    }
}

/// Splits the connection for messages. One that is not there has no messages.
fn split(news: Option<PubSub>) -> (Option<PubSubSink>, impl Stream<Item = Msg> + Unpin) {
    match news {
        None => (None, stream::pending().left_stream()),
        Some(news) => {
            let (ask, said) = news.split();
            (Some(ask), said.right_stream())
        }
    }
}

async fn ping(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    redis::cmd("PING").query_async(connection).await
}
