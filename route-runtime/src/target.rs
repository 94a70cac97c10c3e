//! Targets of the log, for filters such as `RUST_LOG=route_runtime::store=debug`. They stay as they are when
//! code moves from one module to another.

/// The cache: renders, refreshes, what is kept.
pub(crate) const CACHE: &str = "route_runtime::cache";
/// Data by `fetch` and cached functions.
pub(crate) const DATA: &str = "route_runtime::data";
/// Handlers and middleware that fail, on workers and renderers alike.
pub(crate) const HANDLER: &str = "route_runtime::handler";
/// Requests, as spans.
pub(crate) const REQUEST: &str = "route_runtime::request";
/// The table of routes: its start, and the end of the program.
pub(crate) const ROUTES: &str = "route_runtime::routes";
/// The store behind memory.
pub(crate) const STORE: &str = "route_runtime::store";
