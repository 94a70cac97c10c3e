//! The commands `build` and `start`.

use std::path::Path;

use super::print::{NO_PATHS, count, print};
use super::progress;
use crate::build::{Build, Built, Manifest};
use crate::routes::Routes;
use crate::server::ServeError;
use crate::target;

/// Writes a [`Build`] of the routes into a directory, and prints how many responses it holds.
///
/// Paths whose responses are for one request only are listed on stderr, and so are routes with
/// `store = false`, which are rendered when the program starts, and routes whose `static_params`
/// gives no path although they answer no others.
///
/// # Errors
///
/// See [`BuildError`](crate::build::BuildError).
///
/// # Example
///
/// ```no_run
/// # use route_runtime::{Routes, ServeError, cli};
/// # #[actix_web::main]
/// # async fn main() -> Result<(), ServeError> {
/// cli::build(&Routes::collect()?, ".route/cache").await
/// # }
/// ```
pub async fn build(routes: &Routes, directory: impl AsRef<Path>) -> Result<(), ServeError> {
    let directory = directory.as_ref();
    let Built {
        responses,
        individual,
        in_memory,
        without_paths,
    } = Build::of(routes)
        .watched(progress::bar("building"))
        .write(directory)
        .await?;
    for path in &individual {
        eprintln!("left to each request, whose own its response is: {path}");
    }
    for pattern in &in_memory {
        eprintln!("left to the start, because of `store = false`: {pattern}");
    }
    for pattern in &without_paths {
        eprintln!("{NO_PATHS}: {pattern}");
    }
    print(&format!(
        "{} in `{}`\n",
        count(responses, "response"),
        directory.display()
    ))
}

/// Logs a warning if the directory holds no build of this program: `start` then renders by itself.
pub(super) fn look(routes: &Routes, directory: &Path) {
    let shown = directory.display();
    match Manifest::read(directory) {
        Some(manifest) if *manifest.build == *routes.build() => {}
        Some(_) => tracing::warn!(
            target: target::ROUTES,
            "what is in `{shown}` was built by another program, or another version of this one, and \
             is not used; `build` renders ahead of time what is rendered now"
        ),
        None => tracing::warn!(
            target: target::ROUTES,
            "nothing is built in `{shown}`; `build` renders ahead of time what is rendered now"
        ),
    }
}
