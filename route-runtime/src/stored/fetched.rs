//! The whole response of an upstream.

use std::fmt;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use serde::de::DeserializeOwned;

use super::fetch_error::{ErrorKind, FetchError};

/// The response to a [`fetch`](crate::fetch()): status, headers, and the whole body, decompressed.
///
/// It is cheap to clone.
#[derive(Clone)]
pub struct FetchResponse {
    head: Arc<Head>,
    body: Bytes,
}

struct Head {
    status: StatusCode,
    headers: HeaderMap,
    method: String,
    url: String,
}

impl FetchResponse {
    pub(crate) fn new(
        status: StatusCode,
        headers: HeaderMap,
        method: String,
        url: String,
        body: Bytes,
    ) -> Self {
        Self {
            head: Arc::new(Head {
                status,
                headers,
                method,
                url,
            }),
            body,
        }
    }

    /// Removes the cookies that came with the response: they are for the caller that sent the
    /// request, and the result is for all.
    pub(crate) fn shared(self) -> Self {
        if !self.head.headers.contains_key(header::SET_COOKIE) {
            return self;
        }
        let mut headers = self.head.headers.clone();
        headers.remove(header::SET_COOKIE);
        let Head {
            status,
            ref method,
            ref url,
            ..
        } = *self.head;
        Self::new(status, headers, method.clone(), url.clone(), self.body)
    }

    /// Returns the status. No status is an error by itself; see
    /// [`error_for_status`](Self::error_for_status).
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// Returns the headers. Those of a cached response have no `Set-Cookie`.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Returns the URL that answered, after redirects, without user and password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.head.url
    }

    /// Returns the body.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        self.body.clone()
    }

    /// Returns the body as text: UTF-8 without a byte order mark, and with U+FFFD for what is not
    /// UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        let body = self
            .body
            .strip_prefix(b"\xEF\xBB\xBF")
            .unwrap_or(&self.body);
        String::from_utf8_lossy(body).into_owned()
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    ///
    /// If the body is not JSON, or not of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, FetchError> {
        let body = self
            .body
            .strip_prefix(b"\xEF\xBB\xBF")
            .unwrap_or(&self.body);
        serde_json::from_slice(body)
            .map_err(|cause| FetchError::caused(ErrorKind::Json, self.request(), cause))
    }

    /// Returns this response, if its status is not a client's or a server's error.
    ///
    /// # Errors
    ///
    /// If the status is 400 to 599. The error has the status.
    pub fn error_for_status(self) -> Result<Self, FetchError> {
        let status = self.status();
        if status.is_client_error() || status.is_server_error() {
            return Err(FetchError::new(ErrorKind::Status(status), self.request()));
        }
        Ok(self)
    }

    fn request(&self) -> String {
        format!("{} {}", self.head.method, self.head.url)
    }

    /// Returns the size in bytes.
    pub(crate) fn weight(&self) -> usize {
        let headers = self.head.headers.iter().map(|(name, value)| {
            name.as_str().len() + value.len() + size_of::<(HeaderName, HeaderValue)>()
        });
        size_of::<Head>() + self.head.url.len() + headers.sum::<usize>() + self.body.len()
    }

    /// Appends the response as a store keeps it: a version, then fields with their lengths. Returns
    /// `None` if a field is too long for that.
    pub(crate) fn write(&self, to: &mut Vec<u8>) -> Option<()> {
        let mut field = |bytes: &[u8]| {
            to.extend_from_slice(&u32::try_from(bytes.len()).ok()?.to_le_bytes());
            to.extend_from_slice(bytes);
            Some(())
        };
        field(&[VERSION])?;
        field(self.head.status.as_str().as_bytes())?;
        field(self.head.method.as_bytes())?;
        field(self.head.url.as_bytes())?;
        field(&self.body)?;
        field(&u32::try_from(self.head.headers.len()).ok()?.to_le_bytes())?;
        for (name, value) in &self.head.headers {
            field(name.as_str().as_bytes())?;
            field(value.as_bytes())?;
        }
        Some(())
    }

    /// Reads what [`write`](Self::write) wrote. Returns `None` for anything else.
    pub(crate) fn read(mut bytes: &[u8]) -> Option<Self> {
        let mut field = || {
            let (length, rest) = bytes.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            let (field, rest) = rest.split_at_checked(length)?;
            bytes = rest;
            Some(field)
        };
        if field()? != [VERSION] {
            return None;
        }
        let status = StatusCode::from_bytes(field()?).ok()?;
        let method = std::str::from_utf8(field()?).ok()?.to_owned();
        let url = std::str::from_utf8(field()?).ok()?.to_owned();
        let body = Bytes::copy_from_slice(field()?);
        let count = u32::from_le_bytes(field()?.try_into().ok()?);
        let mut headers = HeaderMap::new();
        for _ in 0..count {
            let name = HeaderName::from_bytes(field()?).ok()?;
            headers.append(name, HeaderValue::from_bytes(field()?).ok()?);
        }
        bytes
            .is_empty()
            .then(|| Self::new(status, headers, method, url, body))
    }
}

/// The version of the encoding.
const VERSION: u8 = 1;

impl fmt::Debug for FetchResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchResponse")
            .field("status", &self.head.status)
            .field("url", &self.head.url)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod fuzzing;
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn response(body: &[u8], header: &[u8]) -> FetchResponse {
        let mut headers = HeaderMap::new();
        for (name, value) in [("x-a", header), ("x-a", b"2"), ("content-type", b"a/b")] {
            let name = HeaderName::from_static(name);
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        FetchResponse::new(
            StatusCode::OK,
            headers,
            "GET".into(),
            "http://a/b?c=ä".into(),
            Bytes::copy_from_slice(body),
        )
    }

    fn encoded(response: &FetchResponse) -> Vec<u8> {
        let mut bytes = Vec::new();
        response.write(&mut bytes).unwrap();
        bytes
    }

    proptest! {
        #[test]
        fn a_written_response_is_read_back_unchanged(
            body in proptest::collection::vec(any::<u8>(), 0..100),
            header in proptest::collection::vec(0x80u8..=0xff, 0..10),
        ) {
            let response = response(&body, &header);
            let again = FetchResponse::read(&encoded(&response)).unwrap();
            prop_assert_eq!(again.status(), response.status());
            prop_assert_eq!(again.url(), response.url());
            prop_assert_eq!(again.bytes(), response.bytes());
            let all = |it: &FetchResponse| it.headers().get_all("x-a").cloned().collect::<Vec<_>>();
            prop_assert_eq!(all(&again), all(&response));
        }

        #[test]
        fn reading_arbitrary_bytes_does_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            FetchResponse::read(&bytes);
        }
    }

    #[test]
    fn truncated_bytes_and_other_versions_are_not_read() {
        let whole = encoded(&response(b"body", b"1"));
        for end in 0..whole.len() {
            assert!(FetchResponse::read(&whole[..end]).is_none(), "{end}");
        }
        let mut other = whole;
        other[4] = VERSION + 1;
        assert!(FetchResponse::read(&other).is_none());
    }

    #[test]
    fn a_body_becomes_text_as_in_browsers() {
        let check = |body: &[u8], expected| assert_eq!(response(body, b"").text(), expected);
        check(b"\xEF\xBB\xBFa\xC3\xA4", "aä");
        check(b"a\xFF", "a\u{FFFD}");
        assert_eq!(
            response(b"\xEF\xBB\xBF[1]", b"").json::<Vec<u8>>().unwrap(),
            [1]
        );
    }
}
