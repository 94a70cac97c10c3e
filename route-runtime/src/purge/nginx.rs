//! nginx with the module `cache_purge`.

use super::{Purge, PurgeError, PurgeFuture, Purged, http};

/// An nginx with the module `ngx_cache_purge` (Debian: `libnginx-mod-http-cache-purge`), purged by
/// path.
///
/// nginx knows no tags. It purges what was invalidated by
/// [`revalidate_path`](crate::revalidate_path), and a purge of anything else is an error, because it
/// would keep its content. It has no soft purge, so nothing is purged by
/// [`stale`](crate::Revalidation::stale).
///
/// The `location` of the app needs the line `proxy_cache_purge PURGE from 127.0.0.1;`, with the
/// addresses of the servers behind it.
///
/// ```no_run
/// use route_runtime::Routes;
/// use route_runtime::purge::Nginx;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let routes = Routes::collect()?.purge(Nginx::new("http://nginx:8080"));
/// # drop(routes);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Nginx {
    url: String,
}

impl Nginx {
    /// Makes an nginx at this address, which is sent `PURGE` for each path.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into() }
    }
}

impl Purge for Nginx {
    fn purge<'a>(&'a self, what: &'a Purged) -> PurgeFuture<'a> {
        Box::pin(async move {
            if what.is_soft() {
                return Ok(());
            }
            for path in what.paths() {
                let url = format!("{}{path}", self.url.trim_end_matches('/'));
                let (status, _) = http::send(http::request("PURGE", &url), "nginx").await?;
                // The module answers 404, or 412 in some versions, for what nginx does not have.
                if !matches!(status.as_u16(), 404 | 412) {
                    http::confirmed(status, "nginx")?;
                }
            }
            // Each path has one tag.
            if what.tags().len() > what.paths().len() {
                return Err(PurgeError::new(
                    "nginx knows no tags: it can purge what `revalidate_path` invalidates, and \
                     nothing else",
                ));
            }
            Ok(())
        })
    }
}
