//! The server that has the store's keys.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};

/// The number of calls that may wait for answers at once on one connection.
const CALLS: usize = 1024;

/// The server that a URL names.
pub(in super::super) struct Servers {
    client: Client,
    /// The time that connecting may take.
    pub(super) limit: Duration,
}

/// The server that has the store's keys, and a connection to it.
pub(super) struct FoundServer {
    pub(super) client: Client,
    pub(super) connection: MultiplexedConnection,
}

impl Servers {
    pub(in super::super) fn new(client: Client, limit: Duration) -> Self {
        Self { client, limit }
    }

    /// Connects to the server that has the store's keys.
    pub(super) async fn find(&self) -> Result<FoundServer, RedisError> {
        let client = self.client.clone();
        // Each call has a limit of its own, and so has connecting.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_concurrency_limit(CALLS);
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        Ok(FoundServer {
            connection: connection.await?,
            client,
        })
    }
}
