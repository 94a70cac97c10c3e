//! Next.js Route Handlers on actix-web.

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod cache;
mod config;
mod context;
mod descriptor;
mod extract;
mod handle;
mod mode;
mod panic;
mod path;
mod render;
mod rendering;
mod respond;
mod responses;
mod revalidate;
mod routes;
mod server;
mod service;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod trie;

pub use config::{Dynamic, FetchCache, Revalidate};
pub(crate) use descriptor::Segment;
pub use descriptor::{Kind, Method, RouteDescriptor, Source};
pub use extract::{
    Cookies, IntoCookie, Pathname, ReadsParams, RequestExt, SearchParams, StaticExtractor,
};
pub use handle::{PathArg, PathArgs};
pub use mode::Mode;
pub use rendering::{CachedReason, DynamicReason, Rendering};
pub use respond::{
    Problem, Redirect, after, forbidden, not_found, permanent_redirect, redirect, unauthorized,
};
pub use revalidate::{
    RevalidateError, Revalidation, revalidate_path, revalidate_pattern, revalidate_tag,
};
pub use route_macros::{page, route};
pub use routes::{Place, Route, RouteProblem, Routes, RoutesError};
pub use server::{ServeError, Server, serve};
pub use service::Matched;

/// Links library crates whose routes nothing else names.
///
/// A crate that is a dependency but that no code mentions is dropped by the linker, routes and
/// all. Write it once, at the root of the program.
///
/// ```ignore (there is no such crate)
/// route_runtime::link!(my_routes, more_routes);
/// ```
#[macro_export]
macro_rules! link {
    ($($name:ident),+ $(,)?) => { $(use $name as _;)+ };
}

/// Every example of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
