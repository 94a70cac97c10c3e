//! The HTTP clients of the process, and the threads that their connections live on.
//!
//! A connection belongs to the runtime that it was made on, and workers and renderers come and go
//! with their runtimes. So all requests are sent from a separate runtime.

use std::sync::LazyLock;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Url};
use tokio::runtime::{Builder, Runtime};
use tokio_util::task::AbortOnDropHandle;
use url::Host;

use super::request::{Request, plain_url};
use crate::engine::Clock;
use crate::stored::{ErrorKind, FetchError, FetchResponse};
use crate::target;

/// The client for other machines, by way of the proxy that the environment may name.
static CLIENT: LazyLock<Client> = LazyLock::new(|| build(builder()));

/// The client for this machine. It uses no proxy, because a proxy does not know this machine by
/// that name.
static LOCAL: LazyLock<Client> = LazyLock::new(|| build(builder().no_proxy()));

fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("route-runtime/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::limited(REDIRECTS))
}

fn build(builder: ClientBuilder) -> Client {
    let built = builder.build();
    built.expect("nothing of it is the user's, and TLS is compiled in")
}

fn client_for(url: &Url) -> &'static Client {
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if is_local { &LOCAL } else { &CLIENT }
}

/// The limits of one exchange.
#[derive(Clone, Copy, Debug)]
pub(super) struct FetchLimits {
    pub(super) timeout: Duration,
    /// The largest body in bytes, decompressed.
    pub(super) body: u64,
}

/// The most redirects that are followed. `fetch` of the web follows up to 20, and a request that
/// needs more than half of them goes in a circle.
const REDIRECTS: usize = 10;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .thread_name("route-fetch")
        .enable_all()
        .build()
        .expect("threads can be started")
});

/// Begins a request. A URL that cannot be parsed is an error when the request is built.
pub(super) fn get(url: &str) -> reqwest::RequestBuilder {
    // Making a client takes time, so none is made that is not needed.
    let client = Url::parse(url).map_or(&*LOCAL, |url| client_for(&url));
    client.get(url)
}

/// Sends a request and reads the response to its end. Dropping the future gives the request up. A
/// request that fails leaves a line in the log.
pub(super) async fn send(
    request: Request,
    clock: Clock,
    limits: FetchLimits,
    from: Option<String>,
) -> Result<FetchResponse, FetchError> {
    let FetchLimits { timeout, body } = limits;
    let name = request.name();
    let sent = RUNTIME.spawn(async move {
        let name = request.name();
        let answered = clock.within(timeout, exchange(request, body, from)).await;
        answered.unwrap_or_else(|| Err(FetchError::new(ErrorKind::Timeout, name)))
    });
    match AbortOnDropHandle::new(sent).await {
        // The error is logged here, where each exchange passes once, however many callers share its
        // result.
        Ok(answered) => answered
            .inspect_err(|error| tracing::warn!(target: target::DATA, %error, "a fetch failed")),
        Err(_) => Err(FetchError::new(ErrorKind::Unavailable, name)),
    }
}

async fn exchange(
    request: Request,
    limit: u64,
    from: Option<String>,
) -> Result<FetchResponse, FetchError> {
    let name = request.name();
    let failed = |error: reqwest::Error, otherwise| {
        let kind = if error.is_redirect() {
            ErrorKind::Redirect
        } else if error.is_builder() {
            ErrorKind::Request
        } else {
            otherwise
        };
        FetchError::caused(kind, name.as_str(), error.without_url())
    };
    let method = request.method().to_string();
    let request = request.into_sent(from);
    let answer = client_for(request.url()).execute(request).await;
    let mut answer = answer.map_err(|error| failed(error, ErrorKind::Connection))?;
    let status = StatusCode::from_u16(answer.status().as_u16())
        .map_err(|cause| FetchError::caused(ErrorKind::Body, name.as_str(), cause))?;
    let mut headers = HeaderMap::new();
    for (key, value) in answer.headers() {
        // These types come from two versions of one crate, which agree on what a header may
        // contain.
        if let (Ok(key), Ok(value)) = (
            HeaderName::from_bytes(key.as_str().as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            headers.append(key, value);
        }
    }
    let url = plain_url(answer.url());
    // Neither the length that the body claims nor its compressed length bounds what it becomes.
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.transpose() {
        let chunk = chunk.map_err(|error| failed(error, ErrorKind::Body))?;
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(FetchError::new(ErrorKind::TooLarge(limit), name.as_str()));
        }
        body.extend_from_slice(&chunk);
    }
    // The body may be kept for long, so it must not keep spare capacity.
    body.shrink_to_fit();
    Ok(FetchResponse::new(
        status,
        headers,
        method,
        url,
        body.into(),
    ))
}
