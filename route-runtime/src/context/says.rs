//! Declarations that the code of a cached render makes about its own result.

use std::sync::Arc;
use std::time::Duration;

use super::{Context, Render};
use crate::tags::usable_tag;

/// Declares that the result of the current cached render depends on `tag`, as the option `tags`
/// does.
///
/// Does nothing outside a cached render, because nothing is kept there. A tag that
/// [`revalidate_tag`](crate::revalidate_tag) refuses, because it is empty or has control
/// characters, has no effect either; that is logged once.
///
/// # Example
///
/// ```
/// use route_runtime::{cache, route};
///
/// #[route("/authors/[id]/latest", revalidate = 60)]
/// async fn latest(id: u64) -> String {
///     let post = 4711; // Only this code knows which one it is.
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

/// Declares that the result of the current cached render is fresh for at most `after`.
///
/// The shortest of all such times counts, and the option `revalidate` is one of them. Does nothing
/// outside a cached render, because nothing is kept there.
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
