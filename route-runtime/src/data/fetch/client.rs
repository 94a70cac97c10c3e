//! The client of the process, and the threads its connections live on.
//!
//! A connection belongs to the runtime it was made on, and workers and renderers come and go with
//! theirs. So requests are sent from a runtime of their own, whoever asks.

use std::sync::LazyLock;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Url};
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;
use url::Host;

use super::request::{Request, plain_url};
use crate::engine::Clock;
use crate::stored::{ErrorKind, FetchError, FetchResponse};
use crate::target;

/// For the world, by way of the proxy that the environment may name.
static CLIENT: LazyLock<Client> = LazyLock::new(|| build(builder()));

/// For this machine, which a proxy does not know by that name.
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

/// What an exchange may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) timeout: Duration,
    /// Bytes of a body, decompressed.
    pub(super) body: u64,
}

/// As many as `fetch` of the web may follow is 20; what needs more than half of them turns in a
/// circle.
const REDIRECTS: usize = 10;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .thread_name("route-fetch")
        .enable_all()
        .build()
        .expect("threads can be started")
});

/// What every request begins as. A URL that is none is an error when it is built.
pub(super) fn get(url: &str) -> reqwest::RequestBuilder {
    // Making a client takes time: none that is not needed.
    let client = Url::parse(url).map_or(&*LOCAL, |url| client_for(&url));
    client.get(url)
}

/// Sends a request and reads the answer to its end. Dropped, the request is given up. One that fails
/// leaves a line in the log.
pub(super) async fn send(
    request: Request,
    clock: Clock,
    limits: Limits,
    from: Option<String>,
) -> Result<FetchResponse, FetchError> {
    let Limits { timeout, body } = limits;
    let name = request.name();
    let sent = RUNTIME.spawn(async move {
        let name = request.name();
        let answered = clock.within(timeout, exchange(request, body, from)).await;
        answered.unwrap_or_else(|| Err(FetchError::new(ErrorKind::Timeout, name)))
    });
    let _given_up = AbortOnDrop(sent.abort_handle());
    match sent.await {
        // Here, where each exchange passes once, however many share what comes of it.
        Ok(answered) => answered
            .inspect_err(|error| tracing::warn!(target: target::DATA, %error, "a fetch failed")),
        Err(_) => Err(FetchError::new(ErrorKind::Unavailable, name)),
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
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
        // Two versions of one crate, which agree on what may stand in a header.
        if let (Ok(key), Ok(value)) = (
            HeaderName::from_bytes(key.as_str().as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            headers.append(key, value);
        }
    }
    let url = plain_url(answer.url());
    // Neither the length that it claims nor that of what is compressed bounds what it becomes.
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.transpose() {
        let chunk = chunk.map_err(|error| failed(error, ErrorKind::Body))?;
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(FetchError::new(ErrorKind::TooLarge(limit), name.as_str()));
        }
        body.extend_from_slice(&chunk);
    }
    // It may be kept for long, and nothing with it that is not a part of it.
    body.shrink_to_fit();
    Ok(FetchResponse::new(
        status,
        headers,
        method,
        url,
        body.into(),
    ))
}
