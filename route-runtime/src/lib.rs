//! Next.js Route Handlers on actix-web.
//!
//! [`#[route]`](macro@route) makes an async function the handler of a path and says how its
//! response may be cached; [`#[page]`](macro@page) does the same for HTML. You do not register
//! routes anywhere: [`serve`] finds every route of every crate in the program, checks them together
//! and serves them.
//!
//! ```no_run
//! use route_runtime::{ServeError, route, serve};
//!
//! #[route("/greetings/[name]")]
//! async fn hello(name: String) -> String {
//!     format!("Hello, {name}!\n")
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), ServeError> {
//!     serve().await
//! }
//! ```
//!
//! `cargo run` serves it; `cargo run -- --help` lists what else the program can do.
//!
#![cfg_attr(
    all(feature = "testing", feature = "fetch", feature = "cli"),
    doc = "If you come from Next.js or from actix-web, the [`guide`] has everything side by side."
)]
#![cfg_attr(
    not(all(feature = "testing", feature = "fetch", feature = "cli")),
    doc = "The module `guide`, for people who come from Next.js or from actix-web, is in what \
           `cargo doc --all-features` writes."
)]
//!
//! # Dynamic or cached
//!
//! The types of a handler's arguments say what it reads of the request. A GET handler that takes
//! only parameters, app data and other [`StaticExtractor`]s reads nothing and may be cached; one
//! that takes an `HttpRequest`, a header or the query may not. The first of these rules that
//! applies decides:
//!
//! | | |
//! |---|---|
//! | another method than GET | dynamic |
//! | `dynamic = "force-dynamic"`, `revalidate = 0` | dynamic |
//! | `dynamic = "force-static"` or `"error"` | cached |
//! | an argument reads the request | dynamic |
//! | `revalidate = N` or `false` | cached |
//! | parameters without `static_params` | dynamic |
//! | POST, PUT, PATCH or DELETE at the same path | dynamic |
//! | anything else | cached, for ever |
//!
//! A GET that takes app data, such as `db: Data<Db>`, is by default one of the last row: in
//! production its first response is served until something invalidates it. Where it has neither
//! `revalidate` nor `tags`, the table says so, and the command `check` warns; `revalidate = false`
//! says that it is meant.
//!
//! A cached handler never sees a client's request. It runs on threads of its own, with a request
//! that has a method and a path and is otherwise blank, so its response cannot hold anything of one
//! client. In [development] no response is kept, but handlers run in the same way.
//!
//! [development]: Mode::Development
//!
//! ```
//! use route_runtime::{Routes, route};
//! # use route_runtime::RoutesError;
//!
//! #[route("/time", revalidate = 10)]
//! async fn time() -> &'static str {
//!     "rendered every 10 seconds at most"
//! }
//!
//! #[route("/comments/[id]")]
//! async fn show(id: u64) -> String {
//!     format!("rendered for each request: comment {id}")
//! }
//!
//! # fn main() -> Result<(), RoutesError> {
//! let routes = Routes::from_iter([time::ROUTE, show::ROUTE])?;
//! let cached: Vec<_> = routes.iter().map(|route| route.rendering().is_cached()).collect();
//! assert_eq!(cached, [false, true]); // `/comments/[id]`, `/time`
//! # Ok(())
//! # }
//! ```
//!
//! [`revalidate_path`], [`revalidate_pattern`] and [`revalidate_tag`] invalidate what is cached.
//!
//! # Data
//!
//! `fetch` gets data over HTTP, and [`#[cached]`](macro@cached) keeps what a function returns. Both
//! use the cache that also holds the responses. A cached response is fresh for no longer than the
//! data that it was made of, and it has the tags of the data.
//!
//! ```no_run
//! use route_runtime::{cached, route};
//! # async fn ask_the_database(author: u64) -> Vec<String> { vec![author.to_string()] }
//!
//! #[cached(revalidate = 60, tags = ["author:{author}"])]
//! async fn titles(author: u64) -> Vec<String> {
//!     ask_the_database(author).await
//! }
//!
//! #[route("/authors/[author]", revalidate = 3600)]
//! async fn show(author: u64) -> String {
//!     titles(author).await.join(", ") // Fresh for a minute; has the tag of its author.
//! }
//! ```
//!
//! # In an app of your own
//!
//! [`Routes`] is a service for an actix-web `App`. Requests for paths that it does not know go on
//! to the app's other services and its `default_service`. With [`Server::app`], `serve`'s server
//! mounts the routes in your app; for TLS or a Unix socket, run the `HttpServer` yourself:
//!
//! ```no_run
//! use actix_web::{App, HttpResponse, HttpServer, middleware::Logger, web};
//! use route_runtime::Routes;
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let routes = Routes::collect()?.at("/v1")?.data(String::from("shared by every handler"));
//!     routes.ready().await?;
//!     let server = HttpServer::new(move || {
//!         App::new()
//!             .wrap(Logger::default())
//!             .service(routes.clone())
//!             .default_service(web::to(HttpResponse::NotFound))
//!     });
//!     Ok(server.bind("127.0.0.1:8080")?.run().await?)
//! }
//! ```
//!
//! # On the command line
//!
//! A program that calls [`serve`] or [`Server::run`] has the commands `routes`, `check`, `lock`,
//! `build`, `start`, `export` and `serve`; without a command it does `serve`. `--help` lists them
//! with their options. All commands except `serve` and `start` are also functions of the module
//! `cli`. They need the feature `cli`, which is on by default.
//!
//! # In production
//!
//! A release build runs in production: before it listens, it renders the paths that it knows.
//! `program build` renders them once for many starts, and `program start` serves from what was
//! built. `program check --locked` fails in CI if a change has made a route dynamic. Behind memory
//! there may be a [`store`]: files, which survive a restart, or a Redis that many instances share.
//! [`Server::admin`] opens a second listener, for health checks and for invalidations from outside.
//!
//! # In a test
//!
//! Mount `Routes::from_iter([show::ROUTE])` in an `App` of actix-web's test tools, as in the
//! example of [`Routes`]. With the feature `testing`, `testing::TestApp` also has a clock that a
//! test can advance. A handler is still a function: `show(7).await` calls it.

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod build;
pub mod cache;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg_attr(
    not(feature = "fetch"),
    allow(dead_code, reason = "some is for `fetch`")
)]
pub mod context;
mod data;
mod declaration;
mod engine;
pub mod export;
mod extract;
/// Guides to single tasks, such as guarding a section or logging in; to caching and responses, proxies
/// and CDNs, many instances, commands and the compiler's errors; and two guides for people who know Next.js or
/// actix-web.
#[cfg(all(doc, feature = "testing", feature = "fetch", feature = "cli"))]
pub mod guide {
    #[doc = include_str!("../docs/guide/actix.md")]
    pub mod actix {}
    #[doc = include_str!("../docs/guide/answering-errors.md")]
    pub mod answering_errors {}
    #[doc = include_str!("../docs/guide/caching.md")]
    pub mod caching {}
    #[doc = include_str!("../docs/guide/commands.md")]
    pub mod commands {}
    #[doc = include_str!("../docs/guide/errors.md")]
    pub mod errors {}
    #[doc = include_str!("../docs/guide/guard.md")]
    pub mod guard {}
    #[doc = include_str!("../docs/guide/headers.md")]
    pub mod headers {}
    #[doc = include_str!("../docs/guide/instances.md")]
    pub mod instances {}
    #[doc = include_str!("../docs/guide/life-of-a-request.md")]
    pub mod life_of_a_request {}
    #[doc = include_str!("../docs/guide/login.md")]
    pub mod login {}
    #[doc = include_str!("../docs/guide/nextjs.md")]
    pub mod nextjs {}
    #[doc = include_str!("../docs/guide/proxies.md")]
    pub mod proxies {}
}
mod handler;
mod identity;
pub mod lock;
mod middleware;
mod mode;
mod owner;
mod panic;
mod pattern;
pub mod purge;
mod render;
mod respond;
mod responses;
mod revalidate;
mod routes;
mod section;
mod server;
mod service;
pub mod store;
mod stored;
mod table;
mod tags;
mod target;
#[cfg(feature = "testing")]
pub mod testing;
mod threads;

pub use context::after;
#[cfg(feature = "fetch")]
pub use data::fetch::{Fetch, fetch};
pub use declaration::{
    CachedReason, Dynamic, DynamicReason, FetchCache, Kind, Method, PathArg, PathArgs, Rendering,
    Revalidate, RouteDescriptor, Source, TagHeader,
};
pub use extract::{
    Cookies, IntoCookie, Pathname, ReadsParams, RequestExt, SearchParams, StaticExtractor,
};
pub use middleware::{AppliedMiddleware, MiddlewareFactory};
pub use mode::Mode;
pub use respond::{
    Problem, Redirect, forbidden, not_found, permanent_redirect, redirect, unauthorized,
};
pub use revalidate::{
    RevalidateError, Revalidation, revalidate_path, revalidate_pattern, revalidate_tag,
};
#[doc = include_str!("../docs/cached.md")]
#[doc(inline)]
pub use route_runtime_macros::cached;
#[doc = include_str!("../docs/page.md")]
#[doc = include_str!("../docs/options.md")]
#[doc(inline)]
pub use route_runtime_macros::page;
#[doc = include_str!("../docs/route.md")]
#[doc = include_str!("../docs/options.md")]
#[doc(inline)]
pub use route_runtime_macros::route;
pub use routes::{AppFactory, Route, RouteWarning, Routes};
pub use section::SectionPlace;
pub use server::{ServeError, Server, serve};
pub use service::Matched;
#[cfg(feature = "fetch")]
pub use stored::{FetchError, FetchResponse};
pub use table::{Place, RouteProblem, RoutesError};

/// Links library crates that have routes and that no code of the program names.
///
/// The linker drops a dependency that no code names, and its routes with it. Call this macro once,
/// at the root of the program.
///
/// ```ignore (there is no such crate)
/// route_runtime::link!(my_routes, more_routes);
/// ```
#[macro_export]
macro_rules! link {
    ($($name:ident),+ $(,)?) => { $(use $name as _;)+ };
}

/// The examples of the README, which are compiled as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
