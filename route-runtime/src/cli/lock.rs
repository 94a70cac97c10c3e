//! The command `lock`.

use std::fs;
use std::path::Path;

use super::print::{count, print};
use crate::lock::{Lock, LockError};
use crate::routes::Routes;
use crate::server::ServeError;

/// Writes the [`Lock`] of the routes, which says how each one is rendered, to a file.
///
/// # Errors
///
/// If the file or stdout cannot be written to.
///
/// # Example
///
/// ```
/// # use route_runtime::{Routes, ServeError, cli, route};
/// #[route("/time")]
/// async fn time() -> &'static str {
///     "now"
/// }
///
/// # fn main() -> Result<(), ServeError> {
/// # let file = std::env::temp_dir().join(format!("written-{}.lock", std::process::id()));
/// cli::lock(&Routes::from_iter([time::ROUTE])?, &file)?;
/// let text = std::fs::read_to_string(&file).unwrap();
/// assert!(text.contains("GET /time cached revalidate=never"));
/// # std::fs::remove_file(file).ok();
/// # Ok(())
/// # }
/// ```
pub fn lock(routes: &Routes, file: impl AsRef<Path>) -> Result<(), ServeError> {
    let file = file.as_ref();
    let text = Lock::of(routes).to_string();
    fs::write(file, text).map_err(|source| LockError::Write {
        path: file.into(),
        source,
    })?;
    let routes = count(routes.iter().len(), "route");
    print(&format!("{routes} in `{}`\n", file.display()))
}
