//! The table as JSON, for other programs.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::{Route, Routes};
use crate::declaration::{Kind, OPTIONS};

impl Routes {
    /// Returns every handler, sorted by pattern and method, as a JSON array for other programs.
    ///
    /// Each handler has these members. Later versions may add others.
    ///
    /// - `method`, `pattern`, `kind` (`route`, `page`);
    /// - `rendering` (`cached`, `dynamic`) and its `reason`;
    /// - `revalidate` (seconds, `false` for ever, `null` if nothing is cached), `expire` (seconds
    ///   or `null`), `tags`;
    /// - `static_params` and `dynamic_params` (`null` without parameters);
    /// - `cdn` (`false`, `true` or `"public"`);
    /// - `store` (`false` or `true`, `null` if nothing is cached);
    /// - `wrap`: the middleware that requests pass, the outermost first, each with its `name`, the
    ///   pattern of its `section` (`null` for a `wrap` of the route itself), whether it is `open`
    ///   (declared by `wrap_open`), and whether it covers the route's paths only `sometimes`;
    /// - `handler`, `crate`, `file`, `line`, `column`;
    /// - `warnings`: texts about what is allowed but probably not meant, usually none.
    ///
    /// # Example
    ///
    /// ```
    /// # use route_runtime::{Routes, RoutesError, route};
    /// #[route("/tides/[port]", revalidate = 600)]
    /// async fn tides(port: String) -> String {
    ///     port
    /// }
    ///
    /// # fn main() -> Result<(), RoutesError> {
    /// let json = Routes::from_iter([tides::ROUTE])?.to_json();
    /// assert!(json.contains("\"pattern\": \"/tides/[port]\""));
    /// assert!(json.contains("\"revalidate\": 600"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let cdn = self.served.setup.cdn;
        let lines: Vec<_> = self
            .iter()
            .map(|route| HandlerJson { route, cdn })
            .collect();
        // Every value has a JSON form, so this cannot fail.
        serde_json::to_string_pretty(&lines).unwrap_or_default()
    }
}

/// A handler to be written as JSON: its identity, then its options, then its place in the source,
/// then its warnings.
struct HandlerJson<'a> {
    route: Route<'a>,
    cdn: bool,
}

impl Serialize for HandlerJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let route = &self.route;
        let kind = match route.kind() {
            Kind::Route => "route",
            Kind::Page => "page",
        };
        let rendering = match route.rendering().is_cached() {
            true => "cached",
            false => "dynamic",
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("method", route.method().as_str())?;
        map.serialize_entry("pattern", route.pattern())?;
        map.serialize_entry("kind", kind)?;
        map.serialize_entry("rendering", rendering)?;
        map.serialize_entry("reason", &route.rendering().to_string())?;
        let shown = route.shown(self.cdn);
        for option in OPTIONS {
            if let Some(value) = option.json {
                map.serialize_entry(option.name, &value(&shown))?;
            }
        }
        let source = route.source();
        map.serialize_entry("handler", route.handler())?;
        map.serialize_entry("crate", source.crate_name())?;
        map.serialize_entry("file", source.file)?;
        map.serialize_entry("line", &source.line)?;
        map.serialize_entry("column", &source.column)?;
        map.serialize_entry("warnings", &route.warnings())?;
        map.end()
    }
}
