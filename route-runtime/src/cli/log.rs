//! A log on stderr, for programs that have not installed one.

use std::env;
use std::io::{self, IsTerminal as _};
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::mode::Mode;
use crate::server::ServeError;
use crate::server::setting::{from_env, text};

/// The format of the log's records.
#[derive(Clone, Copy, Debug)]
pub(super) enum LogFormat {
    /// Lines of text, for people.
    Text,
    /// A JSON object per line.
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

/// Installs a log on stderr. Does nothing if the program has a log for `tracing` or `log` already,
/// so that no record is written twice.
pub(super) fn install(typed: Option<LogFormat>, mode: Mode) -> Result<(), ServeError> {
    let format = match typed {
        Some(format) => format,
        None => from_env("ROUTE_LOG_FORMAT", "`text` or `json`", text)?.unwrap_or(LogFormat::Text),
    };
    if tracing::dispatcher::has_been_set() || log::max_level() != log::LevelFilter::Off {
        return Ok(());
    }
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(mode)?)
        .with_writer(io::stderr);
    // If another thread has installed a log in the meantime, that one stays.
    drop(match format {
        LogFormat::Text => log.with_ansi(is_coloured()).finish().try_init(),
        LogFormat::Json => log.json().finish().try_init(),
    });
    Ok(())
}

/// Returns the filter that `RUST_LOG` asks for, or the default of the mode: in development it also
/// shows what a developer wants to see, in production only warnings and errors. In both it shows
/// what actix-web's `Logger` logs: a program that has that middleware wants its lines.
fn filter(mode: Mode) -> Result<EnvFilter, ServeError> {
    let told = env::var("RUST_LOG").unwrap_or_default();
    let directives = match (told.trim(), mode) {
        ("", Mode::Development) => "warn,route_runtime=info,actix_web::middleware::logger=info",
        ("", Mode::Production) => "warn,actix_web::middleware::logger=info",
        (told, _) => told,
    };
    EnvFilter::try_new(directives).map_err(|_| ServeError::Environment {
        name: "RUST_LOG",
        value: directives.into(),
        expected: "levels, as in `info` or `warn,route_runtime=debug`",
    })
}

/// Returns whether the log is coloured: on a terminal, unless `NO_COLOR` is set; see
/// <https://no-color.org>.
fn is_coloured() -> bool {
    let is_unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !is_unwanted
}
