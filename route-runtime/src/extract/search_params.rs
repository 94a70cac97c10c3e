//! The query of a URL, decoded as browsers decode it.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use form_urlencoded::Serializer;

use super::RequestExt as _;

/// The names and values of a query, in its order, as `URLSearchParams` of the [URL standard].
///
/// Pairs are separated by `&`, and the first `=` of a pair separates the name from the value. A `+`
/// is a space, and percent-encoding is decoded. No query is malformed: a stray `%` stays as it is,
/// bytes that are not UTF-8 become U+FFFD, and a name without `=` has an empty value. A name may
/// occur several times.
///
/// [`Display`](fmt::Display) writes a query again, in the encoding of the standard and without `?`.
///
/// As an argument, `params: SearchParams` reads the request, so the route is rendered for each
/// request; with `dynamic = "force-static"` it is always empty. Code that has a request calls
/// [`search_params`](crate::RequestExt::search_params) instead.
///
/// # Example
///
/// ```
/// use route_runtime::{SearchParams, route};
///
/// #[route("/search")]
/// async fn search(params: SearchParams) -> String {
///     let Some(query) = params.get("q") else {
///         return "nothing".into();
///     };
///     format!("{query} in {:?}", params.get_all("tag"))
/// }
///
/// let params = SearchParams::parse("q=caf%C3%A9+noir&tag=a&tag=b");
/// assert_eq!(params.get("q").as_deref(), Some("café noir"));
/// assert_eq!(params.get_all("tag"), ["a", "b"]);
/// assert!(!params.has("page"));
/// assert_eq!(params.to_string(), "q=caf%C3%A9+noir&tag=a&tag=b");
/// ```
///
/// [URL standard]: https://url.spec.whatwg.org/#interface-urlsearchparams
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchParams {
    pairs: Vec<(String, String)>,
}

impl SearchParams {
    /// Parses a query. A single leading `?` is ignored.
    #[must_use]
    pub fn parse(query: &str) -> Self {
        let query = query.strip_prefix('?').unwrap_or(query);
        Self {
            pairs: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        }
    }

    /// Returns the first value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.values(name).next().map(Into::into)
    }

    /// Returns every value of a name, in order; none if the name does not occur.
    #[must_use]
    pub fn get_all(&self, name: &str) -> Vec<String> {
        self.values(name).map(Into::into).collect()
    }

    /// Returns whether a name occurs, whatever its value is.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// Returns every name with its value, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Returns the number of pairs. A name that occurs twice counts twice.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Returns whether there are no pairs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let pairs = self.iter().filter(move |(other, _)| *other == name);
        pairs.map(|(_, value)| value)
    }
}

impl fmt::Display for SearchParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut query = Serializer::new(String::new());
        f.write_str(&query.extend_pairs(&self.pairs).finish())
    }
}

impl FromRequest for SearchParams {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(request.search_params()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: &[(&str, &str)], displayed: &str) {
        let params = SearchParams::parse(query);
        assert_eq!(params.iter().collect::<Vec<_>>(), expected, "{query}");
        assert_eq!(params.len(), expected.len(), "{query}");
        assert_eq!(params.is_empty(), expected.is_empty(), "{query}");
        assert_eq!(params.to_string(), displayed, "{query}");
        assert_eq!(SearchParams::parse(displayed), params, "{query}");
    }

    #[test]
    fn queries_are_read_as_the_url_standard_says() {
        check("", &[], "");
        check("?", &[], "");
        check("&&", &[], "");
        check(
            "a=1&b=2&a=3",
            &[("a", "1"), ("b", "2"), ("a", "3")],
            "a=1&b=2&a=3",
        );
        check("?a=1", &[("a", "1")], "a=1");
        check("??a=1", &[("?a", "1")], "%3Fa=1");
        check("a", &[("a", "")], "a=");
        check("=a", &[("", "a")], "=a");
        check("a=b=c", &[("a", "b=c")], "a=b%3Dc");
        check("a+b=c+d", &[("a b", "c d")], "a+b=c+d");
        check("a=%2B%26%3d", &[("a", "+&=")], "a=%2B%26%3D");
        check("a=%zz%4", &[("a", "%zz%4")], "a=%25zz%254");
        check(
            "%FF=%C3%28",
            &[("\u{FFFD}", "\u{FFFD}(")],
            "%EF%BF%BD=%EF%BF%BD%28",
        );
        check("a=é", &[("a", "é")], "a=%C3%A9");
        check("a;b", &[("a;b", "")], "a%3Bb=");
    }

    #[test]
    fn get_returns_the_first_of_several_values() {
        let params = SearchParams::parse("a=&b=2&a=3&A=4");
        assert_eq!(params.get("a").as_deref(), Some(""));
        assert_eq!(params.get_all("a"), ["", "3"]);
        assert_eq!(params.get("c"), None);
        assert!(params.get_all("c").is_empty());
        assert!(params.has("A") && !params.has("B"));
    }
}
