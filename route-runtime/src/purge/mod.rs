//! Purging: shared caches outside forget what was invalidated here.
//!
//! A shared cache, such as a CDN or a Varnish in front of the server, keeps a response with `cdn =
//! true` for its whole lifetime, and `revalidate_*` here does not reach it. [`Purge`] does: whatever
//! is invalidated is purged there too, by the names of the tags that its responses had in their
//! [header for tags](crate::TagHeader).
//!
//! ```
//! use route_runtime::purge::{Purge, PurgeError, PurgeFuture, Purged};
//! use route_runtime::{Mode, Routes, RoutesError, route};
//!
//! #[route("/posts/[id]", revalidate = 3600, tags = ["posts"], cdn = true)]
//! async fn post(id: u64) -> String {
//!     format!("post {id}")
//! }
//!
//! /// A cache that is told on stdout.
//! struct Printed;
//!
//! impl Purge for Printed {
//!     fn purge<'a>(&'a self, what: &'a Purged) -> PurgeFuture<'a> {
//!         Box::pin(async move {
//!             println!("forget {:?}", what.tags());
//!             Ok(())
//!         })
//!     }
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let routes = Routes::from_iter([post::ROUTE])?.mode(Mode::Production).purge(Printed);
//! routes.revalidate_tag("posts").await?; // Prints `forget ["posts"]`.
//! # Ok(())
//! # }
//! ```
//!
//! # When
//!
//! An invalidation is recorded, takes effect in this process, and is then purged, for at most two
//! seconds. If that fails, the invalidation itself has taken effect:
//! [`RevalidateError::Purge`](crate::RevalidateError::Purge) says so.
//!
//! Another instance with the same store may still answer with the old content for as long as the
//! [staleness bound](crate::Routes::staleness_bound), and so may a response that is on its way. A
//! shared cache may keep such a response after the purge. So the same purge is sent once more, a
//! second after that bound. Nobody waits for the second one; the log says if it failed. A server
//! that stops waits for it.
//!
//! So once a `revalidate_*` has resolved, a client of this instance gets new content at once, a client
//! of another instance after the bound, and a client of a shared cache two seconds after the bound,
//! if the shared cache purges at once and this process lives that long.

#[cfg(feature = "purge")]
mod cloudflare;
mod error;
#[cfg(feature = "purge")]
mod fastly;
#[cfg(feature = "purge")]
mod http;
#[cfg(feature = "purge")]
mod nginx;
mod purged;
#[cfg(feature = "purge")]
mod secret;
#[cfg(feature = "purge")]
mod varnish;

use std::time::Duration;

use futures_core::future::BoxFuture;

#[cfg(feature = "purge")]
pub use self::cloudflare::Cloudflare;
pub use self::error::PurgeError;
#[cfg(feature = "purge")]
pub use self::fastly::Fastly;
#[cfg(feature = "purge")]
pub use self::nginx::Nginx;
pub use self::purged::Purged;
#[cfg(feature = "purge")]
pub use self::secret::PurgeToken;
#[cfg(feature = "purge")]
pub use self::varnish::Varnish;

/// The longest time that one purge may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(2);

/// The time between the end of the staleness bound and the second purge.
pub(crate) const MARGIN: Duration = Duration::from_secs(1);

/// The result of a [`Purge::purge`], once it is there.
pub type PurgeFuture<'a> = BoxFuture<'a, Result<(), PurgeError>>;

/// A shared cache outside that can forget what it keeps.
///
/// An `Arc` of it is one, too. Several caches are one type of yours that tells each of them.
pub trait Purge: Send + Sync + 'static {
    /// Purges everything that has one of the tags.
    ///
    /// The future resolves when the cache has confirmed it. It is dropped after two seconds. It may
    /// be called again with the same tags, and several calls may be under way. Purging something
    /// that the cache does not have succeeds.
    ///
    /// # Errors
    ///
    /// If the cache did not confirm that it forgets what it was told. Neither the error's text nor
    /// anything in the log should have a credential.
    fn purge<'a>(&'a self, what: &'a Purged) -> PurgeFuture<'a>;
}

impl<P: Purge> Purge for std::sync::Arc<P> {
    fn purge<'a>(&'a self, what: &'a Purged) -> PurgeFuture<'a> {
        P::purge(self, what)
    }
}
