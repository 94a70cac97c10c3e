//! The table, as other programs read it.

use serde::Serialize;

use super::{Route, Routes};
use crate::declaration::{Cdn, Kind, Revalidate};
use crate::pattern::Segment;

impl Routes {
    /// Every handler, sorted by pattern and method, as a JSON array for other programs.
    ///
    /// Of each: `method`, `pattern`, `kind` (`route`, `page`), `rendering` (`cached`, `dynamic`)
    /// and its `reason`, `revalidate` (seconds, `false` for ever, `null` where nothing is cached),
    /// `expire` (seconds or `null`), `tags`, `static_params` and `dynamic_params` (`null` without
    /// parameters), `cdn` (`false`, `true` or `"public"`), `handler`, `crate`, `file`, `line`, `column`. Others may follow.
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
        let lines: Vec<_> = self.iter().map(|route| self.json(&route)).collect();
        // Nothing in it can fail to be JSON.
        serde_json::to_string_pretty(&lines).unwrap_or_default()
    }

    fn json<'a>(&self, route: &Route<'a>) -> Json<'a> {
        let config = &route.descriptor.config;
        let is_cached = route.rendering.is_cached();
        let has_params = route
            .descriptor
            .segments
            .iter()
            .any(|it| !matches!(it, Segment::Literal(_) | Segment::Group(_)));
        let source = route.source();
        Json {
            method: route.method().as_str(),
            pattern: route.pattern,
            kind: match route.kind() {
                Kind::Route => "route",
                Kind::Page => "page",
            },
            rendering: if is_cached { "cached" } else { "dynamic" },
            reason: route.rendering.to_string(),
            revalidate: route.revalidate().map(|revalidate| match revalidate {
                Revalidate::Never => JsonRevalidate::Never(false),
                Revalidate::After(seconds) => JsonRevalidate::After(seconds),
            }),
            expire: route.expire().map(|expire| expire.as_secs()),
            tags: route.tags(),
            static_params: has_params.then_some(config.static_params.is_some()),
            dynamic_params: has_params.then_some(config.dynamic_params),
            cdn: match config.cdn_under(self.served.setup.cdn) {
                Cdn::Public if is_cached => JsonCdn::Public("public"),
                cdn => JsonCdn::Flag(is_cached && cdn == Cdn::Yes),
            },
            handler: route.handler(),
            crate_name: source.crate_name(),
            file: source.file,
            line: source.line,
            column: source.column,
        }
    }
}

/// One handler, in the order in which its members are written.
#[derive(Serialize)]
struct Json<'a> {
    method: &'static str,
    pattern: &'a str,
    kind: &'static str,
    rendering: &'static str,
    reason: String,
    revalidate: Option<JsonRevalidate>,
    expire: Option<u64>,
    tags: Vec<String>,
    static_params: Option<bool>,
    dynamic_params: Option<bool>,
    cdn: JsonCdn,
    handler: &'a str,
    #[serde(rename = "crate")]
    crate_name: &'static str,
    file: &'static str,
    line: u32,
    column: u32,
}

#[derive(Serialize)]
#[serde(untagged)]
enum JsonCdn {
    Flag(bool),
    /// `"public"`, as it is declared.
    Public(&'static str),
}

#[derive(Serialize)]
#[serde(untagged)]
enum JsonRevalidate {
    /// `false`, as it is declared.
    Never(bool),
    After(u32),
}
