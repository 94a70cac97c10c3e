//! Where and how a server serves: what was typed, what the program says, the environment.

use std::env;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use super::ServeError;
use crate::mode::Mode;
use crate::store::{FileStore, Store, StoreError};

/// What was typed when the program was started. It comes before what the builder says, which is
/// written before: who types an option would not understand why it does nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Typed {
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) workers: Option<NonZeroUsize>,
    pub(crate) mode: Option<Mode>,
    pub(crate) cache_bytes: Option<u64>,
    pub(crate) behind: Option<Behind>,
}

/// What the program itself says; it comes before the environment.
#[derive(Default)]
pub(super) struct Built {
    pub(super) address: Option<String>,
    pub(super) workers: Option<NonZeroUsize>,
    pub(super) mode: Option<Mode>,
    pub(super) cache_bytes: Option<u64>,
    pub(super) cdn: Option<bool>,
    /// It has put a store behind memory by itself.
    pub(super) has_store: bool,
}

/// A store behind memory, by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    Files(PathBuf),
    /// A Redis.
    Redis {
        url: String,
        /// The option or the variable that says so.
        named: &'static str,
    },
}

impl Behind {
    /// What is behind memory, if anything that the program has not put there itself.
    pub(super) fn settle(typed: &Typed, built: &Built) -> Result<Option<Self>, ServeError> {
        if typed.behind.is_some() || built.has_store {
            return Ok(typed.behind.clone());
        }
        Self::from_env()
    }

    pub(crate) fn from_env() -> Result<Option<Self>, ServeError> {
        match (files_from_env(), set(URL)) {
            (Some(directory), Some(url)) => Err(unusable(format!(
                "ROUTE_CACHE_DIR is `{}` and {URL} is `{}`, and there can be only one\n  \
                 help: unset one of them",
                directory.display(),
                without_password(&url)
            ))),
            (Some(directory), None) => Ok(Some(Self::Files(directory))),
            (None, Some(url)) => Ok(Some(Self::Redis { url, named: URL })),
            (None, None) => Ok(None),
        }
    }

    /// Whether it can be [opened](Self::open), as far as that can be told without connecting.
    #[cfg(feature = "cli")]
    pub(super) fn check(&self) -> Result<(), ServeError> {
        match self {
            Self::Files(directory) => check_files(directory),
            Self::Redis { url, named } => check_redis(url, named),
        }
    }

    pub(super) async fn open(self) -> Result<Arc<dyn Store>, ServeError> {
        match self {
            Self::Files(directory) => {
                check_files(&directory)?;
                Ok(Arc::new(FileStore::open(directory)))
            }
            Self::Redis { url, named } => redis(&url, named).await,
        }
    }
}

/// How a directory is named, in the words of an error.
const DIRECTORY: &str = if cfg!(feature = "cli") {
    "`--cache-dir` or ROUTE_CACHE_DIR"
} else {
    "ROUTE_CACHE_DIR"
};

/// A store that never works would make each invalidation fail, and nothing else.
fn check_files(directory: &Path) -> Result<(), ServeError> {
    FileStore::check(directory).map_err(|error| {
        unusable(format!(
            "no files can be kept in `{}`: {error}\n  help: name a directory that can be written, \
             with {DIRECTORY}",
            directory.display()
        ))
    })
}

fn unusable(why: String) -> ServeError {
    ServeError::Store(StoreError::new(why))
}

const URL: &str = "ROUTE_CACHE_URL";

/// The directory that `ROUTE_CACHE_DIR` names.
pub(crate) fn files_from_env() -> Option<PathBuf> {
    let directory = env::var_os("ROUTE_CACHE_DIR").filter(|value| !value.is_empty());
    directory.map(PathBuf::from)
}

#[cfg(all(feature = "cli", feature = "redis"))]
fn check_redis(url: &str, _named: &str) -> Result<(), ServeError> {
    let parsed = redis::IntoConnectionInfo::into_connection_info(url);
    // In the words in which it could not be opened.
    let why = |error| StoreError::new("this is no URL of a Redis server").with_cause(error);
    parsed
        .map(drop)
        .map_err(|error| ServeError::Store(why(error)))
}

#[cfg(all(feature = "cli", not(feature = "redis")))]
fn check_redis(url: &str, named: &str) -> Result<(), ServeError> {
    Err(without_redis(url, named))
}

#[cfg(feature = "redis")]
async fn redis(url: &str, _named: &str) -> Result<Arc<dyn Store>, ServeError> {
    match crate::store::RedisStore::connect(url).await {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(ServeError::Store(error)),
    }
}

#[cfg(not(feature = "redis"))]
async fn redis(url: &str, named: &str) -> Result<Arc<dyn Store>, ServeError> {
    Err(without_redis(url, named))
}

#[cfg(not(feature = "redis"))]
fn without_redis(url: &str, named: &str) -> ServeError {
    unusable(format!(
        "{named} is `{}`, and this program is built without Redis\n  help: build it with the feature \
         `redis` of `route-runtime`, or name a directory instead, with {DIRECTORY}",
        without_password(url)
    ))
}

fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            format!("{}://…{}", &url[..scheme], &url[at..])
        }
        _ => url.into(),
    }
}

/// What a server needs to listen.
pub(super) struct Listen {
    pub(super) address: String,
    pub(super) workers: Option<NonZeroUsize>,
}

impl Listen {
    pub(super) fn settle(typed: &Typed, built: &Built) -> Result<Self, ServeError> {
        let workers = typed.workers.or(built.workers);
        Ok(Self {
            address: match &built.address {
                Some(address) => readdressed(address, typed),
                None => {
                    let host = typed.host.clone().or_else(|| set("HOST"));
                    let host = host.unwrap_or_else(|| "127.0.0.1".into());
                    let port = match typed.port {
                        Some(port) => Some(port),
                        None => variable("PORT", PORT)?,
                    };
                    joined(&host, &port.unwrap_or(3000).to_string())
                }
            },
            workers: match workers {
                Some(workers) => Some(workers),
                None => variable("ROUTE_WORKERS", WORKERS)?,
            },
        })
    }
}

/// What a port is, in the words of an error.
pub(crate) const PORT: &str = "a port, from 0 to 65535";
/// What a number of workers is.
pub(crate) const WORKERS: &str = "a number of threads, at least 1";
/// What a size is.
pub(crate) const BYTES: &str = "a number of bytes";

/// Whatever the environment says, if something else decides.
pub(super) fn mode(typed: &Typed, built: &Built) -> Result<Mode, ServeError> {
    match typed.mode.or(built.mode) {
        Some(mode) => Ok(mode),
        None => Mode::from_env().map_err(|value| ServeError::Environment {
            name: "ROUTE_MODE",
            value,
            expected: "`development` or `production`",
        }),
    }
}

pub(super) fn cache_bytes(typed: &Typed, built: &Built) -> Result<Option<u64>, ServeError> {
    match typed.cache_bytes.or(built.cache_bytes) {
        Some(bytes) => Ok(Some(bytes)),
        None => variable("ROUTE_CACHE_BYTES", BYTES),
    }
}

pub(super) fn cdn(built: &Built) -> Result<Option<bool>, ServeError> {
    match built.cdn {
        Some(cdn) => Ok(Some(cdn)),
        None => variable("ROUTE_CDN", "`true` or `false`"),
    }
}

/// The builder's address, with what was typed instead of its parts.
fn readdressed(address: &str, typed: &Typed) -> String {
    if typed.host.is_none() && typed.port.is_none() {
        return address.into();
    }
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "3000"));
    let port = typed.port.map_or_else(|| port.into(), |it| it.to_string());
    joined(typed.host.as_deref().unwrap_or(host), &port)
}

/// A bare IPv6 address needs brackets before a port.
fn joined(host: &str, port: &str) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// What is empty is not set.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable of the environment, if it is set.
pub(crate) fn variable<T: FromStr>(
    name: &'static str,
    expected: &'static str,
) -> Result<Option<T>, ServeError> {
    let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let value = value.to_string_lossy();
    match value.trim().parse() {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(ServeError::Environment {
            name,
            value: value.into_owned(),
            expected,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_replaces_a_part_of_what_is_built() {
        let check = |address, host: Option<&str>, port, expected| {
            let typed = Typed {
                host: host.map(String::from),
                port,
                ..Typed::default()
            };
            let built = Built {
                address: Some(String::from(address)),
                workers: NonZeroUsize::new(1),
                ..Built::default()
            };
            let listen = Listen::settle(&typed, &built).unwrap();
            assert_eq!(listen.address, expected);
        };
        check("0.0.0.0:8080", None, None, "0.0.0.0:8080");
        check("0.0.0.0:8080", None, Some(9), "0.0.0.0:9");
        check("0.0.0.0:8080", Some("localhost"), None, "localhost:8080");
        check("0.0.0.0:8080", Some("::1"), Some(9), "[::1]:9");
        check("[::1]:8080", None, Some(9), "[::1]:9");
        check("localhost", None, Some(9), "localhost:9");
        // Nonsense stays what the program said, for the error to quote.
        check("localhost", None, None, "localhost");
    }

    #[test]
    fn no_error_names_a_password() {
        let check = |url, expected| assert_eq!(without_password(url), expected);
        check("redis://me:p@ss@a:6379/0", "redis://…@a:6379/0");
        check("redis://a/0", "redis://a/0");
        check("nonsense@", "nonsense@");
    }

    #[test]
    fn workers_that_are_typed_come_first() {
        let typed = Typed {
            workers: NonZeroUsize::new(2),
            port: Some(0),
            ..Typed::default()
        };
        let built = Built {
            workers: NonZeroUsize::new(7),
            ..Built::default()
        };
        let listen = Listen::settle(&typed, &built).unwrap();
        assert_eq!(listen.workers, NonZeroUsize::new(2));
    }
}
