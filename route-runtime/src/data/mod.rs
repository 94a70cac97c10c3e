//! Data in the cache of routes: what `fetch` and cached functions have in common.

pub(crate) mod cached;
#[cfg(feature = "fetch")]
pub(crate) mod fetch;

use std::sync::Arc;
use std::time::Duration;

use crate::context::Context;
use crate::engine::{Ancestry, Answer, Call, Content, Entry, Failure, Key, Rendered, Turn};
use crate::store::{Invalidation, Tag};
use crate::stored::Stored;
use crate::tags::data_tag;

/// [`ask`], and [`tell`] what is answered.
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
    let tags = tags_of(key, tags);
    let answer = ask(context, key, &tags, limit, make).await;
    tell(context, &tags, entry_of(&answer));
    answer
}

/// Answers from the cache, or makes it: once, however many ask. `Ok(None)` says that there is no
/// cache any more: the routes are not served.
pub(crate) async fn ask<R, F>(
    context: &Context,
    key: &Key,
    tags: &Arc<[Tag]>,
    limit: Duration,
    make: R,
) -> Result<Option<Answer<Stored>>, Failure>
where
    R: Fn(Ancestry<Key>) -> F + Clone + Send + 'static,
    F: Future<Output = Rendered<Stored>> + Send + 'static,
{
    let Some(home) = context.home() else {
        return Ok(None);
    };
    if context.reloads {
        // A store that cannot record it only means that others keep what they have.
        drop(home.invalidate(data_tag(key), Invalidation::Absent).await);
    }
    // Others may have tagged the same data otherwise.
    let also: Vec<Tag> = context.declared().iter().chain(&**tags).cloned().collect();
    let call = Call {
        key,
        slot: None,
        tags,
        also: &also,
        stale: context.stale(),
        limit,
        turn: Turn::AtOnce,
        parent: context.ancestry.as_ref(),
    };
    home.engine.get_or_render(call, make).await.map(Some)
}

/// Its own tag, and these.
pub(crate) fn tags_of(key: &Key, tags: Vec<Tag>) -> Arc<[Tag]> {
    std::iter::once(data_tag(key)).chain(tags).collect()
}

/// What of an answer is kept.
pub(crate) fn entry_of(answer: &Result<Option<Answer<Stored>>, Failure>) -> Option<&Entry<Stored>> {
    match answer {
        Ok(Some(Answer {
            content: Content::Entry(entry),
            ..
        })) => Some(entry),
        _ => None,
    }
}

/// What the data depends on, and how long it is fresh, becomes that of the render that asks, if one
/// does. `None` was not had, or is not kept: what is made of it is worth little, too.
pub(crate) fn tell(context: &Context, tags: &[Tag], entry: Option<&Entry<Stored>>) {
    let Some(render) = &context.render else {
        return;
    };
    render.inherit(tags, None);
    match entry {
        Some(entry) => render.inherit(entry.tags(), entry.lifetime().revalidate),
        None => render.inherit(&[], Some(UNKEPT)),
    }
}

/// How long something is fresh that was made of data which could not be had.
pub(crate) const UNKEPT: Duration = Duration::from_secs(10);
