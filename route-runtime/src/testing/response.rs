//! The response that a test reads.

use std::any::type_name;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use serde::de::DeserializeOwned;

/// The number of bytes of a body that a message shows.
const SHOWN: usize = 300;

/// The head of a response.
#[derive(Clone, Debug)]
pub(super) struct ResponseHead {
    status: StatusCode,
    headers: HeaderMap,
}

impl ResponseHead {
    pub(super) fn of(response: &HttpResponse<()>) -> Self {
        Self {
            status: response.status(),
            headers: response.headers().clone(),
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn outcome(&self) -> Option<Outcome> {
        let mut all = self.headers.get_all("cache-status");
        let ours = all.find_map(|value| value.to_str().ok()?.strip_prefix("route; "))?;
        Some(if ours.starts_with("hit; ttl=-") {
            Outcome::Stale
        } else if ours.starts_with("hit") {
            Outcome::Hit
        } else if ours.starts_with("fwd=bypass") {
            Outcome::Bypass
        } else {
            Outcome::Miss
        })
    }
}

/// A whole response.
#[derive(Clone, Debug)]
pub struct TestResponse {
    head: ResponseHead,
    body: Bytes,
}

impl TestResponse {
    pub(super) fn new(head: ResponseHead, body: Bytes) -> Self {
        Self { head, body }
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status()
    }

    /// Returns all headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// Returns the first value of a header, if there is one and it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the body as text.
    ///
    /// # Panics
    ///
    /// If the body is not UTF-8. The message shows how it begins.
    #[must_use]
    #[track_caller]
    pub fn text(&self) -> &str {
        match std::str::from_utf8(&self.body) {
            Ok(text) => text,
            Err(error) => panic!("the body is no text: {error}; {}", self.beginning()),
        }
    }

    /// Returns the value that the body is as JSON, whatever the `Content-Type`.
    ///
    /// # Panics
    ///
    /// If the body is no JSON of such a value. The message shows how it begins.
    ///
    /// # Example
    ///
    /// ```
    /// use actix_web::web::Json;
    /// use route_runtime::testing::TestApp;
    /// use route_runtime::{Routes, route};
    ///
    /// #[route("/squares/[n]")]
    /// async fn square(n: u64) -> Json<[u64; 2]> {
    ///     Json([n, n * n])
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), route_runtime::RoutesError> {
    /// let app = TestApp::new(Routes::from_iter([square::ROUTE])?).await?;
    /// let [n, squared] = app.get("/squares/7").await.json::<[u64; 2]>();
    /// assert_eq!((n, squared), (7, 49));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!(
                "the body is no JSON of `{}`: {error}; {}",
                type_name::<T>(),
                self.beginning()
            ),
        }
    }

    /// Returns the status and the first bytes of the body, for a message.
    fn beginning(&self) -> String {
        let bytes = &self.body[..self.body.len().min(SHOWN)];
        let more = if self.body.len() > SHOWN { "…" } else { "" };
        let status = self.status().as_u16();
        format!(
            "the status is {status}, and the body `{}{more}`",
            bytes.escape_ascii()
        )
    }

    /// Returns how the response came about, by its `Cache-Status`, or `None` if no route answered.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.head.outcome()
    }
}

/// The way in which a response came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The response is from a fresh entry.
    Hit,
    /// The response is from a stale entry, which is being refreshed.
    Stale,
    /// The response is from a render that this request waited for, whether or not this request
    /// started it.
    Miss,
    /// The response is from a run of the handler for this request alone.
    Bypass,
}

#[cfg(test)]
mod tests {
    use actix_web::HttpResponse;

    use super::*;

    fn response(body: Bytes) -> TestResponse {
        let response = HttpResponse::BadGateway().finish();
        TestResponse::new(ResponseHead::of(&response.drop_body()), body)
    }

    #[test]
    #[should_panic(
        expected = "the body is no JSON of `u8`: expected value at line 1 column 1; the status is \
                    502, and the body `<h1>no\\xc3\\xa9</h1>`"
    )]
    fn a_body_that_is_no_json_is_shown() {
        let _: u8 = response(Bytes::from("<h1>noé</h1>")).json();
    }

    #[test]
    #[should_panic(expected = "xxx…`")]
    fn of_a_long_body_the_beginning_is_shown() {
        let _: u8 = response(Bytes::from("x".repeat(10_000))).json();
    }

    #[test]
    #[should_panic(expected = "and the body `a\\xff`")]
    fn a_body_that_is_no_text_is_shown() {
        let _ = response(Bytes::from_static(b"a\xff")).text();
    }
}
