//! The options with which a store is opened.

use std::{sync::Mutex, time::Duration};

use redis::{Client, IntoConnectionInfo as _, RedisError, TlsCertificates};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::RedisStore;
use super::entry::Keys;
use super::link::Link;
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
    pub(super) read: Duration,
    pub(super) write: Duration,
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
        self.limits.read = limit;
        self
    }

    /// Limits how long writing, invalidating and catching up may take, to 1 s by default.
    pub fn write_limit(mut self, limit: Duration) -> Self {
        self.limits.write = limit;
        self
    }

    /// Sets the certificate, in PEM, of the authority that has signed the server's certificate. It
    /// replaces the certificates of the public authorities, for `rediss://`.
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
        let invalid = |error: RedisError| {
            StoreError::new("this is no URL of a Redis server").with_cause(error)
        };
        let info = url.into_connection_info().map_err(invalid)?;
        if url.starts_with("rediss:") || url.starts_with("valkeys:") {
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
        let keys = Keys::new(&self.prefix, info.redis_settings().db());
        let client = match self.root_certificate {
            None => Client::open(info),
            certificate => Client::build_with_tls(
                info,
                TlsCertificates {
                    client_tls: None,
                    root_cert: certificate,
                },
            ),
        };
        let client = client.map_err(invalid)?;
        Ok(RedisStore {
            link: Link::open(client, keys.channel.clone(), self.limits.connect).await,
            keys,
            limits: self.limits,
            told: Mutex::default(),
        })
    }
}
