//! What a request says of its URL.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;

use super::SearchParams;
use crate::pattern::RequestPath;

/// The parts of a request's URL, as Next.js names them.
///
/// For handlers on [`HttpRequest`], for middleware on [`ServiceRequest`].
///
/// # Example
///
/// ```
/// use actix_web::test::TestRequest;
/// use route_runtime::RequestExt;
///
/// let req = TestRequest::with_uri("/docs/caf%c3%a9?tag=a&tag=b").to_http_request();
/// assert_eq!(req.pathname(), "/docs/caf%C3%A9");
/// assert_eq!(req.search_params().get("tag").as_deref(), Some("a"));
/// ```
pub trait RequestExt {
    /// Returns the path in its canonical spelling: the decoded segments, encoded anew.
    ///
    /// However a client encodes it, one resource has one pathname, and it is what a cached
    /// response is kept under. `/%61pi` is `/api`, `/a%2fb` is `/a%2Fb`; there is no query and,
    /// but for `/` itself, no trailing slash. A prefix of [`Routes::at`](crate::Routes::at) is
    /// part of it.
    ///
    /// Middleware round the whole app also sees paths that no route serves. Of those, a segment
    /// with broken percent-encoding is left as it came, and so is a path with a `.` or `..`.
    fn pathname(&self) -> Cow<'_, str>;

    /// Returns the decoded pairs of the query; none if there is no query.
    fn search_params(&self) -> SearchParams;
}

impl RequestExt for HttpRequest {
    fn pathname(&self) -> Cow<'_, str> {
        pathname(self.uri())
    }

    fn search_params(&self) -> SearchParams {
        search_params(self.uri())
    }
}

impl RequestExt for ServiceRequest {
    fn pathname(&self) -> Cow<'_, str> {
        pathname(self.uri())
    }

    fn search_params(&self) -> SearchParams {
        search_params(self.uri())
    }
}

fn pathname(uri: &Uri) -> Cow<'_, str> {
    let raw = uri.path();
    RequestPath::parse(raw).map_or(Cow::Borrowed(raw), |path| path.text)
}

fn search_params(uri: &Uri) -> SearchParams {
    SearchParams::parse(uri.query().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_pathname_is_canonical_where_a_path_can_be() {
        for (uri, expected) in [
            ("/", "/"),
            ("/home?name=lee", "/home"),
            ("/%61pi/a%2fb", "/api/a%2Fb"),
            ("/a+b/%2B", "/a+b/+"),
            ("/a//b/", "/a/b"),
            ("/%zz/%61", "/%zz/a"),
            ("/a/../%61", "/a/../%61"),
        ] {
            let request = || TestRequest::with_uri(uri);
            assert_eq!(request().to_http_request().pathname(), expected, "{uri}");
            assert_eq!(request().to_srv_request().pathname(), expected, "{uri}");
        }
    }

    #[test]
    fn no_query_has_no_parameters() {
        let count = |uri| {
            let request = TestRequest::with_uri(uri).to_srv_request();
            request.search_params().len()
        };
        assert_eq!(count("/a"), 0);
        assert_eq!(count("/a?"), 0);
        assert_eq!(count("/a?b"), 1);
    }
}
