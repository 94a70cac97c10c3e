//! A handler of the table, for code that lists the routes.

use crate::declaration::{Kind, Method, Rendering, RouteDescriptor, Shown, Source};

/// A handler of the table.
///
/// # Example
///
/// ```
/// # use std::time::Duration;
/// # use route_runtime::{Kind, Method, Revalidate, Routes, RoutesError, page};
/// #[page("/news/[id]", revalidate = 10, expire = 60, tags = ["news:{id}"])]
/// async fn news(id: u64) -> String {
///     format!("<h1>{id}</h1>")
/// }
///
/// # fn main() -> Result<(), RoutesError> {
/// let routes = Routes::from_iter([news::ROUTE])?.at("/en")?;
/// let route = routes.iter().next().unwrap();
/// assert_eq!((route.kind(), route.method()), (Kind::Page, Method::Get));
/// assert_eq!((route.pattern(), route.handler()), ("/en/news/[id]", "news"));
/// assert_eq!(route.rendering().to_string(), "`revalidate = 10`");
/// assert_eq!(route.revalidate(), Some(Revalidate::After(10)));
/// assert_eq!(route.expire(), Some(Duration::from_secs(60)));
/// assert_eq!(route.tags(), ["news:{id}"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Route<'a> {
    pub(super) pattern: &'a str,
    pub(super) descriptor: &'a RouteDescriptor,
    pub(super) rendering: Rendering,
}

impl<'a> Route<'a> {
    /// Returns the pattern as declared, behind the prefix of [`Routes::at`](super::Routes::at).
    #[must_use]
    pub fn pattern(&self) -> &'a str {
        self.pattern
    }

    /// Returns the method that the handler answers.
    #[must_use]
    pub fn method(&self) -> Method {
        self.descriptor.method
    }

    /// Returns whether the handler is a route or a page.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.descriptor.kind
    }

    /// Returns the name of the function.
    #[must_use]
    pub fn handler(&self) -> &'a str {
        self.descriptor.handler
    }

    /// Returns the place of the declaration in the source code.
    #[must_use]
    pub fn source(&self) -> Source {
        self.descriptor.source
    }

    /// Returns whether the handler is dynamic or cached, and why.
    #[must_use]
    pub fn rendering(&self) -> Rendering {
        self.rendering
    }

    /// Returns the handler in the form in which its options are shown. `cdn` is the server's
    /// setting.
    pub(crate) fn shown(&self, cdn: bool) -> Shown<'a> {
        Shown {
            config: &self.descriptor.config,
            segments: self.descriptor.segments,
            is_cached: self.rendering.is_cached(),
            cdn,
        }
    }
}
