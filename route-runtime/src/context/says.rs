//! What the code of a cached render says of what it makes.

use std::sync::Arc;
use std::time::Duration;

use super::{Context, Render};
use crate::tags::usable_tag;

/// Says, in a cached render, that what it makes depends on `tag`, as the option `tags` does.
///
/// Does nothing outside a cached render: nothing is kept there. Nor does a tag that
/// [`revalidate_tag`] refuses, because it is empty or has control characters; that is logged, once.
///
/// # Example
///
/// ```
/// use route_runtime::{cache, route};
///
/// #[route("/authors/[id]/latest", revalidate = 60)]
/// async fn latest(id: u64) -> String {
///     let post = 4711; // Which one it is, is known only here.
///     cache::tag(format!("post:{post}"));
///     format!("author {id}, post {post}")
/// }
/// ```
pub fn tag(tag: impl Into<String>) {
    if let Some(render) = current_render()
        && let Some(tag) = usable_tag(&tag.into())
    {
        render.tag(tag);
    }
}

/// Says, in a cached render, that what it makes is fresh for `after` at most. The shortest of all
/// that is said counts, and the option `revalidate` is one of them.
///
/// Does nothing outside a cached render: nothing is kept there.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use route_runtime::{cache, route};
///
/// #[route("/auction", revalidate = 60)]
/// async fn auction() -> String {
///     let closing_in = Duration::from_secs(7);
///     cache::revalidate_after(closing_in);
///     format!("closes in {} s", closing_in.as_secs())
/// }
/// ```
pub fn revalidate_after(after: Duration) {
    if let Some(render) = current_render() {
        render.revalidate_after(after);
    }
}

fn current_render() -> Option<Arc<Render>> {
    Context::current()?.render
}
