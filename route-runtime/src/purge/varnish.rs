//! Varnish.

use super::{Purge, PurgeError, PurgeFuture, Purged, http};

/// The most bytes of tags in one request. Varnish refuses a header of more than 8 KiB.
const MOST: usize = 4096;

/// A Varnish, purged by requests of its own methods, which its VCL has to answer.
///
/// Let Varnish answer such requests only to the servers behind it: whoever can send them can empty the
/// cache. This VCL does so, for both ways:
///
/// ```vcl
/// import xkey;
///
/// acl servers { "127.0.0.1"; }
///
/// sub vcl_recv {
///     if (req.method == "PURGE" || req.method == "BAN") {
///         if (client.ip !~ servers) {
///             return (synth(403));
///         }
///         if (req.http.xkey) {
///             set req.http.purged = xkey.purge(req.http.xkey);
///         } elseif (req.http.xkey-soft) {
///             set req.http.purged = xkey.softpurge(req.http.xkey-soft);
///         } elseif (req.http.x-tags) {
///             ban("obj.http.cache-tag ~ " + req.http.x-tags);
///         } else {
///             return (synth(400));
///         }
///         return (synth(200));
///     }
/// }
/// ```
///
/// ```no_run
/// use route_runtime::purge::Varnish;
/// use route_runtime::{Routes, TagHeader};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let routes = Routes::collect()?
///     .tag_header(TagHeader::Xkey)
///     .purge(Varnish::xkey("http://varnish:6081"));
/// # drop(routes);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Varnish {
    url: String,
    way: VarnishWay,
}

/// The way in which Varnish finds what has a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum VarnishWay {
    Xkey,
    Ban,
}

impl Varnish {
    /// Makes a Varnish with the module `xkey` of varnish-modules, which keeps an index of tags. It
    /// is sent `PURGE /` with the tags in the header `xkey`, or in `xkey-soft` for
    /// [`stale`](crate::Revalidation::stale).
    ///
    /// Set [`TagHeader::Xkey`](crate::TagHeader::Xkey).
    #[must_use]
    pub fn xkey(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            way: VarnishWay::Xkey,
        }
    }

    /// Makes a Varnish that compares a regular expression with the header of everything that it
    /// keeps. It is sent `BAN /` with the expression in the header `x-tags`, for which the VCL adds
    /// a ban.
    ///
    /// Set [`TagHeader::CacheTag`](crate::TagHeader::CacheTag), the default. A ban is never soft, so
    /// nothing is purged by [`stale`](crate::Revalidation::stale).
    #[must_use]
    pub fn ban(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            way: VarnishWay::Ban,
        }
    }

    async fn tell(&self, tags: &[String], is_soft: bool) -> Result<(), PurgeError> {
        let (method, name, value) = match self.way {
            VarnishWay::Xkey if is_soft => ("PURGE", "xkey-soft", tags.join(" ")),
            VarnishWay::Xkey => ("PURGE", "xkey", tags.join(" ")),
            VarnishWay::Ban => ("BAN", "x-tags", expression(tags)),
        };
        let request = http::request(method, &self.url).header(http::header(name), value);
        let (status, _) = http::send(request, "Varnish").await?;
        http::confirmed(status, "Varnish")
    }
}

impl Purge for Varnish {
    fn purge<'a>(&'a self, what: &'a Purged) -> PurgeFuture<'a> {
        Box::pin(async move {
            if what.is_soft() && self.way == VarnishWay::Ban {
                return Ok(());
            }
            for tags in parts(what.tags()) {
                self.tell(tags, what.is_soft()).await?;
            }
            Ok(())
        })
    }
}

/// Returns the tags in parts that fit in one request each.
fn parts(tags: &[String]) -> Vec<&[String]> {
    let mut parts = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, tag) in tags.iter().enumerate() {
        // Each byte may be escaped in an expression.
        let needs = 2 * tag.len() + 1;
        if at > start && bytes + needs > MOST {
            parts.push(&tags[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += needs;
    }
    if start < tags.len() {
        parts.push(&tags[start..]);
    }
    parts
}

/// Returns the regular expression of a list that has one of the tags.
fn expression(tags: &[String]) -> String {
    let escaped: Vec<_> = tags.iter().map(|tag| escaped(tag)).collect();
    format!("(^|,)({})(,|$)", escaped.join("|"))
}

/// Escapes what has a meaning in a regular expression of PCRE.
fn escaped(tag: &str) -> String {
    let mut escaped = String::new();
    for c in tag.chars() {
        if !(c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | ':' | '%')) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(tags: &[&str]) -> Vec<String> {
        tags.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_expression_has_each_tag_as_it_is() {
        assert_eq!(
            expression(&tags(&["posts", "/a/[id]", "a.b"])),
            "(^|,)(posts|/a/\\[id\\]|a\\.b)(,|$)"
        );
    }

    #[test]
    fn tags_are_told_in_parts_that_fit_and_none_is_lost() {
        let many: Vec<_> = (0..1000).map(|number| format!("tag:{number}")).collect();
        let told = parts(&many);
        assert!(told.len() > 2);
        assert_eq!(told.concat(), many);
        assert!(told.iter().all(|it| expression(it).len() <= MOST + 16));
        let long = tags(&["a", &"b".repeat(MOST), "c"]);
        assert_eq!(parts(&long).concat(), long);
        assert!(parts(&[]).is_empty());
    }
}
