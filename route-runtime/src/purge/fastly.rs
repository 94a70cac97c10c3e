//! Fastly.

use super::{Purge, PurgeError, PurgeFuture, PurgeToken, Purged, http};

/// The most tags that Fastly takes in one request.
const MOST: usize = 256;

/// A service of Fastly, purged by `POST /service/ID/purge` of its API.
///
/// Set [`TagHeader::SurrogateKey`](crate::TagHeader::SurrogateKey), which is what Fastly reads. The
/// token needs the scope `purge_select`. An invalidation by
/// [`stale`](crate::Revalidation::stale) is a soft purge.
///
/// ```no_run
/// use route_runtime::purge::{Fastly, PurgeToken};
/// use route_runtime::{Routes, TagHeader};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let token = PurgeToken::from(std::env::var("FASTLY_API_TOKEN")?);
/// let routes = Routes::collect()?
///     .tag_header(TagHeader::SurrogateKey)
///     .purge(Fastly::new("SU1Z0isxPaozGVKXdv0eY", token));
/// # drop(routes);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Fastly {
    api: String,
    service: String,
    token: PurgeToken,
}

impl Fastly {
    /// Makes the service with this id.
    #[must_use]
    pub fn new(service: impl Into<String>, token: impl Into<PurgeToken>) -> Self {
        Self {
            api: "https://api.fastly.com".into(),
            service: service.into(),
            token: token.into(),
        }
    }

    /// Sets the address of the API, instead of `https://api.fastly.com`.
    #[must_use]
    pub fn api(mut self, url: impl Into<String>) -> Self {
        self.api = url.into();
        self
    }

    async fn purge_some(&self, tags: &[String], is_soft: bool) -> Result<(), PurgeError> {
        let url = format!("{}/service/{}/purge", self.api, self.service);
        let mut request = http::request("POST", &url)
            .header(
                http::header("fastly-key"),
                http::hidden(self.token.reveal())?,
            )
            .header(http::header("accept"), "application/json")
            .json(&serde_json::json!({ "surrogate_keys": tags }));
        if is_soft {
            request = request.header(http::header("fastly-soft-purge"), "1");
        }
        let (status, _) = http::send(request, "Fastly").await?;
        http::confirmed(status, "Fastly")
    }
}

impl Purge for Fastly {
    fn purge<'a>(&'a self, what: &'a Purged) -> PurgeFuture<'a> {
        Box::pin(async move {
            for tags in what.tags().chunks(MOST) {
                self.purge_some(tags, what.is_soft()).await?;
            }
            Ok(())
        })
    }
}
