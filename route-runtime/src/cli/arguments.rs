//! What can be typed.

use std::env;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Parser, Subcommand};

use super::log::LogFormat;
use crate::mode::Mode;
use crate::server::settings::{BYTES, Behind, PORT, Typed, WORKERS, files_from_env};

/// Serves the routes of this program
#[derive(Debug, Parser)]
#[command(
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = ENVIRONMENT
)]
struct Line {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

const ENVIRONMENT: &str = "\
Environment:
  HOST, PORT, ROUTE_WORKERS, ROUTE_MODE, ROUTE_CACHE_BYTES, ROUTE_CACHE_DIR, ROUTE_CACHE_URL,
  ROUTE_LOG_FORMAT        Each as the option that names it
  ROUTE_BUILD_ID          The build whose responses are taken from a store
                          [default: a hash of the program]
  ROUTE_CDN               Whether shared caches outside may keep cached responses [default: false]
  RUST_LOG                What is logged, as in `info` or `warn,route_runtime=debug`

An option comes before what the program says by itself, and that before the environment.";

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve the routes; what is done without a command
    Serve(Serve),
    /// Render everything ahead into files, for `start`
    Build(Build),
    /// Serve in production what `build` has left
    Start(Serve),
    /// Print the table of routes, without starting anything
    Routes(Table),
    /// Fail where `serve` would not start; with `--locked`, also where routes have changed
    Check(Check),
    /// Write how each route is rendered to a file, for `check --locked`
    Lock(LockFile),
    /// Render the routes into a directory that a CDN or any server of files can serve
    Export(Export),
}

/// Where the lock is, if nobody says otherwise.
const LOCK: &str = "routes.lock";

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The address to listen on [env: HOST] [default: 127.0.0.1]
    #[arg(long)]
    host: Option<String>,
    /// The port to listen on; 0 for any that is free [env: PORT] [default: 3000]
    #[arg(long, value_parser = as_told::<u16>(PORT))]
    port: Option<u16>,
    /// How many threads answer requests [env: ROUTE_WORKERS] [default: one per core]
    #[arg(long, value_name = "N", value_parser = as_told::<NonZeroUsize>(WORKERS))]
    workers: Option<NonZeroUsize>,
    /// How to render [env: ROUTE_MODE] [default: development in debug builds]
    #[arg(long, value_parser = modes())]
    mode: Option<Mode>,
    /// How many bytes of responses and data to keep in memory [env: ROUTE_CACHE_BYTES] [default: 50000000]
    #[arg(long, value_name = "BYTES", value_parser = as_told::<u64>(BYTES))]
    cache_bytes: Option<u64>,
    /// The directory where responses and data are kept beyond memory [env: ROUTE_CACHE_DIR]
    /// [default: none; of `start` .route/cache]
    #[arg(long, value_name = "DIR", conflicts_with = "cache_url")]
    cache_dir: Option<PathBuf>,
    /// The Redis where they are kept, shared with other instances [env: ROUTE_CACHE_URL]
    #[arg(long, value_name = "URL")]
    cache_url: Option<String>,
    #[command(flatten)]
    log: Log,
}

#[derive(Debug, Args)]
pub(super) struct Build {
    /// The directory to write [env: ROUTE_CACHE_DIR] [default: .route/cache]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    log: Log,
}

/// Where `build` leaves what `start` takes, if nobody says otherwise.
pub(super) const BUILD: &str = ".route/cache";

impl Build {
    pub(super) fn directory(&self) -> PathBuf {
        let named = self.out.clone().or_else(files_from_env);
        named.unwrap_or_else(|| BUILD.into())
    }
}

impl Serve {
    fn behind(&self) -> Option<Behind> {
        let url = self.cache_url.clone().map(|url| Behind::Redis {
            url,
            named: "`--cache-url`",
        });
        url.or_else(|| self.cache_dir.clone().map(Behind::Files))
    }

    fn typed(&self) -> Typed {
        Typed {
            host: self.host.clone(),
            port: self.port,
            workers: self.workers,
            mode: self.mode,
            cache_bytes: self.cache_bytes,
            behind: self.behind(),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Table {
    /// Print it as JSON, an object for each method of each path
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Compare with the file that `lock` has written
    #[arg(long)]
    pub(super) locked: bool,
    /// The file to compare with
    #[arg(long, value_name = "FILE", default_value = LOCK, requires = "locked")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Args)]
pub(super) struct LockFile {
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = LOCK)]
    pub(super) file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// The directory to write; replaced if it is empty or an earlier export
    #[arg(value_name = "DIR")]
    pub(super) directory: PathBuf,
    /// Leave out what cannot be exported, instead of writing nothing
    #[arg(long)]
    pub(super) partial: bool,
    /// Replace the directory, whatever is in it
    #[arg(long)]
    pub(super) force: bool,
    #[command(flatten)]
    log: Log,
}

#[derive(Debug, Args)]
struct Log {
    /// How to log on stderr [env: ROUTE_LOG_FORMAT] [default: text]
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    log_format: Option<LogFormat>,
}

fn modes() -> impl clap::builder::TypedValueParser<Value = Mode> {
    let names = PossibleValuesParser::new(["development", "production"]);
    names.map(|name| match &*name {
        "production" => Mode::Production,
        _ => Mode::Development,
    })
}

fn formats() -> impl clap::builder::TypedValueParser<Value = LogFormat> {
    let names = PossibleValuesParser::new(["text", "json"]);
    names.map(|name| match &*name {
        "json" => LogFormat::Json,
        _ => LogFormat::Text,
    })
}

/// Parses, or says what was expected in the words that hold for the environment too.
fn as_told<T: FromStr>(
    expected: &'static str,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |value| {
        value
            .trim()
            .parse()
            .map_err(|_| format!("expected {expected}"))
    }
}

/// What is to be done: what the process was asked for, unless others are given. Ends the process if
/// they cannot be understood, or ask for help.
pub(super) fn read(args: Option<Vec<OsString>>) -> Command {
    let mut process = env::args_os();
    let name = process.next().unwrap_or_else(|| "program".into());
    let args = args.unwrap_or_else(|| process.collect());
    Command::parse([name].into_iter().chain(args)).unwrap_or_else(|error| error.exit())
}

impl Command {
    fn parse(args: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        let line = Line::try_parse_from(args)?;
        Ok(line.command.unwrap_or(Self::Serve(line.serve)))
    }

    /// What was typed of what the environment could say too.
    pub(super) fn typed(&self) -> Typed {
        match self {
            Self::Serve(serve) | Self::Check(Check { serve, .. }) => serve.typed(),
            // Production whatever the profile, the environment and the program say.
            Self::Start(serve) => Typed {
                mode: Some(Mode::Production),
                ..serve.typed()
            },
            Self::Build(_) | Self::Export(_) => Typed {
                mode: Some(Mode::Production),
                ..Typed::default()
            },
            Self::Routes(_) | Self::Lock(_) => Typed::default(),
        }
    }

    pub(super) fn log_format(&self) -> Option<LogFormat> {
        match self {
            Self::Serve(serve) | Self::Start(serve) | Self::Check(Check { serve, .. }) => {
                serve.log.log_format
            }
            Self::Build(build) => build.log.log_format,
            Self::Export(export) => export.log.log_format,
            // Nothing runs that could log.
            Self::Routes(_) | Self::Lock(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_commands_fit_together() {
        Line::command().debug_assert();
    }

    #[test]
    fn options_without_a_command_are_those_of_serve() {
        let parse = |line: &str| {
            let args = line.split(' ').map(OsString::from);
            Command::parse(args).map(|command| command.typed())
        };
        let options = "--host ::1 --port 0 --workers 2 --mode production --cache-bytes 9";
        let bare = parse(&format!("program {options}")).unwrap();
        let named = parse(&format!("program serve {options}")).unwrap();
        assert_eq!(format!("{bare:?}"), format!("{named:?}"));
        assert_eq!(bare.host.as_deref(), Some("::1"));
        assert_eq!((bare.port, bare.cache_bytes), (Some(0), Some(9)));
        assert_eq!(bare.mode, Some(Mode::Production));
        assert!(parse("program --port 1 routes").is_err());
        assert!(parse("program routes --port 1").is_err());
    }
}
