//! The command line: its commands, their options, and how it is parsed.

use std::env;
use std::ffi::OsString;
use std::marker::PhantomData;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser as _};
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, FromArgMatches, Parser, Subcommand};

use super::log::LogFormat;
use crate::mode::Mode;
use crate::routes::Selection;
use crate::server::ServeError;
use crate::server::setting::{SETTINGS, Setting, Settings, Sources};

/// Serves the routes of this program
#[derive(Debug, Parser)]
#[command(
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = environment()
)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

/// Returns the part of the help that is about the environment.
fn environment() -> String {
    const WIDTH: usize = 98;
    let mut lines = vec![String::from("Environment:"), String::from(" ")];
    let named = flags::<All>().map(|setting| setting.variable);
    for variable in named {
        let mut line = lines.pop().unwrap_or_default();
        if line.len() + variable.len() + 2 > WIDTH {
            lines.push(line);
            line = " ".into();
        }
        lines.push(format!("{line} {variable},"));
    }
    lines.push(row("ROUTE_LOG_FORMAT", "Each as the option that names it"));
    lines.push(row(
        "ROUTE_BUILD_ID",
        "The build whose responses are taken from a store",
    ));
    lines.push(row("", "[default: a hash of the program]"));
    lines.push(row(
        "ROUTE_ADMIN_SECRET",
        "The secret with which operators invalidate; without it, they cannot",
    ));
    for setting in SETTINGS.iter().filter(|setting| setting.flag.is_empty()) {
        let help = format!("{} [default: {}]", setting.help, setting.default);
        lines.push(row(setting.variable, &help));
    }
    lines.push(row(
        "RUST_LOG",
        "What is logged, as in `info` or `warn,route_runtime=debug`",
    ));
    let order =
        "An option comes before what the program says by itself, and that before the environment.";
    format!("{}\n\n{order}", lines.join("\n"))
}

/// Makes a line of the help of an environment variable.
fn row(variable: &str, help: &str) -> String {
    format!("  {variable:<24}{help}")
}

/// A command, with its options.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve the routes; what is done without a command
    Serve(Serve),
    /// Render everything ahead into files, for `start`
    Build(BuildOptions),
    /// Serve in production what `build` has left
    Start(Serve),
    /// Print the table of routes, without starting anything
    Routes(TableOptions),
    /// Fail where `serve` would not start; with `--locked`, also where routes have changed
    Check(Check),
    /// Write how each route is rendered to a file, for `check --locked`
    Lock(LockFile),
    /// Invalidate what other processes serve from the same directory or Redis
    Revalidate(Invalidate),
    /// Render the routes into a directory that a CDN or any server of files can serve
    Export(ExportOptions),
}

/// The default path of the lock file.
const LOCK: &str = "routes.lock";

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    settings: SettingFlags<All>,
    #[command(flatten)]
    log: Log,
}

#[derive(Debug, Args)]
pub(super) struct BuildOptions {
    /// The directory to write [env: ROUTE_CACHE_DIR] [default: .route/cache]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    log: Log,
}

/// The default directory, which `build` writes and `start` reads.
pub(super) const BUILD: &str = ".route/cache";

impl BuildOptions {
    pub(super) fn directory(&self) -> Result<PathBuf, ServeError> {
        let named = match &self.out {
            Some(named) => Some(named.clone()),
            None => Sources::ENVIRONMENT.cache_dir()?,
        };
        Ok(named.unwrap_or_else(|| BUILD.into()))
    }
}

/// The flags of some settings, as their rows say.
#[derive(Clone, Debug)]
struct SettingFlags<F>(Settings, PhantomData<F>);

/// A choice of settings.
trait Flags {
    fn has(setting: &Setting) -> bool;
}

/// All settings that have a flag.
#[derive(Clone, Debug)]
struct All;

impl Flags for All {
    fn has(setting: &Setting) -> bool {
        !setting.flag.is_empty()
    }
}

/// The settings that name the store behind memory.
#[derive(Clone, Debug)]
struct OfStore;

impl Flags for OfStore {
    fn has(setting: &Setting) -> bool {
        matches!(setting.name, "cache_dir" | "cache_url")
    }
}

fn flags<F: Flags>() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| F::has(setting))
}

impl<F: Flags> Args for SettingFlags<F> {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.args(flags::<F>().map(flag))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl<F: Flags> FromArgMatches for SettingFlags<F> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self(Settings::default(), PhantomData);
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in flags::<F>() {
            if let Some(text) = matches.get_one::<OsString>(setting.name) {
                (setting.read)(&mut self.0, text).map_err(|()| {
                    let text = text.to_string_lossy();
                    let message = format!("`{text}` is not {}\n", setting.expected);
                    clap::Error::raw(ErrorKind::ValueValidation, message)
                })?;
            }
        }
        Ok(())
    }
}

/// Returns the flag of a setting.
fn flag(setting: &'static Setting) -> Arg {
    let mut help = format!("{} [env: {}]", setting.help, setting.variable);
    if !setting.default.is_empty() {
        help.push_str(&format!(" [default: {}]", setting.default));
    }
    let flag = Arg::new(setting.name)
        .long(setting.flag)
        .value_name(setting.value_name)
        .help(help)
        .conflicts_with_all(setting.conflicts);
    if setting.choices.is_empty() {
        let expected = setting.expected;
        flag.value_parser(OsStringValueParser::new().try_map(move |text| {
            let read = (setting.read)(&mut Settings::default(), &text);
            read.map(|()| text)
                .map_err(|()| format!("expected {expected}"))
        }))
    } else {
        let choices = PossibleValuesParser::new(setting.choices);
        flag.value_parser(choices.map(OsString::from))
    }
}

#[derive(Debug, Args)]
pub(super) struct TableOptions {
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
#[group(id = "target", required = true, multiple = true, args = ["tag", "path", "pattern"])]
pub(super) struct Invalidate {
    /// Invalidate everything with this tag; may be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Invalidate the response of this path; may be given several times
    #[arg(long, value_name = "PATH")]
    path: Vec<String>,
    /// Invalidate the responses of this pattern; may be given several times
    #[arg(long, value_name = "PATTERN")]
    pattern: Vec<String>,
    /// Go on serving what is there until it is rendered anew
    #[arg(long)]
    stale: bool,
    #[command(flatten)]
    store: SettingFlags<OfStore>,
    #[command(flatten)]
    log: Log,
}

impl Invalidate {
    pub(super) fn into_selection(self) -> Selection {
        Selection {
            tags: self.tag,
            paths: self.path,
            patterns: self.pattern,
            stale: self.stale,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ExportOptions {
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

fn formats() -> impl clap::builder::TypedValueParser<Value = LogFormat> {
    let names = PossibleValuesParser::new(["text", "json"]);
    names.map(|name| match &*name {
        "json" => LogFormat::Json,
        _ => LogFormat::Text,
    })
}

/// Reads the command from `args`, or from the arguments of the process if `args` is `None`. Exits
/// the process if the arguments cannot be parsed, or if they ask for help.
pub(super) fn read(args: Option<Vec<OsString>>) -> Command {
    let mut process = env::args_os();
    let name = process.next().unwrap_or_else(|| "program".into());
    let args = args.unwrap_or_else(|| process.collect());
    Command::parse([name].into_iter().chain(args)).unwrap_or_else(|error| error.exit())
}

impl Command {
    fn parse(args: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        let line = CommandLine::try_parse_from(args)?;
        Ok(line.command.unwrap_or(Self::Serve(line.serve)))
    }

    /// Returns the settings from the command line that environment variables can set as well.
    pub(super) fn typed(&self) -> Settings {
        match self {
            Self::Serve(serve) | Self::Check(Check { serve, .. }) => serve.settings.0.clone(),
            // Always in production, whatever the profile, the environment and the program say.
            Self::Start(serve) => Settings {
                mode: Some(Mode::Production),
                ..serve.settings.0.clone()
            },
            Self::Build(_) | Self::Export(_) => Settings {
                mode: Some(Mode::Production),
                ..Settings::default()
            },
            Self::Revalidate(asked) => asked.store.0.clone(),
            Self::Routes(_) | Self::Lock(_) => Settings::default(),
        }
    }

    pub(super) fn log_format(&self) -> Option<LogFormat> {
        match self {
            Self::Serve(serve) | Self::Start(serve) | Self::Check(Check { serve, .. }) => {
                serve.log.log_format
            }
            Self::Build(build) => build.log.log_format,
            Self::Export(export) => export.log.log_format,
            Self::Revalidate(asked) => asked.log.log_format,
            // These commands run nothing that could log.
            Self::Routes(_) | Self::Lock(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn clap_accepts_the_definition_of_the_command_line() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn options_without_a_command_are_the_options_of_serve() {
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
