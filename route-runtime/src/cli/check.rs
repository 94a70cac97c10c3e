//! The command `check`.

use std::fs;
use std::path::Path;

use super::print::{count, print};
use crate::lock::{Lock, LockError};
use crate::routes::Routes;
use crate::server::ServeError;

/// Checks everything that could keep a program from serving, without listening.
///
/// It runs [`Routes::check`]. The table itself was already checked when the routes were collected.
/// The [warnings](Routes::warnings) are printed on stderr, and are no errors.
///
/// # Errors
///
/// Everything that would keep the program from serving.
///
/// # Example
///
/// ```
/// # use route_runtime::{Routes, ServeError, cli, route};
/// use actix_web::web::Data;
///
/// #[route("/greeting")]
/// async fn greeting(greeting: Data<String>) -> String {
///     greeting.to_string()
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), ServeError> {
/// let routes = Routes::from_iter([greeting::ROUTE])?;
/// assert!(cli::check(&routes).await.is_err()); // No `String` is registered.
/// cli::check(&routes.data(String::from("hello"))).await?;
/// # Ok(())
/// # }
/// ```
pub async fn check(routes: &Routes) -> Result<(), ServeError> {
    routes.check().await?;
    let warned = warn(routes).await;
    print(&format!("{}: nothing wrong{warned}\n", counted(routes)))
}

/// Checks the routes as [`check`] does, and compares them with the [`Lock`] in a file.
///
/// # Errors
///
/// Every error of [`check`]; also if the file cannot be read, or if routes are not rendered as it
/// says.
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
/// # #[actix_web::main]
/// # async fn main() -> Result<(), ServeError> {
/// # let file = std::env::temp_dir().join(format!("check-{}.lock", std::process::id()));
/// let routes = Routes::from_iter([time::ROUTE])?;
/// cli::lock(&routes, &file)?;
/// cli::check_locked(&routes, &file).await?;
///
/// let changed = Routes::from_iter([])?; // A route is gone.
/// assert!(cli::check_locked(&changed, &file).await.is_err());
/// # std::fs::remove_file(file).ok();
/// # Ok(())
/// # }
/// ```
pub async fn check_locked(routes: &Routes, file: impl AsRef<Path>) -> Result<(), ServeError> {
    let file = file.as_ref();
    routes.check().await?;
    let text = fs::read_to_string(file).map_err(|source| LockError::Read {
        path: file.into(),
        source,
    })?;
    text.parse::<Lock>()?.check(routes)?;
    let warned = warn(routes).await;
    print(&format!(
        "{}: nothing wrong, and as in `{}`{warned}\n",
        counted(routes),
        file.display()
    ))
}

/// Prints the warnings of the routes, and returns the end of a line that says how many there are.
async fn warn(routes: &Routes) -> String {
    let warnings = routes.warnings().await;
    for warning in &warnings {
        eprintln!("warning: {warning}\n");
    }
    match warnings.len() {
        0 => String::new(),
        number => format!("; {}", count(number, "warning")),
    }
}

fn counted(routes: &Routes) -> String {
    count(routes.iter().len(), "route")
}
