//! The HTTP client for shared caches. No error of it has a URL or a header.

use std::sync::LazyLock;

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use tokio::runtime::{Builder, Runtime};
use tokio_util::task::AbortOnDropHandle;

use super::PurgeError;

/// A redirect would send the credential elsewhere.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let client = Client::builder()
        .user_agent(concat!("route-runtime/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none());
    let built = client.build();
    built.expect("nothing of it is the user's, and TLS is compiled in")
});

/// The thread of the connections, which live longer than the runtime of one worker.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("route-purge")
        .enable_all()
        .build()
        .expect("threads can be started")
});

/// Begins a request with a method that may be one of the cache's own.
pub(super) fn request(method: &'static str, url: &str) -> RequestBuilder {
    let method = Method::from_bytes(method.as_bytes());
    CLIENT.request(method.unwrap_or(Method::POST), url)
}

/// Makes the value of a header that nothing prints.
///
/// # Errors
///
/// If no header can hold it.
pub(super) fn hidden(value: &str) -> Result<HeaderValue, PurgeError> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| PurgeError::new("the credential of the shared cache fits in no header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Sends a request, and returns status and body. `cache` names the cache in errors.
pub(super) async fn send(
    request: RequestBuilder,
    cache: &str,
) -> Result<(StatusCode, Vec<u8>), PurgeError> {
    let failed = |error: reqwest::Error| {
        PurgeError::new(format!("{cache} cannot be asked: {}", error.without_url()))
    };
    let answered = RUNTIME.spawn(async move {
        let response = request.send().await?;
        let status = response.status();
        Ok((status, response.bytes().await?.to_vec()))
    });
    match AbortOnDropHandle::new(answered).await {
        Ok(answered) => answered.map_err(failed),
        Err(_) => Err(PurgeError::new(format!("{cache} was not asked"))),
    }
}

/// Returns an error if a cache has not confirmed.
pub(super) fn confirmed(status: StatusCode, cache: &str) -> Result<(), PurgeError> {
    match status.is_success() {
        true => Ok(()),
        false => Err(PurgeError::new(format!("{cache} answered {status}"))),
    }
}

/// The name of a header that is known when the program is written.
pub(super) const fn header(name: &'static str) -> HeaderName {
    HeaderName::from_static(name)
}
