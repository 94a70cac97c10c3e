//! The search for the server that has the store's keys.

use std::collections::HashMap;
use std::future::{Future, pending};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, RedisConnectionInfo,
    RedisError, ServerErrorKind, TlsCertificates, Value,
};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::super::url::{Address, Hosts, RedisUrl};
use super::line::PULSE;

/// The number of calls that may wait for answers at once on one connection.
const CALLS: usize = 1024;
/// The number of servers that are asked at once where the store's server is.
const ASKED: usize = 4;
/// The number of nodes of a cluster that are remembered, besides those in the URL.
const NODES: usize = 16;
/// The number of redirections that a node of a cluster may give before a call fails.
pub(super) const REDIRECTIONS: usize = 5;
/// The time that sentinels have for answering after the first of them has answered.
const SENTINELS: Duration = Duration::from_millis(100);

/// The servers that a URL names, one of which has the store's keys.
pub(in super::super) struct Servers {
    /// The first server in the URL. The others have the same user, password, database and TLS.
    first: ConnectionInfo,
    way: Way,
    /// A key of the store, which in a cluster tells the node that has all its keys.
    key: String,
    /// The time that connecting may take.
    pub(super) limit: Duration,
}

/// The way to the server.
enum Way {
    Direct,
    Cluster {
        named: Vec<Address>,
        /// Other nodes of the cluster, as a node has listed them.
        known: Mutex<Vec<Address>>,
    },
    Sentinels {
        sentinels: Vec<Address>,
        /// The user and password at the sentinels.
        settings: RedisConnectionInfo,
        name: String,
    },
}

/// The server that has the store's keys, and a connection to it.
pub(super) struct FoundServer {
    pub(super) client: Client,
    pub(super) connection: MultiplexedConnection,
    /// The server's address, where it may change.
    pub(super) address: Option<Address>,
}

impl Servers {
    pub(in super::super) fn new(
        target: RedisUrl,
        root_certificate: Option<Vec<u8>>,
        key: &str,
        limit: Duration,
    ) -> Result<Self, RedisError> {
        let client = match root_certificate {
            None => Client::open(target.first)?,
            certificate => Client::build_with_tls(
                target.first,
                TlsCertificates {
                    client_tls: None,
                    root_cert: certificate,
                },
            )?,
        };
        let first = client.get_connection_info().clone();
        let way = match target.hosts {
            Hosts::Server => Way::Direct,
            Hosts::Cluster(named) => Way::Cluster {
                named,
                known: Mutex::default(),
            },
            Hosts::Sentinels {
                sentinels,
                user,
                password,
                name,
            } => {
                let mut settings = RedisConnectionInfo::default();
                if let Some(user) = user {
                    settings = settings.set_username(user);
                }
                if let Some(password) = password {
                    settings = settings.set_password(password);
                }
                Way::Sentinels {
                    sentinels,
                    settings,
                    name,
                }
            }
        };
        Ok(Self {
            first,
            way,
            key: key.to_owned(),
            limit,
        })
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.way, Way::Cluster { .. })
    }

    /// Connects to the server that has the store's keys.
    pub(super) async fn find(&self) -> Result<FoundServer, RedisError> {
        match &self.way {
            Way::Direct => {
                let client = Client::open(self.first.clone())?;
                Ok(FoundServer {
                    connection: connect(&client).await?,
                    client,
                    address: None,
                })
            }
            Way::Cluster { named, known } => self.find_owner(named, known).await,
            Way::Sentinels {
                sentinels,
                settings,
                name,
            } => {
                let address = self.find_primary(sentinels, settings, name).await?;
                self.connect_to_primary(address).await
            }
        }
    }

    /// Resolves when the sentinels name another server than this one. Never resolves without them.
    pub(super) async fn superseded(&self, address: Option<&Address>) {
        let (
            Way::Sentinels {
                sentinels,
                settings,
                name,
            },
            Some(address),
        ) = (&self.way, address)
        else {
            return pending().await;
        };
        loop {
            sleep(PULSE).await;
            let named = self.find_primary(sentinels, settings, name);
            if let Ok(Ok(named)) = timeout(self.limit, named).await
                && named != *address
            {
                return;
            }
        }
    }

    /// Connects to a server that another one has named.
    pub(super) async fn connect_to(&self, address: Address) -> Result<FoundServer, RedisError> {
        let client = Client::open(self.at(&address))?;
        Ok(FoundServer {
            connection: connect(&client).await?,
            client,
            address: Some(address),
        })
    }

    fn at(&self, address: &Address) -> ConnectionInfo {
        let Address { host, port } = address.clone();
        let address = match self.first.addr() {
            ConnectionAddr::TcpTls {
                insecure,
                tls_params,
                ..
            } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        self.first.clone().set_addr(address)
    }

    /// Puts a question to each of these servers, a few at a time. No server may take more than half
    /// of the time for connecting, so that silent servers do not keep others from being asked.
    fn ask_each<T, F>(
        &self,
        servers: impl IntoIterator<Item = Address>,
        ask: impl Fn(Address) -> F,
    ) -> impl Stream<Item = Result<T, RedisError>>
    where
        F: Future<Output = Result<T, RedisError>>,
    {
        let limit = self.limit / 2;
        let asked = servers.into_iter().map(move |server| {
            let silent = format!("{server} does not answer");
            let answer = timeout(limit, ask(server));
            async move { answer.await.unwrap_or_else(|_| Err(failure(silent))) }
        });
        // Collected, because a stream over a borrowed iterator is not `Send`.
        stream::iter(asked.collect::<Vec<_>>()).buffer_unordered(ASKED)
    }
}

/// The way through a cluster.
impl Servers {
    /// Connects to the node that has the store's keys, as the first node to answer tells.
    async fn find_owner(
        &self,
        named: &[Address],
        known: &Mutex<Vec<Address>>,
    ) -> Result<FoundServer, RedisError> {
        let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut nodes = lock().clone();
        nodes.extend(
            named
                .iter()
                .filter(|it| !nodes.contains(it))
                .cloned()
                .collect::<Vec<_>>(),
        );
        let mut answers = std::pin::pin!(self.ask_each(nodes, |node| self.follow(node)));
        let mut failed = failure("no node is named");
        while let Some(answer) = answers.next().await {
            match answer {
                Ok((found, listed)) => {
                    *lock() = listed;
                    return Ok(found);
                }
                Err(error) => failed = error,
            }
        }
        // The next attempt begins with others.
        let mut known = lock();
        let asked = ASKED.min(known.len());
        known.rotate_left(asked);
        Err(failed)
    }

    /// Connects to the node that has the store's keys, beginning at any node. Returns the nodes of
    /// the cluster, too.
    async fn follow(&self, mut node: Address) -> Result<(FoundServer, Vec<Address>), RedisError> {
        for _ in 0..=REDIRECTIONS {
            let mut found = self.connect_to(node.clone()).await?;
            let mut ask = redis::cmd("HMGET");
            ask.arg(&self.key).arg("name");
            let answer = ask.query_async::<Value>(&mut found.connection).await;
            match answer {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::Moved) => {
                    let to = error
                        .redirect_node()
                        .and_then(|(to, _)| node.redirected(to));
                    node = to.ok_or(error)?;
                }
                // The node has the slot, but some of its keys are already elsewhere.
                Err(error) if error.kind() != ErrorKind::Server(ServerErrorKind::Ask) => {
                    return Err(error);
                }
                _ => {
                    let listed = list_nodes(&mut found.connection, &node).await?;
                    return Ok((found, listed));
                }
            }
        }
        Err(failure("the nodes of the cluster redirect in a circle"))
    }
}

/// Returns the first few nodes that a node lists, beginning with that node.
async fn list_nodes(
    connection: &mut MultiplexedConnection,
    node: &Address,
) -> Result<Vec<Address>, RedisError> {
    let mut ask = redis::cmd("CLUSTER");
    ask.arg("SLOTS");
    // A range of slots: its bounds, and then its nodes, each with its host, its port and more.
    let ranges: Vec<Vec<Value>> = ask.query_async(connection).await?;
    let mut listed = vec![node.clone()];
    for value in ranges.into_iter().flatten() {
        let Value::Array(fields) = value else {
            continue;
        };
        let mut fields = fields.into_iter();
        let (Some(host), Some(Value::Int(port))) = (fields.next(), fields.next()) else {
            continue;
        };
        let host: Option<String> = redis::from_redis_value(host)?;
        let Ok(port) = u16::try_from(port) else {
            continue;
        };
        let other = node.beside(&host.unwrap_or_default(), port);
        if listed.len() < NODES && !listed.contains(&other) {
            listed.push(other);
        }
    }
    Ok(listed)
}

/// The way by sentinels.
impl Servers {
    /// Returns the primary that the sentinels name. Where they differ, the one of the latest
    /// fail-over counts.
    async fn find_primary(
        &self,
        sentinels: &[Address],
        settings: &RedisConnectionInfo,
        name: &str,
    ) -> Result<Address, RedisError> {
        let ask = async |sentinel: Address| {
            let info = self.at(&sentinel).set_redis_settings(settings.clone());
            ask_sentinel(&Client::open(info)?, &sentinel, name).await
        };
        let mut answers = std::pin::pin!(self.ask_each(sentinels.iter().cloned(), ask));
        let mut failed = failure("no sentinel is named");
        let mut latest: Option<(u64, Address)> = None;
        let mut end = Instant::now() + self.limit;
        while let Ok(Some(answer)) = timeout_at(end, answers.next()).await {
            match answer {
                Ok(named) => {
                    if latest.is_none() {
                        end = Instant::now() + SENTINELS;
                    }
                    if latest.as_ref().is_none_or(|(epoch, _)| *epoch < named.0) {
                        latest = Some(named);
                    }
                }
                Err(error) => failed = error,
            }
        }
        latest.map(|(_, address)| address).ok_or(failed)
    }

    async fn connect_to_primary(&self, address: Address) -> Result<FoundServer, RedisError> {
        let mut found = self.connect_to(address).await?;
        let ask = redis::cmd("ROLE");
        let role: Vec<Value> = ask.query_async(&mut found.connection).await?;
        let role = role
            .into_iter()
            .next()
            .map(redis::from_redis_value::<String>);
        match role.transpose()?.as_deref() {
            Some("master") => Ok(found),
            _ => Err(failure("the server that the sentinels name is no primary")),
        }
    }
}

/// Returns the primary that a sentinel names, and the number of the fail-over that made it primary.
async fn ask_sentinel(
    sentinel: &Client,
    address: &Address,
    name: &str,
) -> Result<(u64, Address), RedisError> {
    let mut ask = redis::pipe();
    // The first answer tells of a fail-over sooner than the second, which alone has the number.
    ask.cmd("SENTINEL").arg("get-master-addr-by-name").arg(name);
    ask.cmd("SENTINEL").arg("master").arg(name);
    let (named, described): (Option<(String, u16)>, HashMap<String, String>) =
        ask.query_async(&mut connect(sentinel).await?).await?;
    let (host, port) = named.ok_or_else(|| failure("a sentinel knows no primary of this name"))?;
    let epoch = described.get("config-epoch").and_then(|it| it.parse().ok());
    Ok((epoch.unwrap_or_default(), address.beside(&host, port)))
}

async fn connect(client: &Client) -> Result<MultiplexedConnection, RedisError> {
    // Each call has a limit of its own, and so has connecting.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_concurrency_limit(CALLS);
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

fn failure(why: impl Into<String>) -> RedisError {
    (ErrorKind::Io, "the server was not found", why.into()).into()
}
