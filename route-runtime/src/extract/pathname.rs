//! The path of a request as an argument of a handler.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::Serialize;

use super::{RequestExt as _, StaticExtractor};

/// The path of the request in its canonical spelling; see
/// [`RequestExt::pathname`](crate::RequestExt::pathname).
///
/// A route with this argument can still be cached, because responses are cached by path: `Pathname`
/// is a [`StaticExtractor`], and `HttpRequest` is not.
///
/// # Example
///
/// ```
/// use actix_web::{App, test};
/// use route_runtime::{Pathname, Routes, route};
///
/// #[route("/docs/[...slug]", revalidate = 60)]
/// async fn docs(slug: Vec<String>, pathname: Pathname) -> String {
///     format!("{} at {pathname}", slug.join(" > "))
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), route_runtime::RoutesError> {
/// let routes = Routes::from_iter([docs::ROUTE])?;
/// let app = test::init_service(App::new().service(routes)).await;
/// let request = test::TestRequest::with_uri("/docs/%61/b%20c").to_request();
/// assert_eq!(test::call_and_read_body(&app, request).await, "a > b c at /docs/a/b%20c");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Pathname(String);

impl Pathname {
    /// Returns the path, which starts with `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Pathname {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Pathname {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<Pathname> for String {
    fn from(pathname: Pathname) -> Self {
        pathname.0
    }
}

impl fmt::Display for Pathname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl FromRequest for Pathname {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.pathname().into_owned())))
    }
}

impl StaticExtractor for Pathname {
    const READS_APP_DATA: bool = false;
}
