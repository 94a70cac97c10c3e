//! A log on stderr, where the program has none.

use std::env;
use std::io::{self, IsTerminal as _};
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::mode::Mode;
use crate::server::ServeError;
use crate::server::settings::variable;

/// How a record of the log is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

/// Installs a log, unless the program has one of `tracing` or of `log`: nothing is written twice.
pub(super) fn install(typed: Option<LogFormat>, mode: Mode) -> Result<(), ServeError> {
    let format = match typed {
        Some(format) => format,
        None => variable("ROUTE_LOG_FORMAT", "`text` or `json`")?.unwrap_or(LogFormat::Text),
    };
    if tracing::dispatcher::has_been_set() || log::max_level() != log::LevelFilter::Off {
        return Ok(());
    }
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(mode)?)
        .with_writer(io::stderr);
    // Whoever installs one meanwhile is welcome.
    drop(match format {
        LogFormat::Text => log.with_ansi(is_coloured()).finish().try_init(),
        LogFormat::Json => log.json().finish().try_init(),
    });
    Ok(())
}

/// `RUST_LOG`, or what a developer or an operator wants to see.
fn filter(mode: Mode) -> Result<EnvFilter, ServeError> {
    let told = env::var("RUST_LOG").unwrap_or_default();
    let directives = match (told.trim(), mode) {
        ("", Mode::Development) => "warn,route_runtime=info",
        ("", Mode::Production) => "warn",
        (told, _) => told,
    };
    EnvFilter::try_new(directives).map_err(|_| ServeError::Environment {
        name: "RUST_LOG",
        value: directives.into(),
        expected: "levels, as in `info` or `warn,route_runtime=debug`",
    })
}

/// On a terminal, unless <https://no-color.org> is asked for.
fn is_coloured() -> bool {
    let is_unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !is_unwanted
}
