//! Data in the cache of routes: what `fetch` and cached functions have in common.

use std::sync::Arc;
use std::time::Duration;

use crate::cache::{Ancestry, Answer, CacheKey as _, Call, Content, Failure, Key, Rendered, Turn};
use crate::context::Context;
use crate::store::{Invalidation, Tag};
use crate::stored::Stored;

/// The tag that one piece of data has to itself.
pub(crate) fn own_tag(key: &Key) -> Tag {
    Tag::of_ours("data", key.name())
}

/// Answers from the cache, or makes it: once, however many ask. What it depends on, and how long it
/// is fresh, becomes that of the render that asks, if one does.
///
/// `Ok(None)` says that there is no cache any more: the routes are not served.
pub(crate) async fn get<R, F>(
    context: &Context,
    key: &Key,
    tags: Vec<Tag>,
    limit: Duration,
    make: R,
) -> Result<Option<Answer<Stored>>, Failure>
where
    R: Fn(Ancestry<Key>) -> F + Clone + Send + 'static,
    F: Future<Output = Rendered<Stored>> + Send + 'static,
{
    let Some(cache) = context.cache.upgrade() else {
        return Ok(None);
    };
    let own = own_tag(key);
    if context.reloads {
        // A store that cannot record it only means that others keep what they have.
        drop(cache.invalidate(own.clone(), Invalidation::Absent).await);
    }
    let tags: Arc<[Tag]> = std::iter::once(own).chain(tags).collect();
    // Others may have tagged the same data otherwise.
    let also: Vec<Tag> = context.declared.iter().chain(&*tags).cloned().collect();
    let call = Call {
        key,
        slot: None,
        tags: &tags,
        also: &also,
        stale: context.stale(),
        limit,
        turn: Turn::AtOnce,
        parent: context.ancestry.as_ref(),
    };
    let answer = cache.engine().get_or_render(call, make).await;
    if let Some(render) = &context.render {
        render.inherit(&tags, None);
        match &answer {
            Ok(Answer {
                content: Content::Entry(entry),
                ..
            }) => render.inherit(entry.tags(), entry.lifetime().revalidate),
            // It failed, or is not kept: what was made of it is worth little, too.
            _ => render.inherit(&[], Some(UNKEPT)),
        }
    }
    answer.map(Some)
}

/// How long something is fresh that was made of data which could not be had.
pub(crate) const UNKEPT: Duration = Duration::from_secs(10);
