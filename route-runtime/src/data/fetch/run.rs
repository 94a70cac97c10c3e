//! The way of a fetch: the decision, the cache or the network, the record in the render and the
//! log.

use std::time::Duration;

use super::client::{self, FetchLimits};
use super::decision::{Decision, FetchPlace, Wish, decide};
use super::request::Request;
use crate::context::{Context, Entered, Loops, Uncached};
use crate::data;
use crate::engine::{
    Ancestry, Answer, Clock, Content, Engine, Failure, KEPT, Key, Lifetime, RenderFn,
    RenderOutcome, TaggedOutcome,
};
use crate::mode::Mode;
use crate::store::Tag;
use crate::stored::{ErrorKind, FetchError, FetchResponse, Stored};
use crate::target;

/// A request that can be sent, and what the call says about caching it.
pub(super) struct Ready {
    pub(super) request: Request,
    pub(super) limits: FetchLimits,
    pub(super) wish: Wish,
    pub(super) tags: Vec<Tag>,
}

pub(super) async fn run(ready: Ready) -> Result<FetchResponse, FetchError> {
    let Some(context) = Context::current() else {
        return client::send(ready.request, Clock::system(), ready.limits, None).await;
    };
    let place = match &context.render {
        Some(render) => FetchPlace::Render {
            revalidate: render.revalidate,
        },
        None => FetchPlace::Dynamic,
    };
    let name = ready.request.name();
    let clock = context.clock();
    let begun = clock.now();
    let traits = ready.request.traits();
    let (answered, how) = match decide(ready.wish, context.fetch_cache, place, traits) {
        Decision::Cached(revalidate) => cached(&context, ready, revalidate).await,
        Decision::Uncached(why) => (uncached(&context, ready, why).await, why),
        Decision::Refused(why) => {
            let error = FetchError::new(ErrorKind::Refused(why), name.as_str());
            (Err(error), "refused")
        }
    };
    let took = clock.now().since(begun);
    log(&name, how, &answered, took);
    answered
}

/// Answers from the cache. Also returns the word for how the cache answered.
///
/// A call that waits for another call's request waits for exactly its own limit: the end of the
/// other's time says nothing about its own.
async fn cached(
    context: &Context,
    ready: Ready,
    revalidate: Option<Duration>,
) -> (Result<FetchResponse, FetchError>, &'static str) {
    let Ready {
        request,
        limits,
        tags,
        ..
    } = ready;
    let name = request.name();
    let key = request.key(revalidate, limits.body);
    let tags = data::tags_of(&key, tags);
    let clock = context.clock();
    let begun = clock.now();
    let answered = clock.within(limits.timeout, async {
        loop {
            let left = limits.timeout.saturating_sub(clock.now().since(begun));
            let limits = FetchLimits {
                timeout: left,
                ..limits
            };
            let make = make(context, &request, limits, revalidate);
            // Each attempt keeps its own time; this limit only ends an attempt that hangs for
            // another reason.
            let limit = left.saturating_add(Duration::from_secs(1));
            let answer = data::get_or_make(context, &key, &tags, limit, context.keep, make).await;
            let (fetched, how) = read_answer(&answer, &name);
            match fetched {
                // Before that, every call would get the same error.
                Err(error) if error.is_timeout() => clock.sleep(KEPT).await,
                fetched => return (answer, fetched, how),
            }
        }
    });
    match answered.await {
        Some((answer, fetched, how)) => {
            data::record_use(context, &tags, data::entry_of(&answer));
            (fetched, how)
        }
        None => {
            data::record_use(context, &tags, None);
            (Err(FetchError::new(ErrorKind::Timeout, name)), "failed")
        }
    }
}

/// Returns a function that sends the request for all calls that share it.
fn make(
    context: &Context,
    request: &Request,
    limits: FetchLimits,
    revalidate: Option<Duration>,
) -> impl RenderFn<Key, Stored> {
    let (request, clock, loops) = (request.clone(), context.clock(), context.loops());
    move |ancestry: Ancestry<Key>| {
        let (request, clock, loops) = (request.clone(), clock.clone(), loops.clone());
        async move {
            let sent = send(request, clock, limits, loops, ancestry).await;
            let lifetime = Lifetime {
                revalidate,
                expire: None,
            };
            let outcome = match sent {
                Ok(response) if response.status() == 200 => {
                    RenderOutcome::store(Stored::Fetched(Ok(response.shared())), lifetime)
                }
                other => {
                    RenderOutcome::ShareOnce(Stored::Fetched(other.map(FetchResponse::shared)))
                }
            };
            TaggedOutcome::from(outcome)
        }
    }
}

fn read_answer(
    answer: &Result<Option<Answer<Stored>>, Failure>,
    name: &str,
) -> (Result<FetchResponse, FetchError>, &'static str) {
    let unavailable = || FetchError::new(ErrorKind::Unavailable, name);
    match answer {
        Ok(Some(Answer {
            content, status, ..
        })) => {
            let fetched = match content {
                Content::Entry(entry) => entry.value().fetched().cloned(),
                Content::Once(stored) => stored.fetched().cloned(),
                Content::Individual(_) => None,
            };
            (
                fetched.unwrap_or_else(|| Err(unavailable())),
                status.as_str(),
            )
        }
        Ok(None) => (Err(unavailable()), "failed"),
        Err(failure) => {
            let kind = match failure {
                Failure::TimedOut => ErrorKind::Timeout,
                Failure::Cycle => ErrorKind::Cycle,
                _ => ErrorKind::Unavailable,
            };
            (Err(FetchError::new(kind, name)), "failed")
        }
    }
}

/// Sends a request past the cache. The current render, if there is one, records that.
async fn uncached(
    context: &Context,
    ready: Ready,
    why: &'static str,
) -> Result<FetchResponse, FetchError> {
    let Ready {
        request, limits, ..
    } = ready;
    let name = request.name();
    if let Some(render) = &context.render {
        match render.uncached {
            Uncached::Promised => {}
            Uncached::Individual => {
                render.uncached(&format!("{name}, which is not cached ({why})"));
            }
            Uncached::Error => {
                let error = FetchError::new(ErrorKind::Uncached(why), name);
                render.refuse(&error.to_string());
                return Err(error);
            }
        }
    }
    let parent = context.ancestry.as_ref();
    let Ok(ancestry) = Engine::<Key, Stored>::alone(request.key(None, limits.body), parent) else {
        return Err(FetchError::new(ErrorKind::Cycle, name));
    };
    let answered = send(request, context.clock(), limits, context.loops(), ancestry).await;
    let is_good = matches!(&answered, Ok(response) if response.status() == 200);
    if let Some(render) = context.render.as_ref().filter(|_| !is_good) {
        render.inherit(&[], Some(data::UNKEPT));
    }
    answered
}

/// Sends a request in the name of a render, to which the request may come back.
async fn send(
    request: Request,
    clock: Clock,
    limits: FetchLimits,
    loops: Option<Loops>,
    ancestry: Ancestry<Key>,
) -> Result<FetchResponse, FetchError> {
    let entered = loops.map(|loops| loops.enter(ancestry));
    let from = entered.as_ref().map(Entered::header);
    client::send(request, clock, limits, from).await
}

/// Logs a fetch: visibly in development, in production only at the level `debug`.
fn log(name: &str, how: &str, answered: &Result<FetchResponse, FetchError>, took: Duration) {
    let millis = took.as_secs_f64() * 1000.0;
    let line = match answered {
        Ok(response) => format!(
            "{name} {} ({how}) {millis:.1} ms",
            response.status().as_u16()
        ),
        Err(error) => format!("{error} ({how}) {millis:.1} ms"),
    };
    match Context::mode() {
        Some(Mode::Development) => tracing::info!(target: target::DATA, "{line}"),
        _ => tracing::debug!(target: target::DATA, "{line}"),
    }
}
