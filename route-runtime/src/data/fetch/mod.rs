//! Data over HTTP, cached like the responses that are made of it.

mod client;
mod decision;
mod request;
mod run;

use std::future::IntoFuture;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::web::Bytes;
use futures_core::future::BoxFuture;
use serde::Serialize;

use self::client::FetchLimits;
use self::decision::Wish;
use self::request::{Request, plain_url};
use crate::store::Tag;
use crate::stored::{ErrorKind, FetchError, FetchResponse};

/// The time that a request may take if the call does not say.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The size in bytes that a body may have if the call does not say.
const BODY: u64 = 32 << 20;

/// Fetches data over HTTP, from the cache if it is cached.
///
/// The request is a GET. Refine it, then await it:
///
/// ```no_run
/// use actix_web::web::Json;
/// use route_runtime::{FetchError, fetch, route};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize, Serialize)]
/// struct Post {
///     id: u64,
///     title: String,
/// }
///
/// #[route("/latest")]
/// async fn latest() -> Result<Json<Vec<Post>>, FetchError> {
///     let posts = fetch("https://example.com/posts")
///         .query(&[("limit", 10)])
///         .revalidate(60)
///         .tags(["posts"])
///         .await?;
///     Ok(Json(posts.error_for_status()?.json()?))
/// }
/// ```
///
/// # What is cached
///
/// The call decides first: [`revalidate`](Fetch::revalidate), [`force_cache`](Fetch::force_cache),
/// [`no_store`](Fetch::no_store). If the call says nothing, its place decides. Inside something
/// that is itself cached (a cached route, a [`#[cached]`](macro@crate::cached) function), the
/// response is cached too, and is fresh for as long as the result of that code. In a handler that
/// runs for each request, the response is not cached. Neither is it if the request sends
/// `Authorization` or `Cookie`.
///
/// The option `fetch_cache` changes both what the call decides and what its place decides. Three
/// things are never cached: requests with methods other than GET, HEAD and POST, responses other
/// than 200, and calls outside any handler.
///
/// Two requests are the same if they agree in method, URL, body and headers, and are kept for the
/// same time. Headers that only serve tracing do not count. If many calls want a response that is
/// to be cached but is not there, the request is sent once. A response other than 200, or a
/// failure, is also given to the calls of the next second. All this holds for a POST, too: if it is
/// cached, it is taken for a question. In code that is itself cached, a POST that changes something
/// needs [`no_store`](Fetch::no_store). A request that is not cached is sent for each call.
///
/// Dynamic handlers get stale data while one request refreshes it. Code whose result is itself kept
/// waits for the new data. If a refresh fails, the old data stays. The upstream's own
/// `Cache-Control` has no effect, and its `Set-Cookie` is removed from cached responses.
///
/// # Effect on the route
///
/// A cached route is fresh for no longer than the data it used, and has the data's tags. When
/// [`revalidate_tag`](crate::revalidate_tag) invalidates a tag, it invalidates the data and every
/// response made of it, at once. The route's own tags reach the data that the route reads: after
/// `revalidate_path`, the route is rendered from new data.
///
/// A cached route that uses data that is *not* cached is rendered for each request, and the log
/// says so once. A route with a written `revalidate` or with `force-static` is cached all the same.
/// In a route with `dynamic = "error"`, the fetch and the render fail.
///
/// # Proxies
///
/// The variables `HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY`, also in lower case, name a proxy, and
/// `NO_PROXY` names the hosts that are reached without one. They are read once. Requests to this
/// machine (`localhost`, loopback addresses) never use a proxy.
///
/// # Errors
///
/// See [`FetchError`]. Every status is a response; [`FetchResponse::error_for_status`] turns some
/// of them into errors.
pub fn fetch(url: impl AsRef<str>) -> Fetch {
    Fetch::new(url.as_ref())
}

/// A request to be awaited; see [`fetch`].
#[must_use = "nothing is sent until this is awaited"]
pub struct Fetch {
    /// The request so far. It also keeps the first error in what it was given.
    request: reqwest::RequestBuilder,
    method: Method,
    /// The URL as it was given, without credentials, for errors.
    url: String,
    limits: FetchLimits,
    wish: Wish,
    tags: Vec<String>,
}

impl Fetch {
    fn new(url: &str) -> Self {
        Self {
            request: client::get(url),
            method: Method::GET,
            url: reqwest::Url::parse(url).map_or_else(|_| url.into(), |url| plain_url(&url)),
            limits: FetchLimits {
                timeout: TIMEOUT,
                body: BODY,
            },
            wish: Wish::Nothing,
            tags: Vec::new(),
        }
    }

    /// Sets the method, which is GET by default.
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        self.request = self.request.header(name.as_ref(), value.as_ref());
        self
    }

    /// Adds to the query: pairs, or a struct with a field for each.
    pub fn query(mut self, query: &(impl Serialize + ?Sized)) -> Self {
        self.request = self.request.query(query);
        self
    }

    /// Sets the body, which is sent as it is.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.request = self.request.body(body.into());
        self
    }

    /// Sets a body of JSON, with its `Content-Type`.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// Sets the time limit, from when the request is awaited to the last byte received. The default
    /// is 30 seconds.
    ///
    /// A call that waits for a request that another call has sent keeps its own limit. If its own
    /// limit ends first, it gives up. If the other's ends first, it sends the request again a
    /// second later, with what is left of its own limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// Sets the largest body in bytes, decompressed. A longer one is given up. The default is 32
    /// MiB (33 554 432).
    ///
    /// The whole body is in memory, whoever sent it, and a cached body stays there, so a call that
    /// wants a large one must say so. Cached calls share a response if they set the same limit.
    pub fn body_limit(mut self, bytes: u64) -> Self {
        self.limits.body = bytes;
        self
    }

    /// Caches the response, which is fresh for this many seconds; 0 is
    /// [`no_store`](Self::no_store).
    pub fn revalidate(mut self, seconds: u32) -> Self {
        self.wish = match seconds {
            0 => Wish::NoStore,
            _ => Wish::Revalidate(Duration::from_secs(seconds.into())),
        };
        self
    }

    /// Does not cache the response, and takes none from the cache.
    pub fn no_store(mut self) -> Self {
        self.wish = Wish::NoStore;
        self
    }

    /// Caches the response until one of its tags is invalidated.
    pub fn force_cache(mut self) -> Self {
        self.wish = Wish::ForceCache;
        self
    }

    /// Adds tags, under which [`revalidate_tag`](crate::revalidate_tag) invalidates the response.
    /// If a render uses it, the render's own response gets the tags, too. A response that is not
    /// cached has no tags.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Builds the request, if that is possible.
    fn finish(self) -> Result<run::Ready, FetchError> {
        let name = || format!("{} {}", self.method, self.url);
        let mut request = self
            .request
            .build()
            .map_err(|error| FetchError::caused(ErrorKind::Request, name(), error.without_url()))?;
        *request.method_mut() = reqwest::Method::from_bytes(self.method.as_str().as_bytes())
            .map_err(|error| FetchError::caused(ErrorKind::Request, name(), error))?;
        let mut tags = Vec::with_capacity(self.tags.len());
        for tag in &self.tags {
            tags.push(Tag::of_user(tag).ok_or_else(|| FetchError::new(ErrorKind::Tag, name()))?);
        }
        Ok(run::Ready {
            request: Request::new(request),
            limits: self.limits,
            wish: self.wish,
            tags,
        })
    }
}

impl IntoFuture for Fetch {
    type Output = Result<FetchResponse, FetchError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { run::run(self.finish()?).await })
    }
}
