//! The search for the server that has the store's keys.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError,
    ServerErrorKind, TlsCertificates, Value,
};
use tokio::time::timeout;

use super::super::url::{Address, Hosts, RedisUrl};

/// The number of calls that may wait for answers at once on one connection.
const CALLS: usize = 1024;
/// The number of servers that are asked at once where the store's server is.
const ASKED: usize = 4;
/// The number of nodes of a cluster that are remembered, besides those in the URL.
const NODES: usize = 16;
/// The number of redirections that a node of a cluster may give before a call fails.
pub(super) const REDIRECTIONS: usize = 5;
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
