//! The connection to the server. It is made in the background, and given up when the server does
//! not answer.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError, ServerErrorKind};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

use super::super::{News, StoreError};

use crate::target;

/// The number of calls that may wait for answers at once.
const AT_ONCE: usize = 1024;
/// The number of unanswered calls in a row after which no more are made until the server has shown
/// that it is only slow.
const PATIENCE: u32 = 3;
/// The time between two pings, which ask the server for a sign of life.
const PULSE: Duration = Duration::from_secs(5);
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A connection for calls and one for messages. Either both are there or neither is.
pub(super) struct Link {
    state: watch::Receiver<LinkState>,
    shared: Arc<SharedLink>,
    keeper: AbortHandle,
}

#[derive(Clone)]
enum LinkState {
    /// The first attempt to connect is under way.
    Connecting,
    Up(MultiplexedConnection),
    Down,
}

struct SharedLink {
    client: Client,
    channel: String,
    limit: Duration,
    news: News,
    /// The number of calls in a row that were not answered.
    unanswered: AtomicU32,
    slow: Notify,
    broken: Notify,
}

impl Link {
    /// Begins to connect, and waits until the first attempt has succeeded or failed.
    pub(super) async fn open(client: Client, channel: String, limit: Duration) -> Self {
        let shared = Arc::new(SharedLink {
            client,
            channel,
            limit,
            news: News::default(),
            unanswered: AtomicU32::new(0),
            slow: Notify::new(),
            broken: Notify::new(),
        });
        let (up, mut state) = watch::channel(LinkState::Connecting);
        let keeper = tokio::spawn(keep(Arc::clone(&shared), up)).abort_handle();
        let first = state.wait_for(|state| !matches!(state, LinkState::Connecting));
        timeout(limit, first).await.ok();
        Self {
            state,
            shared,
            keeper,
        }
    }

    pub(super) fn news(&self) -> &News {
        &self.shared.news
    }

    /// Makes a call, and waits for the answer for at most `limit`. Fails at once while there is no
    /// connection.
    pub(super) async fn call<T, F>(
        &self,
        what: &str,
        limit: Duration,
        call: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let LinkState::Up(connection) = self.state.borrow().clone() else {
            return Err(StoreError::new(format!(
                "cannot {what}: there is no connection to Redis"
            )));
        };
        let answer = timeout(limit, call(connection)).await;
        let unanswered = &self.shared.unanswered;
        match answer {
            Ok(Ok(answer)) => {
                unanswered.store(0, Ordering::Relaxed);
                Ok(answer)
            }
            Ok(Err(error)) => {
                if lost(&error) {
                    self.shared.broken.notify_one();
                } else {
                    unanswered.store(0, Ordering::Relaxed);
                }
                Err(StoreError::new(format!("cannot {what}")).with_cause(error))
            }
            Err(_) => {
                if unanswered.fetch_add(1, Ordering::Relaxed) + 1 >= PATIENCE {
                    self.shared.slow.notify_one();
                }
                Err(StoreError::new(format!(
                    "cannot {what}: Redis did not answer within {limit:?}"
                )))
            }
        }
    }
}

impl Link {
    /// Makes a call in the background, and ignores its answer. Nothing is sent while there is no
    /// connection.
    pub(super) fn send<T, F>(&self, limit: Duration, call: impl FnOnce(MultiplexedConnection) -> F)
    where
        F: Future<Output = Result<T, RedisError>> + Send + 'static,
        T: Send + 'static,
    {
        if let LinkState::Up(connection) = self.state.borrow().clone() {
            tokio::spawn(timeout(limit, call(connection)));
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// Returns whether another connection may do better: this one is gone, talks nonsense, or leads to
/// a server that has become a replica.
fn lost(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => kind == ServerErrorKind::ReadOnly,
        // The server reports an error that the client has no name for, such as being full.
        ErrorKind::Extension => false,
        _ => true,
    }
}

/// Keeps the store connected for as long as it lives, by connecting again and again.
async fn keep(shared: Arc<SharedLink>, state: watch::Sender<LinkState>) {
    let mut pause = SHORTEST_PAUSE;
    let mut silent = false;
    loop {
        let connected = timeout(shared.limit, shared.connect()).await;
        let error = match connected {
            Ok(Ok((calls, news))) => {
                tracing::debug!(target: target::STORE, "connected to Redis");
                let begun = Instant::now();
                shared.unanswered.store(0, Ordering::Relaxed);
                state.send_replace(LinkState::Up(calls.clone()));
                // Messages that were sent meanwhile were not heard.
                shared.news.tell();
                let why = shared.listen(calls, news, &state).await;
                state.send_replace(LinkState::Down);
                // A connection that is lost at once is as good as none.
                if begun.elapsed() >= PULSE {
                    (pause, silent) = (SHORTEST_PAUSE, false);
                }
                why.to_owned()
            }
            Ok(Err(error)) => {
                state.send_replace(LinkState::Down);
                error.to_string()
            }
            Err(_) => {
                state.send_replace(LinkState::Down);
                "it does not answer".to_owned()
            }
        };
        // Logged once for each time that the server is away.
        if !silent {
            tracing::warn!(target: target::STORE, %error, "there is no connection to Redis: going on without");
            silent = true;
        }
        sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

impl SharedLink {
    async fn connect(&self) -> Result<(MultiplexedConnection, PubSub), RedisError> {
        let mut news = self.client.get_async_pubsub().await?;
        news.subscribe(&self.channel).await?;
        // Each call has a limit of its own.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_concurrency_limit(AT_ONCE);
        let calls = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let calls = calls.await?;
        // Complaints about a connection that is gone mean nothing for this one.
        for complaint in [&self.slow, &self.broken] {
            timeout(Duration::ZERO, complaint.notified()).await.ok();
        }
        Ok((calls, news))
    }

    /// Passes on the server's messages until the connection is given up. Returns the reason.
    async fn listen(
        &self,
        calls: MultiplexedConnection,
        news: PubSub,
        state: &watch::Sender<LinkState>,
    ) -> &'static str {
        let (mut ask, mut said) = news.split();
        let mut pulse = interval_at(Instant::now() + PULSE, PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = said.next() => match message {
                    Some(_) => self.news.tell(),
                    None => return "the connection was closed",
                },
                () = self.broken.notified() => return "it does not answer as it should",
                () = self.slow.notified() => {
                    // Calls fail at once until it is known whether the server is only slow.
                    state.send_replace(LinkState::Down);
                    let mut connection = calls.clone();
                    let ping = redis::cmd("PING");
                    let alive = ping.query_async::<redis::Value>(&mut connection);
                    if !matches!(timeout(self.limit, alive).await, Ok(Ok(_))) {
                        return "it does not answer";
                    }
                    self.unanswered.store(0, Ordering::Relaxed);
                    state.send_replace(LinkState::Up(calls.clone()));
                }
                _ = pulse.tick() => {
                    let alive = timeout(self.limit, ask.ping::<redis::Value>()).await;
                    if !matches!(alive, Ok(Ok(_))) {
                        return "it gives no sign of life";
                    }
                }
            }
        }
    }
}
