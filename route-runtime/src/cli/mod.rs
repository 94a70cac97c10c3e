//! The command line of a program of routes, and each of its commands as a function.
//!
//! [`serve`](crate::serve) and [`Server::run`](crate::Server::run) read it by themselves: `--help`
//! lists the commands and options of any program that uses them. Who owns `main`, the arguments and
//! the `App` calls the commands. They print as the command does, and leave it to the caller to
//! print the error:
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
//! Without printing, they are [`Routes::to_json`](crate::Routes::to_json),
//! [`Routes::check`](crate::Routes::check), [`Lock`](crate::lock::Lock) and [`Export`].

mod arguments;
mod build;
mod check;
mod export;
mod list;
mod lock;
mod log;
mod print;
mod progress;

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

/// What work that a render has left may take, before the process ends.
const SETTLING: Duration = Duration::from_secs(30);

impl Server {
    /// Collects the routes and serves them until it is told to end; or does what the command line
    /// says instead, such as `routes` or `check`.
    ///
    /// What is typed comes before what this builder says, and that before the environment. It
    /// leaves the process, with the exit code 2 or 0, if the command line cannot be understood or
    /// asks for help. Unless the program has one, it installs a log on stderr: `RUST_LOG` says of
    /// what, `ROUTE_LOG_FORMAT` (`text` or `json`) how. Both need the feature `cli`, which is on by
    /// default.
    ///
    /// # Errors
    ///
    /// See [`ServeError`].
    pub async fn run(self) -> Result<(), ServeError> {
        run(self).await
    }
}

/// Does what the command line says, which is to serve where it says nothing.
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
        Command::Build(options) => build(&table, options.directory()).await?,
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
