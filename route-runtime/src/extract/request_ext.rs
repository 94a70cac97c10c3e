//! The parts of a request's URL.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;

use super::SearchParams;
use crate::pattern::RequestPath;

/// The parts of a request's URL, as Next.js names them.
///
/// The trait is implemented for [`HttpRequest`], which handlers have, and for [`ServiceRequest`],
/// which middleware has.
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
    /// A resource has one pathname, however a client encodes it, and its cached response is kept
    /// under this pathname. The pathname of `/%61pi` is `/api`, and that of `/a%2fb` is `/a%2Fb`. A
    /// pathname has no query and, except for `/` itself, no trailing slash. It includes the prefix
    /// of [`Routes::at`](crate::Routes::at).
    ///
    /// Middleware around the whole app also sees paths that no route serves. In these, a segment
    /// with broken percent-encoding is left as it was received, and so is a whole path with a `.`
    /// or `..` segment.
    fn pathname(&self) -> Cow<'_, str>;

    /// Returns the decoded pairs of the query. There are none if there is no query.
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
    fn a_pathname_is_canonical_as_far_as_the_path_is_well_formed() {
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
    fn a_missing_or_empty_query_has_no_pairs() {
        let count = |uri| {
            let request = TestRequest::with_uri(uri).to_srv_request();
            request.search_params().len()
        };
        assert_eq!(count("/a"), 0);
        assert_eq!(count("/a?"), 0);
        assert_eq!(count("/a?b"), 1);
    }
}
