//! The command `routes`.

use super::print::print;
use crate::routes::Routes;
use crate::server::ServeError;

/// Prints the table of routes.
///
/// # Errors
///
/// If stdout cannot be written to.
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
/// cli::routes(&Routes::from_iter([time::ROUTE])?)?;
/// # Ok(())
/// # }
/// ```
pub fn routes(routes: &Routes) -> Result<(), ServeError> {
    print(&routes.to_string())
}

/// Prints the table of routes as JSON; see [`Routes::to_json`].
///
/// # Errors
///
/// If stdout cannot be written to.
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
/// cli::routes_json(&Routes::from_iter([time::ROUTE])?)?;
/// # Ok(())
/// # }
/// ```
pub fn routes_json(routes: &Routes) -> Result<(), ServeError> {
    print(&(routes.to_json() + "\n"))
}
