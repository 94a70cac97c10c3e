//! The command line of a program with routes, and most of its commands as functions.
//!
//! [`serve`](crate::serve) and [`Server::run`](crate::Server::run) read the command line
//! themselves: `--help` lists the commands and options of any program that uses them. A program
//! that parses its own arguments and builds its own `App` calls the functions of this module
//! instead. Each function prints what its command prints on success, and returns the error for the
//! caller to print:
//!
//! ```no_run
//! use route_runtime::{Routes, ServeError, cli};
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), ServeError> {
//!     let routes = Routes::collect()?.at("/v1")?.data(String::from("shared by every handler"));
//!     match std::env::args().nth(1).as_deref() {
//!         Some("routes") => cli::routes(&routes),
//!         Some("check") => cli::check_locked(&routes, "routes.lock").await,
//!         Some("lock") => cli::lock(&routes, "routes.lock"),
//!         _ => serve(routes).await,
//!     }
//! }
//!
//! async fn serve(routes: Routes) -> Result<(), ServeError> {
//!     // An `HttpServer` with an `App` of its own.
//! #   Ok(drop(routes))
//! }
//! ```
//!
//! To do the same without printing, use [`Routes::to_json`](crate::Routes::to_json),
//! [`Routes::check`](crate::Routes::check), [`Lock`](crate::lock::Lock),
//! [`Build`](crate::build::Build) and [`Export`].

mod arguments;
mod build;
mod check;
mod export;
mod list;
mod lock;
mod log;
mod print;
mod progress;
mod revalidate;

use std::path::Path;
use std::time::Duration;

use self::arguments::Command;
pub use self::build::build;
use self::build::look;
pub use self::check::{check, check_locked};
pub use self::export::export;
pub use self::list::{routes, routes_json};
pub use self::lock::lock;
use crate::context::settled;
use crate::export::Export;
use crate::server::{ServeError, Server};

/// The longest that a command waits, before the process ends, for work that renders registered with
/// [`after`](crate::after).
const SETTLING: Duration = Duration::from_secs(30);

impl Server {
    /// Collects the routes and serves them until the process is asked to end, or runs the command
    /// that the command line names instead, such as `routes` or `check`.
    ///
    /// Command-line options override this builder, which overrides the environment. The process
    /// exits with code 2 if the command line cannot be parsed, and with code 0 if it asks for help.
    ///
    /// If the program has not installed a log, `run` installs one on stderr: `RUST_LOG` selects
    /// what is logged, and `--log-format` or `ROUTE_LOG_FORMAT` (`text` or `json`) the format. The
    /// command line and the log need the feature `cli`, which is on by default.
    ///
    /// # Errors
    ///
    /// See [`ServeError`].
    pub async fn run(self) -> Result<(), ServeError> {
        run(self).await
    }
}

/// Runs the command that the command line names; without one, serves.
async fn run(mut server: Server) -> Result<(), ServeError> {
    let command = arguments::read(server.take_args());
    let server = server.watched(progress::bar("rendering ahead"));
    let mut server = server.typed(command.typed());
    let table = server.routes()?;
    log::install(command.log_format(), table.served.setup.mode)?;
    match command {
        Command::Serve(_) => return server.serve(table).await,
        Command::Start(_) => {
            if let Some(directory) = server.starts_from(Path::new(arguments::BUILD))? {
                look(&table, &directory);
            }
            return server.serve(table).await;
        }
        Command::Build(options) => build(&table, options.directory()?).await?,
        Command::Routes(options) if options.json => routes_json(&table)?,
        Command::Routes(_) => routes(&table)?,
        Command::Check(options) => {
            server.check()?;
            if options.locked {
                check_locked(&table, options.file).await?;
            } else {
                check(&table).await?;
            }
        }
        Command::Lock(options) => lock(&table, options.file)?,
        Command::Revalidate(asked) => {
            let table = server
                .with_store(table, Path::new(arguments::BUILD))
                .await?;
            revalidate::revalidate(&table, &asked.into_selection()).await?;
        }
        Command::Export(options) => {
            let wanted = Export::of(&table)
                .partial(options.partial)
                .force(options.force);
            export(wanted, options.directory).await?;
        }
    }
    settled(SETTLING).await;
    Ok(())
}
