//! The command `export`.

use std::path::Path;

use super::print::{NO_PATHS, count, print};
use super::progress;
use crate::export::{Export, Exported};
use crate::server::ServeError;

/// Writes an [`Export`] and prints what it holds. What was left out is listed on stderr, and so
/// are routes whose `static_params` gives no path.
///
/// # Errors
///
/// See [`ExportError`](crate::export::ExportError).
///
/// # Example
///
/// ```no_run
/// # use route_runtime::{Routes, ServeError, cli, export::Export};
/// # #[actix_web::main]
/// # async fn main() -> Result<(), ServeError> {
/// let routes = Routes::collect()?;
/// cli::export(Export::of(&routes).partial(true), "dist").await
/// # }
/// ```
pub async fn export(export: Export<'_>, directory: impl AsRef<Path>) -> Result<(), ServeError> {
    let directory = directory.as_ref();
    let Exported {
        files,
        redirects,
        absent,
        left_out,
        without_paths,
    } = export
        .watched(progress::bar("exporting"))
        .write(directory)
        .await?;
    for refusal in &left_out {
        eprintln!("left out: {refusal}\n");
    }
    for pattern in &without_paths {
        eprintln!("{NO_PATHS}: {pattern}");
    }
    let mut line = format!(
        "{} and {} in `{}`",
        count(files, "file"),
        count(redirects, "redirect"),
        directory.display()
    );
    if absent > 0 {
        line.push_str(&format!(
            "; {} without a file, for 404",
            count(absent, "path")
        ));
    }
    if !left_out.is_empty() {
        line.push_str(&format!("; {} left out", left_out.len()));
    }
    line.push('\n');
    print(&line)
}
