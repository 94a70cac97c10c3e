//! Redirecting a client to another location.

use std::fmt::{self, Write as _};

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};

use super::Problem;

use crate::target;

/// Makes a redirect with status 307: the resource is temporarily at another location. The client
/// repeats the request there, with the same method and body.
///
/// The location is sent as it is given, relative or absolute. Only characters that cannot occur in
/// a URL, such as a space or an `ü`, are percent-encoded. A `?`, `#` or `/` has its meaning in a
/// URL; to have these encoded in a parameter, use the `path` of a route's handle. To show a page
/// after a form was posted, answer 303 with actix-web's `web::Redirect`.
///
/// The [`Redirect`] is a response to return, and also an error for `?`. Calling this function alone
/// does nothing.
///
/// # Errors
///
/// If no header can hold the location, because it has a line break or another control character,
/// this is logged, and the response is a [`Problem`] with status 500.
///
/// # Example
///
/// ```
/// use actix_web::{App, http::header, test};
/// use route_runtime::{Redirect, Routes, redirect, route};
///
/// #[route(GET, "/posts/[id]")]
/// async fn post(id: u64) -> Result<String, Redirect> {
///     if id == 0 {
///         return Err(redirect(post::path(1)));
///     }
///     Ok(format!("post {id}"))
/// }
///
/// #[route("/latest")]
/// async fn latest() -> Redirect {
///     redirect(post::path(7))
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), route_runtime::RoutesError> {
/// let routes = Routes::from_iter([post::ROUTE, latest::ROUTE])?;
/// let app = test::init_service(App::new().service(routes)).await;
/// for (path, location) in [("/posts/0", "/posts/1"), ("/latest", "/posts/7")] {
///     let request = test::TestRequest::with_uri(path).to_request();
///     let response = test::call_service(&app, request).await;
///     assert_eq!(response.status(), 307);
///     assert_eq!(response.headers().get(header::LOCATION).unwrap(), location);
/// }
/// # Ok(())
/// # }
/// ```
pub fn redirect(location: impl AsRef<str>) -> Redirect {
    Redirect::new(StatusCode::TEMPORARY_REDIRECT, location.as_ref())
}

/// Makes a redirect with status 308: the resource has moved for good. Clients may remember the new
/// location, and need not repeat the request for the old one.
///
/// Everything else is as for [`redirect`].
///
/// # Example
///
/// ```
/// use actix_web::ResponseError;
/// use route_runtime::{Redirect, permanent_redirect, route};
///
/// #[route("/blog/[...slug]", revalidate = false)]
/// async fn moved(slug: Vec<String>) -> Redirect {
///     permanent_redirect(format!("https://blog.example/{}", slug.len()))
/// }
///
/// assert_eq!(permanent_redirect("/new").status_code(), 308);
/// ```
pub fn permanent_redirect(location: impl AsRef<str>) -> Redirect {
    Redirect::new(StatusCode::PERMANENT_REDIRECT, location.as_ref())
}

/// A redirect, made by [`redirect`] or [`permanent_redirect`]. The response has no body.
///
/// A redirect is a [`Responder`] to return, and also an error for `?`; both send the same. If the
/// extractor of an argument fails with a redirect, the client is redirected before the handler
/// runs.
///
/// # Example
///
/// ```
/// use actix_web::HttpResponse;
/// use route_runtime::{Cookies, redirect, route};
///
/// #[route("/account")]
/// async fn account(cookies: Cookies) -> actix_web::Result<String> {
///     let user = cookies.get("user").ok_or_else(|| redirect("/login"))?;
///     Ok(format!("hello, {user}"))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing is thrown: a redirect is sent by being returned"]
pub struct Redirect {
    status: StatusCode,
    location: Result<HeaderValue, Problem>,
}

impl Redirect {
    fn new(status: StatusCode, location: &str) -> Self {
        let sent =
            HeaderValue::from_str(location).and_then(|_| HeaderValue::try_from(encoded(location)));
        let location = sent.map_err(|_| {
            tracing::error!(target: target::HANDLER, ?location, "no header can hold the location of a redirect");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR)
        });
        Self { status, location }
    }

    /// Returns the problem that is sent instead, if no header can hold the location.
    pub(crate) fn problem(&self) -> Option<&Problem> {
        self.location.as_ref().err()
    }
}

/// Percent-encodes the characters that no URL can hold, and every `%` that encodes nothing.
fn encoded(location: &str) -> String {
    let bytes = location.as_bytes();
    let mut encoded = String::with_capacity(bytes.len());
    for (index, &byte) in bytes.iter().enumerate() {
        let is_kept = match byte {
            b'%' => matches!(bytes.get(index + 1..index + 3), Some(code)
                if code.iter().all(u8::is_ascii_hexdigit)),
            _ => byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte),
        };
        if is_kept {
            encoded.push(byte.into());
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string does not fail");
        }
    }
    encoded
}

impl fmt::Display for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Ok(location) => {
                let location = String::from_utf8_lossy(location.as_bytes());
                write!(f, "{} to {location}", self.status)
            }
            Err(problem) => problem.fmt(f),
        }
    }
}

impl std::error::Error for Redirect {}

impl ResponseError for Redirect {
    fn status_code(&self) -> StatusCode {
        match &self.location {
            Ok(_) => self.status,
            Err(problem) => problem.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match &self.location {
            Ok(location) => HttpResponse::build(self.status)
                .insert_header((header::LOCATION, location.clone()))
                .finish(),
            Err(problem) => problem.error_response(),
        }
    }
}

impl Responder for Redirect {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        match self.problem() {
            Some(problem) => HttpResponse::from_error(problem.clone()),
            None => self.error_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(redirect: &Redirect, displayed: &str, status: u16, location: Option<&[u8]>) {
        assert_eq!(redirect.to_string(), displayed);
        assert_eq!(redirect.status_code(), status);
        let response = redirect.error_response();
        assert_eq!(response.status(), status);
        let sent = response.headers().get(header::LOCATION);
        assert_eq!(sent.map(HeaderValue::as_bytes), location);
        assert_eq!(redirect.problem().is_some(), location.is_none());
    }

    #[test]
    fn a_location_is_sent_as_given_or_percent_encoded_and_control_characters_are_an_error() {
        for location in [
            "/x",
            "x/../y?z#w",
            "https://example.com",
            "",
            "//host",
            "/%C3%BC%20b?c=%2f&d=[e]#f",
            "-._~:/?#[]@!$&'()*+,;=",
        ] {
            let displayed = format!("307 Temporary Redirect to {location}");
            check(
                &redirect(location),
                &displayed,
                307,
                Some(location.as_bytes()),
            );
        }
        for (location, sent) in [
            ("/ü b", "/%C3%BC%20b"),
            ("/100%?a=%2&b=%zz#%", "/100%25?a=%252&b=%25zz#%25"),
            ("/\\a\t\"<>^`{|}", "/%5Ca%09%22%3C%3E%5E%60%7B%7C%7D"),
        ] {
            let displayed = format!("307 Temporary Redirect to {sent}");
            check(&redirect(location), &displayed, 307, Some(sent.as_bytes()));
        }
        let displayed = "308 Permanent Redirect to /x";
        check(
            &permanent_redirect(String::from("/x")),
            displayed,
            308,
            Some(b"/x"),
        );
        for location in ["/\r\nSet-Cookie: a=b", "/\n", "/\0", "/\x7f"] {
            check(&redirect(location), "500 Internal Server Error", 500, None);
            check(
                &permanent_redirect(location),
                "500 Internal Server Error",
                500,
                None,
            );
        }
    }
}
