//! The targets of log records, for filters such as `RUST_LOG=route_runtime::store=debug`. They stay
//! the same when code moves from one module to another.

/// The requests that a server answers, one line for each, in development.
pub(crate) const ACCESS: &str = "route_runtime::access";
/// The cache: renders, refreshes and entries.
pub(crate) const CACHE: &str = "route_runtime::cache";
/// Data from `fetch` and cached functions.
pub(crate) const DATA: &str = "route_runtime::data";
/// Failures of handlers and middleware, on workers and on renderers.
pub(crate) const HANDLER: &str = "route_runtime::handler";
/// The spans of requests.
pub(crate) const REQUEST: &str = "route_runtime::request";
/// The table of routes: its start-up, and its shutdown with the program.
pub(crate) const ROUTES: &str = "route_runtime::routes";
/// The store behind memory.
pub(crate) const STORE: &str = "route_runtime::store";
