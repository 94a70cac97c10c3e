//! A request that can be sent, and the key that tells whether two requests are the same.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue};

use super::decision::Sent;
use crate::context::loops;
use crate::engine::Key;

/// Everything that is sent. The body is in memory, so that the request can be sent again.
pub(super) struct Request(reqwest::Request);

/// Headers that name a request, and not what it asks for. `baggage` is not among them: it may name
/// a user, and the response may be that user's.
const TRACING: [&str; 22] = [
    "b3",
    "elastic-apm-traceparent",
    "grpc-trace-bin",
    "newrelic",
    "request-id",
    "sentry-trace",
    "sw8",
    "traceparent",
    "tracestate",
    "uber-trace-id",
    "x-amzn-trace-id",
    "x-b3-flags",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-cloud-trace-context",
    "x-correlation-id",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-trace-id",
    "x-request-id",
];

impl Request {
    pub(super) fn new(request: reqwest::Request) -> Self {
        Self(request)
    }

    pub(super) fn method(&self) -> &reqwest::Method {
        self.0.method()
    }

    /// Returns method and URL, as errors and the log show them.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method(), plain_url(self.0.url()))
    }

    pub(super) fn traits(&self) -> Sent {
        let headers = self.0.headers();
        Sent {
            asks: matches!(self.method().as_str(), "GET" | "HEAD" | "POST"),
            has_credentials: [AUTHORIZATION, COOKIE]
                .iter()
                .any(|name| headers.contains_key(name)),
        }
    }

    /// Returns a key that is equal for requests with the same response: those with the same method,
    /// URL, body and headers, except headers that tell requests apart for tracing. Only a hash of
    /// all that is kept, because it may contain secrets.
    ///
    /// The lifetime is part of the key: a call that keeps a response for ever must not share it
    /// with a call that wants a new one every second. A body limit other than the default is part
    /// of it, too: a body that is too long for one call is not for another.
    pub(super) fn key(&self, revalidate: Option<Duration>, body_limit: u64) -> Key {
        let mut hash = blake3::Hasher::new();
        let mut part = |bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(self.method().as_str().as_bytes());
        let mut url = self.0.url().clone();
        url.set_fragment(None);
        part(url.as_str().as_bytes());
        part(self.body());
        let mut headers: Vec<_> = self
            .0
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .filter(|(name, _)| !TRACING.contains(name))
            .collect();
        // The sort is stable: values of one name stay in their order.
        headers.sort_by_key(|(name, _)| *name);
        for (name, value) in headers {
            part(name.as_bytes());
            part(value);
        }
        if body_limit != super::BODY {
            hash.update(&body_limit.to_le_bytes());
        }
        let key = Key::new("fetch").with_part(&hash.finalize().to_hex());
        match revalidate {
            Some(after) => key.with_part(&after.as_secs().to_string()),
            None => key,
        }
    }

    fn body(&self) -> &[u8] {
        let body = self.0.body().and_then(reqwest::Body::as_bytes);
        body.unwrap_or_default()
    }

    /// Makes the request that is sent. `from` names the render that it is made for.
    pub(super) fn into_sent(self, from: Option<String>) -> reqwest::Request {
        let mut request = self.0;
        if let Some(Ok(from)) = from.map(HeaderValue::try_from) {
            let name = HeaderName::from_static(loops::HEADER);
            request.headers_mut().append(name, from);
        }
        request
    }
}

impl Clone for Request {
    fn clone(&self) -> Self {
        let request = self.0.try_clone();
        Self(request.expect("a body in memory can be cloned"))
    }
}

/// Returns a URL without user and password.
pub(super) fn plain_url(url: &Url) -> String {
    let mut url = url.clone();
    // Neither call fails for a URL that can have a host, and no other URL has anything to remove.
    _ = url.set_username("");
    _ = url.set_password(None);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fetch::BODY;

    fn key(build: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder) -> Key {
        let request = reqwest::Client::new().get("http://a/b?c=d");
        Request::new(build(request).build().unwrap()).key(None, BODY)
    }

    #[test]
    fn the_key_ignores_only_fragments_and_tracing_headers() {
        let plain = key(|it| it);
        let same =
            |build: fn(reqwest::RequestBuilder) -> reqwest::RequestBuilder| key(build) == plain;
        assert!(same(|it| it.header("traceparent", "00-1-2-00")));
        assert!(same(|it| it.header("X-Request-Id", "7")));
        assert!(same(|it| it.header("sentry-trace", "7-1")));
        assert!(TRACING.is_sorted(), "so that a reader finds a name");
        assert!(!same(|it| it.header("accept-language", "de")));
        assert!(!same(|it| it.header("baggage", "user=7")));
        assert!(!same(|it| it.header("authorization", "Bearer a")));
        assert!(!same(|it| it.query(&[("e", "f")])));
        assert!(!same(|it| it.body("x")));
        let other = reqwest::Client::new()
            .post("http://a/b?c=d")
            .build()
            .unwrap();
        assert_ne!(Request::new(other).key(None, BODY), plain);
        let fragment = reqwest::Client::new()
            .get("http://a/b?c=d#e")
            .build()
            .unwrap();
        let fragment = Request::new(fragment);
        assert_eq!(fragment.key(None, BODY), plain);
        assert_ne!(fragment.key(Some(Duration::from_secs(5)), BODY), plain);
        assert_ne!(fragment.key(None, 7), plain);
        let of = |names: [&'static str; 2]| {
            key(|it| names.iter().fold(it, |it, name| it.header(*name, "1")))
        };
        assert_eq!(of(["a", "b"]), of(["b", "a"]));
    }

    #[test]
    fn neither_the_name_nor_the_key_of_a_request_shows_a_password() {
        let request = reqwest::Client::new()
            .get("http://me:secret@a/b")
            .build()
            .unwrap();
        let request = Request::new(request);
        assert_eq!(request.name(), "GET http://a/b");
        assert!(request.traits().has_credentials);
        assert!(!format!("{:?}", request.key(None, BODY)).contains("secret"));
    }
}
