//! Functions whose values are cached, by `#[cached]`: what their generated code calls.

use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cache::{Ancestry, Answer, Content, Failure, Key, Lifetime, Outcome};
use crate::config::Revalidate;
use crate::context::{Context, Render, Uncached};
use crate::data;
use crate::responses::RENDER_LIMIT;
use crate::revalidate::{Revalidation, usable_tag};
use crate::store::{Invalidation, Tag};
use crate::stored::Stored;

/// What is known of a cached function when it is compiled.
#[derive(Debug)]
pub struct Function {
    /// Its path.
    pub name: &'static str,
    /// Of its body: values of another version are another function's.
    pub version: &'static str,
    /// How long a value is fresh.
    pub revalidate: Option<Revalidate>,
}

/// A call of a cached function, put together argument by argument.
///
/// The generated code is a chain of its methods, and each says of one type whether it will do.
#[derive(Debug)]
pub struct CachedCall {
    function: &'static Function,
    /// A JSON list of the arguments that tell values apart. `None` if one cannot be written so.
    arguments: Option<Vec<u8>>,
    tags: Vec<Tag>,
}

impl CachedCall {
    /// Of this function.
    pub fn of(function: &'static Function) -> Self {
        Self {
            function,
            arguments: Some(Vec::new()),
            tags: Vec::new(),
        }
    }

    /// With the next argument.
    pub fn argument<A: CachedArgument>(mut self, argument: &A) -> Self {
        self.arguments = self.arguments.and_then(|mut json| {
            json.push(if json.is_empty() { b'[' } else { b',' });
            serde_json::to_writer(&mut json, argument).ok()?;
            Some(json)
        });
        self
    }

    /// Beside an argument that is no part of the key.
    pub fn skipped<A: SkippedArgument>(self, _: &A) -> Self {
        self
    }

    /// With a tag of its value.
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        self.tags.extend(usable_tag(&tag.into()));
        self
    }

    /// Returns the value that is there, or makes it, once for all who ask.
    ///
    /// What cannot be shared (an error, a value that is no JSON) is made for each caller; outside of
    /// a handler there is no cache. The future is boxed, so that functions may call each other.
    ///
    /// # Panics
    ///
    /// As the function does, or if it needs its own value.
    pub fn run<S, R, F>(self, _: S, run: R) -> BoxFuture<'static, S::Returned>
    where
        S: Shape,
        S::Returned: ReturnedValue,
        S::Value: CachedValue,
        R: Fn() -> F + Clone + Send + 'static,
        F: Future<Output = S::Returned> + Send + 'static,
    {
        let codec = Codec {
            encode: |returned| serde_json::to_vec(S::value(returned)?).ok(),
            decode: |bytes| serde_json::from_slice(bytes).ok().map(S::returned),
        };
        Box::pin(cached(self, codec, run))
    }

    /// Throws away the value for these arguments, once awaited.
    pub fn revalidate(self) -> Revalidation {
        Revalidation::of_data(self.key().as_ref().map(data::own_tag))
    }

    fn key(&self) -> Option<Key> {
        let mut json = blake3::Hasher::new();
        json.update(self.arguments.as_ref()?);
        let function = Key::new("cached")
            .with_part(self.function.name)
            .with_part(self.function.version);
        Some(function.with_part(&json.finalize().to_hex()))
    }
}

async fn cached<T, R, F>(call: CachedCall, codec: Codec<T>, run: R) -> T
where
    T: Send + 'static,
    R: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let function = call.function;
    let Some(context) = Context::current() else {
        return run().await;
    };
    let Some(key) = call.key() else {
        let function = function.name;
        tracing::warn!(
            function,
            "not cached: its arguments cannot be written as JSON"
        );
        return run().await;
    };
    let tags = call.tags;
    let limit = context.limit().max(RENDER_LIMIT);
    let own: Own<T> = Own::default();
    // What was stored under another shape of the type is thrown away once.
    for _ in 0..2 {
        let declared = tags.iter().cloned().chain([data::own_tag(&key)]).collect();
        let make = make(
            &context,
            function,
            limit,
            declared,
            codec,
            run.clone(),
            own.clone(),
        );
        match data::get(&context, &key, tags.clone(), limit, make).await {
            Ok(Some(Answer {
                content: Content::Entry(entry),
                ..
            })) => {
                let bytes = entry.value().returned();
                if let Some(value) = bytes.and_then(|bytes| (codec.decode)(bytes)) {
                    return value;
                }
                let Some(cache) = context.cache.upgrade() else {
                    break;
                };
                let tag = data::own_tag(&key);
                drop(cache.invalidate(tag, Invalidation::Absent).await);
            }
            Ok(Some(Answer {
                content: Content::Once(stored),
                ..
            })) => {
                let bytes = stored.returned();
                // What was run alone, because of a cycle, comes as bytes like what is kept.
                let value = bytes.and_then(|bytes| (codec.decode)(bytes));
                match own.take().or(value) {
                    Some(value) => return value,
                    None => break,
                }
            }
            Ok(_) => break,
            // Its message has been printed where it was thrown.
            Err(Failure::Panicked(message)) => resume_unwind(Box::new(message.to_string())),
            Err(Failure::Cycle) => panic!("`{}` needs its own value", function.name),
            // All who waited would run it again, each for as long as it takes.
            Err(Failure::TimedOut) => panic!("`{}` took too long", function.name),
            // The cache is going away.
            Err(Failure::Abandoned | Failure::Overloaded { .. }) => break,
        }
    }
    run().await
}

/// What is called for each value that is made.
fn make<T, R, F>(
    context: &Context,
    function: &'static Function,
    limit: Duration,
    declared: Vec<Tag>,
    codec: Codec<T>,
    run: R,
    own: Own<T>,
) -> impl Fn(Ancestry<Key>) -> BoxFuture<'static, crate::cache::Rendered<Stored>> + Clone + Send + 'static
where
    T: Send + 'static,
    R: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let revalidate = function.revalidate.and_then(Revalidate::duration);
    let context = context.clone();
    move |ancestry| {
        let render = Render::new(revalidate, Uncached::Promised, limit);
        let render = Arc::new(render);
        let context = context.within(Arc::clone(&render), &declared, ancestry);
        let (run, own) = (run.clone(), own.clone());
        Box::pin(async move {
            let value = context.scope(async move { run().await }).await;
            let used = render.used();
            let outcome = match (codec.encode)(&value) {
                Some(bytes) => Outcome::store(
                    Stored::Returned(Some(bytes.into())),
                    Lifetime {
                        revalidate: Lifetime::shorter(revalidate, used.revalidate),
                        expire: None,
                    },
                ),
                None => {
                    own.put(value);
                    Outcome::ShareOnce(Stored::Returned(None))
                }
            };
            outcome.tagged(used.tags)
        })
    }
}

/// Where whoever started a call finds its value, if it is for nobody else.
struct Own<T>(Arc<Mutex<Option<T>>>);

impl<T> Own<T> {
    fn put(&self, value: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }

    fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T> Clone for Own<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Own<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// How the values of a function become bytes and come back. `None` for what is not to be kept.
#[derive(Debug)]
struct Codec<T> {
    encode: fn(&T) -> Option<Vec<u8>>,
    decode: fn(&[u8]) -> Option<T>,
}

impl<T> Clone for Codec<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Codec<T> {}

/// What a function returns, of which only `Ok` is kept where it is a `Result`.
///
/// That is a question for types: `Returned::<T>::SHAPE` is the inherent constant for a `Result`,
/// whatever it is called, and else [`ReturnsValue`]'s.
#[derive(Debug)]
pub struct Returned<T>(PhantomData<T>);

/// Which part of what is returned is kept.
pub trait Shape {
    /// What is returned.
    type Returned;
    /// What is kept.
    type Value;

    /// The part that is kept, if it is there.
    fn value(returned: &Self::Returned) -> Option<&Self::Value>;

    /// What would have been returned.
    fn returned(value: Self::Value) -> Self::Returned;
}

/// `Ok` is kept.
#[derive(Debug)]
pub struct OkOf<T, E>(PhantomData<(T, E)>);

/// All of it is kept.
#[derive(Debug)]
pub struct Whole<T>(PhantomData<T>);

impl<T, E> Returned<Result<T, E>> {
    /// Of a `Result`.
    pub const SHAPE: OkOf<T, E> = OkOf(PhantomData);
}

/// See [`Returned`].
pub trait ReturnsValue {
    /// What is returned.
    type Value;
    /// Of any other type.
    const SHAPE: Whole<Self::Value> = Whole(PhantomData);
}

impl<T> ReturnsValue for Returned<T> {
    type Value = T;
}

impl<T, E> Shape for OkOf<T, E> {
    type Returned = Result<T, E>;
    type Value = T;

    fn value(returned: &Result<T, E>) -> Option<&T> {
        returned.as_ref().ok()
    }

    fn returned(value: T) -> Result<T, E> {
        Ok(value)
    }
}

impl<T> Shape for Whole<T> {
    type Returned = T;
    type Value = T;

    fn value(returned: &T) -> Option<&T> {
        Some(returned)
    }

    fn returned(value: T) -> T {
        value
    }
}

/// What a cached function may return, kept or not.
#[diagnostic::on_unimplemented(
    message = "a cached function cannot return `{Self}`",
    label = "is not `Send`",
    note = "it goes from thread to thread, and an error does, too: instead of `actix_web::Error`, \
            return an error of your own"
)]
pub trait ReturnedValue: Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> ReturnedValue for T {}

/// What a cached function may return.
#[diagnostic::on_unimplemented(
    message = "a cached function cannot return `{Self}`",
    label = "is not both `Serialize` and `DeserializeOwned`",
    note = "a value is kept as JSON: derive `serde::Serialize` and `serde::Deserialize` for what \
            owns its data; of a `Result` only `Ok` is kept, and its error may be anything that is `Send`"
)]
pub trait CachedValue: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> CachedValue for T {}

/// What a cached function may take.
#[diagnostic::on_unimplemented(
    message = "a cached function cannot take `{Self}`",
    label = "is not `Serialize + Clone + Send + 'static`",
    note = "its arguments tell values apart, and are all that a value may depend on; what has no \
            part in that, like a connection, is named in `skip(…)`, and what a value depends on of a \
            request is passed by itself"
)]
pub trait CachedArgument: Serialize + Clone + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + Clone + Send + 'static> CachedArgument for T {}

/// What a cached function may take beside that, where it says so.
#[diagnostic::on_unimplemented(
    message = "a cached function cannot take `{Self}`",
    label = "is not `Clone + Send + 'static`",
    note = "a value may be made on another thread, and again when it is stale: share what is needed \
            by `web::Data` or `Arc`"
)]
pub trait SkippedArgument: Clone + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + 'static> SkippedArgument for T {}
