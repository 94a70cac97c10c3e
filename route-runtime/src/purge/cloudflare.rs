//! Cloudflare.

use serde::Deserialize;

use super::{Purge, PurgeError, PurgeFuture, PurgeToken, Purged, http};

/// The most tags that Cloudflare takes in one request, on every plan.
const MOST: usize = 100;

/// A zone of Cloudflare, purged by `POST /zones/ID/purge_cache` of its API.
///
/// Cloudflare reads the default header, `Cache-Tag`. The token needs the permission *Cache Purge* for
/// the zone. Cloudflare has no soft purge, so nothing is purged by
/// [`stale`](crate::Revalidation::stale). It limits the requests: on a free plan to five a minute,
/// after which a purge is an error.
///
/// ```no_run
/// use route_runtime::Routes;
/// use route_runtime::purge::{Cloudflare, PurgeToken};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let token = PurgeToken::from(std::env::var("CLOUDFLARE_API_TOKEN")?);
/// let routes = Routes::collect()?.purge(Cloudflare::new("023e105f4ecef8ad9ca31a8372d0c353", token));
/// # drop(routes);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Cloudflare {
    api: String,
    zone: String,
    token: PurgeToken,
}

/// The answer of the API, which may be an error with the status 200.
#[derive(Deserialize)]
struct CloudflareAnswer {
    success: bool,
    #[serde(default)]
    errors: Vec<CloudflareFault>,
}

#[derive(Deserialize)]
struct CloudflareFault {
    code: i64,
}

impl Cloudflare {
    /// Makes the zone with this id.
    #[must_use]
    pub fn new(zone: impl Into<String>, token: impl Into<PurgeToken>) -> Self {
        Self {
            api: "https://api.cloudflare.com/client/v4".into(),
            zone: zone.into(),
            token: token.into(),
        }
    }

    /// Sets the address of the API, instead of `https://api.cloudflare.com/client/v4`.
    #[must_use]
    pub fn api(mut self, url: impl Into<String>) -> Self {
        self.api = url.into();
        self
    }

    async fn purge_some(&self, tags: &[String]) -> Result<(), PurgeError> {
        let url = format!("{}/zones/{}/purge_cache", self.api, self.zone);
        let bearer = format!("Bearer {}", self.token.reveal());
        let request = http::request("POST", &url)
            .header(http::header("authorization"), http::hidden(&bearer)?)
            .json(&serde_json::json!({ "tags": tags }));
        let (status, body) = http::send(request, "Cloudflare").await?;
        let answer: Option<CloudflareAnswer> = serde_json::from_slice(&body).ok();
        match answer {
            Some(answer) if answer.success => http::confirmed(status, "Cloudflare"),
            answer => {
                let faults = answer.map(|answer| answer.errors).unwrap_or_default();
                let codes: Vec<_> = faults.iter().map(|it| it.code.to_string()).collect();
                let codes = match codes.is_empty() {
                    true => String::new(),
                    false => format!(", error {}", codes.join(", ")),
                };
                Err(PurgeError::new(format!(
                    "Cloudflare answered {status}{codes}"
                )))
            }
        }
    }
}

impl Purge for Cloudflare {
    fn purge<'a>(&'a self, what: &'a Purged) -> PurgeFuture<'a> {
        Box::pin(async move {
            if what.is_soft() {
                return Ok(());
            }
            for tags in what.tags().chunks(MOST) {
                self.purge_some(tags).await?;
            }
            Ok(())
        })
    }
}
