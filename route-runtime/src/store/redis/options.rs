//! The options with which a store is opened.

use std::{sync::Mutex, time::Duration};

use redis::{ConnectionAddr, RedisError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::RedisStore;
use super::entry::Keys;
use super::link::{CallKind, Limit, Link, Servers};
use super::url::RedisUrl;
use crate::store::StoreError;

/// The key prefix, the root certificate and the time limits of a [`RedisStore`].
///
/// ```no_run
/// # use std::time::Duration;
/// # use route_runtime::store::{RedisStore, StoreError};
/// # async fn example() -> Result<(), StoreError> {
/// let options = RedisStore::options().prefix("shop").read_limit(Duration::from_millis(20));
/// let store = options.connect("rediss://cache.example.com/2").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RedisStoreOptions {
    pub(super) prefix: String,
    pub(super) root_certificate: Option<Vec<u8>>,
    pub(super) limits: RedisLimits,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct RedisLimits {
    pub(super) connect: Duration,
    pub(super) read: Limit,
    pub(super) write: Limit,
    /// The limit for taking a lease and for giving it back.
    pub(super) lease: Limit,
    pub(super) renew: Limit,
    pub(super) record: Limit,
}

impl Default for RedisLimits {
    fn default() -> Self {
        let limit = |kind, millis| Limit {
            kind,
            time: Duration::from_millis(millis),
        };
        Self {
            connect: Duration::from_secs(2),
            read: limit(CallKind::Read, 50),
            write: limit(CallKind::Write, 1000),
            lease: limit(CallKind::Lease, 50),
            renew: limit(CallKind::Lease, 1000),
            record: limit(CallKind::Record, 1000),
        }
    }
}

impl RedisStoreOptions {
    /// Sets the prefix of all keys, `route` by default. Applications with different prefixes share
    /// nothing.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Limits how long connecting may take, to 2 s by default.
    pub fn connect_limit(mut self, limit: Duration) -> Self {
        self.limits.connect = limit;
        self
    }

    /// Limits how long a request waits for an entry or a lease, to 50 ms by default. It never waits
    /// longer than [`Routes::store_limit`](crate::Routes::store_limit).
    pub fn read_limit(mut self, limit: Duration) -> Self {
        self.limits.read.time = limit;
        self.limits.lease.time = limit;
        self
    }

    /// Limits how long writing an entry or renewing a lease may take, to 1 s by default.
    pub fn write_limit(mut self, limit: Duration) -> Self {
        self.limits.write.time = limit;
        self.limits.renew.time = limit;
        self
    }

    /// Limits how long it may take to record an invalidation, and to ask for those of others, to
    /// 1 s by default.
    pub fn invalidation_limit(mut self, limit: Duration) -> Self {
        self.limits.record.time = limit;
        self
    }

    /// Sets the certificate, in PEM, of the authority that has signed the servers' certificates. It
    /// replaces the certificates of the public authorities, in a URL with TLS.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificate = Some(pem.into());
        self
    }

    /// Connects to a server, as [`RedisStore::connect`] does.
    ///
    /// # Errors
    ///
    /// When the URL or the certificate is not valid.
    pub async fn connect(self, url: &str) -> Result<RedisStore, StoreError> {
        let target = parse(url)?;
        if matches!(target.first.addr(), ConnectionAddr::TcpTls { .. }) {
            // Without a default, and with two providers linked, the TLS library panics. This fails
            // if there is a default already.
            rustls::crypto::aws_lc_rs::default_provider()
                .install_default()
                .ok();
        }
        if let Some(pem) = &self.root_certificate {
            CertificateDer::from_pem_slice(pem).map_err(|error| {
                StoreError::new("this is no certificate in PEM").with_cause(error)
            })?;
        }
        let keys = Keys::new(&self.prefix, target.first.redis_settings().db());
        let limit = self.limits.connect;
        let servers = Servers::new(target, self.root_certificate, &keys.record, limit);
        let servers = servers.map_err(invalid)?;
        Ok(RedisStore {
            link: Link::open(servers, keys.channel.clone()).await,
            keys,
            limits: self.limits,
            told: Mutex::default(),
        })
    }
}

impl RedisStore {
    /// Checks that a URL is valid, without connecting.
    #[cfg(feature = "cli")]
    pub(crate) fn check(url: &str) -> Result<(), StoreError> {
        parse(url).map(drop)
    }
}

fn parse(url: &str) -> Result<RedisUrl, StoreError> {
    RedisUrl::parse(url).map_err(invalid)
}

fn invalid(error: RedisError) -> StoreError {
    StoreError::new("this is no URL of a Redis server").with_cause(error)
}
