//! The settings of a server, from three sources: command-line options override the program, which
//! overrides the environment.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ServeError;
use super::setting::{HOST, PORT, Settings, Sources};
use crate::store::{FileStore, Store, StoreError};

/// The settings that the program gives with [`Server`](super::Server).
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) settings: Settings,
    /// Host and port, as they were given to [`bind`](super::Server::bind).
    pub(super) address: Option<String>,
    /// The program has put a store of its own behind memory.
    pub(super) has_store: bool,
}

/// The place of a store behind memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    Files(PathBuf),
    /// A Redis.
    Redis {
        url: String,
        /// The option or the environment variable that gave the URL.
        named: &'static str,
    },
}

impl Behind {
    /// Returns the store that is to be put behind memory. Returns `None` if nothing names one, or
    /// if the program has put its own there and no option names another.
    pub(super) fn settle(typed: &Settings, program: &Program) -> Result<Option<Self>, ServeError> {
        let url = typed.cache_url.clone().map(|url| Self::Redis {
            url,
            named: "`--cache-url`",
        });
        let typed = url.or_else(|| typed.cache_dir.clone().map(Self::Files));
        if typed.is_some() || program.has_store {
            return Ok(typed);
        }
        Self::from_env()
    }

    fn from_env() -> Result<Option<Self>, ServeError> {
        let directory = Sources::ENVIRONMENT.cache_dir()?;
        match (directory, Sources::ENVIRONMENT.cache_url()?) {
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

    /// Returns the error of a command that needs a store, where nothing names one.
    #[cfg(feature = "cli")]
    pub(super) fn missing() -> ServeError {
        unusable(
            "nothing names one, so no other process could learn of this\n  help: name the directory \
             or the Redis that the server has, with `--cache-dir` or `--cache-url`, or ROUTE_CACHE_DIR \
             or ROUTE_CACHE_URL"
                .into(),
        )
    }

    /// Checks that the store can be [opened](Self::open), as far as that is possible without
    /// connecting.
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

/// The ways to choose a directory, as an error message names them.
const DIRECTORY: &str = if cfg!(feature = "cli") {
    "`--cache-dir` or ROUTE_CACHE_DIR"
} else {
    "ROUTE_CACHE_DIR"
};

/// Checks that files can be kept in the directory. Without this check, a store that never works
/// would be noticed only by invalidations, each of which would fail.
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

#[cfg(all(feature = "cli", feature = "redis"))]
fn check_redis(url: &str, _named: &str) -> Result<(), ServeError> {
    crate::store::RedisStore::check(url).map_err(ServeError::Store)
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

/// Masks the parts of a URL that may hold a password: the credentials and the query.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.into();
    };
    match (rest.rfind('@'), rest.find('?')) {
        (None, None) => url.into(),
        (Some(at), None) => format!("{scheme}://…{}", &rest[at..]),
        (None, Some(query)) => format!("{scheme}://{}?…", &rest[..query]),
        (Some(at), Some(query)) if at < query => format!("{scheme}://…{}?…", &rest[at..query]),
        (Some(_), Some(_)) => format!("{scheme}://…"),
    }
}

/// The settings that a server needs to listen.
pub(super) struct Listen {
    pub(super) address: String,
    pub(super) workers: Option<NonZeroUsize>,
}

impl Listen {
    pub(super) fn settle(typed: &Settings, program: &Program) -> Result<Self, ServeError> {
        let sources = Sources {
            typed,
            program: &program.settings,
        };
        Ok(Self {
            address: match &program.address {
                Some(address) => replace_host_and_port(address, typed),
                None => {
                    let host = sources.host()?;
                    let host = host.unwrap_or_else(|| HOST.into());
                    let port = sources
                        .port()?
                        .map_or_else(|| PORT.into(), |it| it.to_string());
                    join_host_and_port(&host, &port)
                }
            },
            workers: sources.workers()?,
        })
    }
}

/// Returns the builder's address, with its host and port replaced by those that were typed.
fn replace_host_and_port(address: &str, typed: &Settings) -> String {
    if typed.host.is_none() && typed.port.is_none() {
        return address.into();
    }
    let (host, port) = address.rsplit_once(':').unwrap_or((address, PORT));
    let port = typed.port.map_or_else(|| port.into(), |it| it.to_string());
    join_host_and_port(typed.host.as_deref().unwrap_or(host), &port)
}

/// Joins a host and a port. A bare IPv6 address gets the brackets that it needs before a port.
fn join_host_and_port(host: &str, port: &str) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Server;
    use crate::server::setting::SETTINGS;

    #[test]
    fn a_typed_host_or_port_replaces_that_part_of_the_programs_address() {
        let check = |address, host: Option<&str>, port, expected| {
            let typed = Settings {
                host: host.map(String::from),
                port,
                ..Settings::default()
            };
            let program = Program {
                address: Some(String::from(address)),
                settings: Settings {
                    workers: NonZeroUsize::new(1),
                    ..Settings::default()
                },
                ..Program::default()
            };
            let listen = Listen::settle(&typed, &program).unwrap();
            assert_eq!(listen.address, expected);
        };
        check("0.0.0.0:8080", None, None, "0.0.0.0:8080");
        check("0.0.0.0:8080", None, Some(9), "0.0.0.0:9");
        check("0.0.0.0:8080", Some("localhost"), None, "localhost:8080");
        check("0.0.0.0:8080", Some("::1"), Some(9), "[::1]:9");
        check("[::1]:8080", None, Some(9), "[::1]:9");
        check("localhost", None, Some(9), "localhost:9");
        // An unusable address stays as the program gave it, for the error to quote.
        check("localhost", None, None, "localhost");
    }

    #[test]
    fn the_credentials_in_a_url_are_masked() {
        let check = |url, expected| assert_eq!(without_password(url), expected);
        check("redis://me:p@ss@a:6379/0", "redis://…@a:6379/0");
        check("redis://a/0", "redis://a/0");
        check("nonsense@", "nonsense@");
        check(
            "redis-sentinel://:p@a:1,b/main/0?sentinel_password=q",
            "redis-sentinel://…@a:1,b/main/0?…",
        );
        check("redis+unix:///path?pass=p", "redis+unix:///path?…");
        check("redis://:p?p@a", "redis://…");
    }

    #[test]
    fn a_typed_number_of_workers_overrides_the_programs() {
        let typed = Settings {
            workers: NonZeroUsize::new(2),
            port: Some(0),
            ..Settings::default()
        };
        let program = Program {
            settings: Settings {
                workers: NonZeroUsize::new(7),
                ..Settings::default()
            },
            ..Program::default()
        };
        let listen = Listen::settle(&typed, &program).unwrap();
        assert_eq!(listen.workers, NonZeroUsize::new(2));
    }

    #[test]
    fn every_setting_has_a_method_that_sets_it_and_a_row_in_the_guide() {
        let guide = include_str!("../../docs/guide/commands.md");
        for setting in SETTINGS {
            let before = format!("{:?}", Server::new().program);
            let after = format!("{:?}", (setting.method)(Server::new()).program);
            assert_ne!(before, after, "the method of {}", setting.name);
            let mut cells = format!("`{}`", setting.variable);
            if !setting.flag.is_empty() {
                cells = format!("`--{}` | {cells}", setting.flag);
            }
            assert!(guide.contains(&cells), "{cells}");
        }
    }
}
