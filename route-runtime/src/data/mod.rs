//! Data in the cache of routes: the parts that `fetch` and cached functions have in common.

pub(crate) mod cached;
#[cfg(feature = "fetch")]
pub(crate) mod fetch;

use std::sync::Arc;
use std::time::Duration;

use crate::context::Context;
use crate::engine::{Answer, Call, Content, Entry, Failure, Keep, Key, RenderFn, Turn};
use crate::store::{Invalidation, Tag};
use crate::stored::Stored;
use crate::tags::data_tag;

/// Returns data as [`get_or_make`] does, and records its use with [`record_use`].
pub(crate) async fn get(
    context: &Context,
    key: &Key,
    tags: Vec<Tag>,
    limit: Duration,
    keep: Keep,
    make: impl RenderFn<Key, Stored>,
) -> Result<Option<Answer<Stored>>, Failure> {
    let tags = tags_of(key, tags);
    let answer = get_or_make(context, key, &tags, limit, keep, make).await;
    record_use(context, &tags, entry_of(&answer));
    answer
}

/// Returns data from the cache, or makes it, once for all callers. `Ok(None)` says that there is no
/// cache any more, because the routes are not served.
pub(crate) async fn get_or_make(
    context: &Context,
    key: &Key,
    tags: &Arc<[Tag]>,
    limit: Duration,
    keep: Keep,
    make: impl RenderFn<Key, Stored>,
) -> Result<Option<Answer<Stored>>, Failure> {
    let Some(home) = context.home() else {
        return Ok(None);
    };
    if context.reloads {
        // If the store cannot record this, other instances merely keep what they have.
        drop(
            home.invalidate(&[data_tag(key)], Invalidation::Absent)
                .await,
        );
    }
    // Other callers may have given the same data other tags.
    let also: Vec<Tag> = context.declared().iter().chain(&**tags).cloned().collect();
    let call = Call {
        key,
        slot: None,
        tags,
        also: &also,
        stale: context.stale(),
        limit,
        turn: Turn::AtOnce,
        owner: context.owner,
        keep,
        parent: context.ancestry.as_ref(),
    };
    home.engine.get_or_render(call, make).await.map(Some)
}

/// Returns the data's own tag, and then these.
pub(crate) fn tags_of(key: &Key, tags: Vec<Tag>) -> Arc<[Tag]> {
    std::iter::once(data_tag(key)).chain(tags).collect()
}

/// Returns the entry of an answer, if the answer is kept.
pub(crate) fn entry_of(answer: &Result<Option<Answer<Stored>>, Failure>) -> Option<&Entry<Stored>> {
    match answer {
        Ok(Some(Answer {
            content: Content::Entry(entry),
            ..
        })) => Some(entry),
        _ => None,
    }
}

/// Records the use of data in the current render, if there is one: the data's tags become the
/// render's, and its lifetime bounds the render's. `None` stands for data that could not be had or
/// is not kept; a result made of it is fresh only briefly.
pub(crate) fn record_use(context: &Context, tags: &[Tag], entry: Option<&Entry<Stored>>) {
    let Some(render) = &context.render else {
        return;
    };
    render.inherit(tags, None);
    match entry {
        Some(entry) => render.inherit(entry.tags(), entry.lifetime().revalidate),
        None => render.inherit(&[], Some(UNKEPT)),
    }
}

/// The time for which a result is fresh if it was made of data that could not be had.
pub(crate) const UNKEPT: Duration = Duration::from_secs(10);
