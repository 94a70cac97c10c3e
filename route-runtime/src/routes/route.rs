//! A handler of the table, for code that lists the routes.

use crate::declaration::{Kind, Method, Rendering, RouteDescriptor, Shown, Source};
use crate::middleware::AppliedMiddleware;
use crate::table::{Handler, Table};

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
    pub(super) table: &'a Table,
    pub(super) handler: &'a Handler,
}

impl<'a> Route<'a> {
    /// Returns the pattern as declared, behind the prefix of [`Routes::at`](super::Routes::at).
    #[must_use]
    pub fn pattern(&self) -> &'a str {
        &self.table.node(self.handler.node).pattern
    }

    /// Returns the method that the handler answers.
    #[must_use]
    pub fn method(&self) -> Method {
        self.descriptor().method
    }

    /// Returns whether the handler is a route or a page.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.descriptor().kind
    }

    /// Returns the name of the function.
    #[must_use]
    pub fn handler(&self) -> &'a str {
        self.descriptor().handler
    }

    /// Returns the place of the declaration in the source code.
    #[must_use]
    pub fn source(&self) -> Source {
        self.descriptor().source
    }

    /// Returns whether the handler is dynamic or cached, and why.
    #[must_use]
    pub fn rendering(&self) -> Rendering {
        self.handler.rendering
    }

    /// Returns the middleware that requests for the handler pass, the outermost first: that of
    /// sections, then that of its own `wrap`.
    ///
    /// # Example
    ///
    /// ```
    /// use actix_web::middleware::{DefaultHeaders, Logger};
    /// use route_runtime::{Routes, RoutesError, route};
    ///
    /// #[route("/admin/stats", wrap = DefaultHeaders::new())]
    /// async fn stats() -> &'static str {
    ///     "17 visitors"
    /// }
    ///
    /// # fn main() -> Result<(), RoutesError> {
    /// let routes = Routes::from_iter([stats::ROUTE])?.wrap_open("/admin/[[...rest]]", Logger::default);
    /// let route = routes.iter().next().unwrap();
    /// let names: Vec<_> = route.middleware().iter().map(ToString::to_string).collect();
    /// assert_eq!(names, ["Logger (/admin/[[...rest]])", "DefaultHeaders::new()"]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn middleware(&self) -> Vec<AppliedMiddleware> {
        self.table.middleware(self.handler)
    }

    pub(super) fn descriptor(&self) -> &'a RouteDescriptor {
        &self.handler.descriptor
    }

    /// Returns the handler in the form in which its options are shown. `cdn` is the server's
    /// setting.
    pub(crate) fn shown(&self, cdn: bool) -> Shown<'a> {
        Shown {
            config: &self.descriptor().config,
            segments: self.descriptor().segments,
            is_cached: self.handler.rendering.is_cached(),
            cdn: cdn && !self.table.is_guarded(self.table.node(self.handler.node)),
            middleware: self.middleware(),
        }
    }
}
