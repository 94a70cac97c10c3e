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

use self::client::Limits;
use self::decision::Wish;
use self::request::{Request, plain_url};
use crate::store::Tag;
use crate::stored::{ErrorKind, FetchError, FetchResponse};

/// How long it may take where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How many bytes a body may have where nothing is said.
const BODY: u64 = 32 << 20;

/// Gets something over HTTP, from the cache where it is cached.
///
/// A GET, to be refined and awaited:
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
/// What the call says holds: [`revalidate`](Fetch::revalidate), [`force_cache`](Fetch::force_cache),
/// [`no_store`](Fetch::no_store). Where it says nothing, it is cached in what is itself cached (a
/// cached route, a [`#[cached]`](macro@crate::cached) function), for as long as that is fresh, and
/// not cached in a handler that runs for each request, nor if it sends `Authorization` or `Cookie`.
/// The option `fetch_cache` changes both. Never cached are methods other than GET, HEAD and POST,
/// whatever is not answered with 200, and what is called outside any handler.
///
/// Two requests are the same if their method, URL, body and headers are, but for headers that only
/// trace, and if they are kept for as long. However many ask for what is to be cached and not there,
/// it is sent once, and what is answered otherwise than with 200, or not at all, is given to those who
/// ask within a second, too. So it is with a POST, which is taken for a question where it is cached;
/// one that changes something is written with [`no_store`](Fetch::no_store) in what is itself cached.
/// What is not cached is sent for each call.
///
/// What is stale is given to dynamic handlers while one request refreshes it; what is itself kept
/// waits for the new one. If a refresh fails, the old data stays. The upstream's own `Cache-Control` says nothing here, and its
/// `Set-Cookie` is dropped from what is cached.
///
/// # What becomes of a route that uses it
///
/// A cached route is fresh for no longer than the data it used, and has its tags: when a tag is
/// invalidated by [`revalidate_tag`](crate::revalidate_tag), so are the data and every response made
/// of it, at once. And what the route itself is tagged with reaches the data that it reads: after
/// `revalidate_path`, it is rendered from new data.
///
/// A cached route that uses something *not* cached is rendered for each request, and the log says
/// so once, unless its `revalidate` is written or it is `force-static`: then that holds. In a route
/// that is `dynamic = "error"`, the fetch and the render fail.
///
/// # Proxies
///
/// The variables `HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY`, also in lower case, name a proxy, and
/// `NO_PROXY` the hosts for which there is none; they are read once. This machine (`localhost`,
/// loopback addresses) is always asked directly.
///
/// # Errors
///
/// See [`FetchError`]. Every status is an answer; [`FetchResponse::error_for_status`] makes errors of
/// some.
pub fn fetch(url: impl AsRef<str>) -> Fetch {
    Fetch::new(url.as_ref())
}

/// A request to be awaited; see [`fetch`].
#[must_use = "nothing is sent until this is awaited"]
pub struct Fetch {
    /// Keeps the first error in what it was given, too.
    request: reqwest::RequestBuilder,
    method: Method,
    /// As it was given, without credentials, for errors.
    url: String,
    limits: Limits,
    wish: Wish,
    tags: Vec<String>,
}

impl Fetch {
    fn new(url: &str) -> Self {
        Self {
            request: client::get(url),
            method: Method::GET,
            url: reqwest::Url::parse(url).map_or_else(|_| url.into(), |url| plain_url(&url)),
            limits: Limits {
                timeout: TIMEOUT,
                body: BODY,
            },
            wish: Wish::Nothing,
            tags: Vec::new(),
        }
    }

    /// Sends it with another method than GET.
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        self.request = self.request.header(name.as_ref(), value.as_ref());
        self
    }

    /// Adds to the query: pairs, or a struct with a member for each.
    pub fn query(mut self, query: &(impl Serialize + ?Sized)) -> Self {
        self.request = self.request.query(query);
        self
    }

    /// Sends a body, as it is.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.request = self.request.body(body.into());
        self
    }

    /// Sends a body of JSON, with its `Content-Type`.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// Gives up after so long, from when it is awaited to the last byte received; 30 seconds where
    /// nothing is said.
    ///
    /// Who waits for a request that another call has sent keeps its own time: it gives up earlier,
    /// and where the other's time is over first, it asks again with what is left of its own, a
    /// second later.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// Gives up a body that has more bytes than this, decompressed; 32 MiB (33 554 432) where nothing
    /// is said.
    ///
    /// The whole body is in memory, whoever sent it, and what is cached stays there: who asks for
    /// much says so. Calls that are cached share what they ask for if they say the same here.
    pub fn body_limit(mut self, bytes: u64) -> Self {
        self.limits.body = bytes;
        self
    }

    /// Caches the answer, which is fresh for so many seconds; 0 is [`no_store`](Self::no_store).
    pub fn revalidate(mut self, seconds: u32) -> Self {
        self.wish = match seconds {
            0 => Wish::NoStore,
            _ => Wish::Revalidate(Duration::from_secs(seconds.into())),
        };
        self
    }

    /// Does not cache the answer, and takes none from the cache.
    pub fn no_store(mut self) -> Self {
        self.wish = Wish::NoStore;
        self
    }

    /// Caches the answer, until one of its tags is invalidated.
    pub fn force_cache(mut self) -> Self {
        self.wish = Wish::ForceCache;
        self
    }

    /// Names what the answer depends on, for [`revalidate_tag`](crate::revalidate_tag). What is used
    /// in a render tags the response, too; what is not cached has no tags.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// What was asked for, if it can be.
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
