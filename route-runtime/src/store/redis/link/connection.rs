//! A connection that goes where a cluster redirects a call to.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Arg, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, ServerErrorKind, Value};
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep};

use super::super::url::Address;
use super::servers::{REDIRECTIONS, Servers};

/// The pause before a call is repeated that a cluster could not do yet.
const PAUSE: Duration = Duration::from_millis(20);

/// A connection to the server, for one call.
///
/// In a cluster, a command goes where it is redirected to. The commands of a pipeline do so one by
/// one. Transactions are not redirected; the store makes none.
#[derive(Clone)]
pub(in super::super) struct Connection {
    home: MultiplexedConnection,
    shard: Option<Arc<Shard>>,
    /// The node to which a command of this call was redirected.
    elsewhere: Option<Elsewhere>,
    /// The end of the time that the call may take.
    until: Instant,
}

type Elsewhere = (Address, MultiplexedConnection);

/// The nodes of a cluster that have keys of the store.
pub(super) struct Shard {
    servers: Arc<Servers>,
    home: Address,
    /// Connections to the nodes that redirections have named.
    others: Mutex<HashMap<Address, MultiplexedConnection>>,
    /// Signals that the keys are now at another node.
    moved: Notify,
}

impl Shard {
    pub(super) fn new(servers: Arc<Servers>, home: Address) -> Self {
        Self {
            servers,
            home,
            others: Mutex::default(),
            moved: Notify::new(),
        }
    }

    /// Resolves when all keys of the store have moved to another node.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }

    async fn connect_to(&self, address: Address) -> Result<Elsewhere, RedisError> {
        let mut others = self.others.lock().await;
        if let Some(connection) = others.get(&address) {
            return Ok((address, connection.clone()));
        }
        let found = self.servers.connect_to(address.clone()).await?;
        others.insert(address.clone(), found.connection.clone());
        Ok((address, found.connection))
    }

    async fn forget(&self, address: &Address) {
        self.others.lock().await.remove(address);
    }
}

impl Connection {
    pub(super) fn new(home: MultiplexedConnection, shard: Option<Arc<Shard>>) -> Self {
        Self {
            home,
            shard,
            elsewhere: None,
            until: Instant::now(),
        }
    }

    /// Returns this connection, for a call that may take so long.
    pub(super) fn within(&self, limit: Duration) -> Self {
        Self {
            until: Instant::now() + limit,
            ..self.clone()
        }
    }

    async fn send(&mut self, command: &Cmd) -> Result<Value, RedisError> {
        let Some(shard) = self.shard.clone() else {
            return self.home.send_packed_command(command).await;
        };
        // A script is loaded where it was found to be missing.
        let mut at = self.elsewhere.take().filter(|_| is_about_scripts(command));
        let (mut asking, mut redirections) = (false, 0);
        loop {
            let answer = match &mut at {
                None => self.home.send_packed_command(command).await,
                Some((_, node)) if asking => ask(node, command).await,
                Some((_, node)) => node.send_packed_command(command).await,
            };
            let error = match answer {
                Ok(Value::ServerError(error)) => RedisError::from(error),
                Ok(answer) => {
                    self.elsewhere = at;
                    return Ok(answer);
                }
                Err(error) => error,
            };
            match error.kind() {
                ErrorKind::Server(kind @ (ServerErrorKind::Moved | ServerErrorKind::Ask))
                    if redirections < REDIRECTIONS =>
                {
                    let from = at.as_ref().map_or(&shard.home, |(address, _)| address);
                    let to = error.redirect_node();
                    let to = to.and_then(|(to, _)| from.redirected(to)).ok_or(error)?;
                    asking = kind == ServerErrorKind::Ask;
                    if !asking {
                        shard.moved.notify_one();
                    }
                    at = Some(shard.connect_to(to).await?);
                    redirections += 1;
                }
                // The keys of the call are at two nodes just now.
                ErrorKind::Server(ServerErrorKind::TryAgain)
                    if Instant::now() + 2 * PAUSE < self.until =>
                {
                    sleep(PAUSE).await;
                    (at, asking, redirections) = (None, false, 0);
                }
                kind => {
                    if let (ErrorKind::Io, Some((address, _))) = (kind, &at) {
                        shard.forget(address).await;
                    }
                    self.elsewhere = at;
                    return Err(error);
                }
            }
        }
    }

    async fn send_all(
        &mut self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> Result<Vec<Value>, RedisError> {
        let sent = self.home.send_packed_commands(pipeline, offset, count);
        let mut answers = sent.await?;
        if self.shard.is_some() && !pipeline.is_transaction() {
            for (answer, command) in answers.iter_mut().zip(pipeline.cmd_iter()) {
                if matches!(answer, Value::ServerError(error) if is_about_slots(error.kind())) {
                    *answer = self.send(command).await?;
                }
            }
        }
        Ok(answers)
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(self.send(cmd))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(self.send_all(pipeline, offset, count))
    }

    fn get_db(&self) -> i64 {
        self.home.get_db()
    }
}

/// Sends a command to a node that has only a part of the keys as yet.
async fn ask(node: &mut MultiplexedConnection, command: &Cmd) -> Result<Value, RedisError> {
    // Sent as one, because other calls use the same connection.
    let mut both = redis::pipe();
    both.cmd("ASKING").add_command(command.clone());
    let answers = node.send_packed_commands(&both, 0, 2).await?;
    let mut answers = answers.into_iter();
    match (answers.next(), answers.next()) {
        // If this user may not ask, the second answer says only that the keys are not here.
        (Some(refused @ Value::ServerError(_)), _) => Ok(refused),
        (_, Some(answer)) => Ok(answer),
        (_, None) => Err((ErrorKind::UnexpectedReturnType, "an answer is missing").into()),
    }
}

fn is_about_slots(kind: Option<ServerErrorKind>) -> bool {
    use ServerErrorKind::{Ask, Moved, TryAgain};
    matches!(kind, Some(Moved | Ask | TryAgain))
}

fn is_about_scripts(command: &Cmd) -> bool {
    matches!(command.args_iter().next(), Some(Arg::Simple(b"SCRIPT")))
}
