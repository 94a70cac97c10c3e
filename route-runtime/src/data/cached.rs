//! Functions whose values are cached by `#[cached]`: the parts that their generated code calls.

mod bounds;

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use futures_util::FutureExt as _;

use self::bounds::Shape;
pub use self::bounds::{
    CachedArgument, CachedValue, OrderIn, OrderOf, Ordered, RandomOrder, Returned, ReturnedValue,
    ReturnsValue, SkippedArgument, StableOrder,
};
use crate::context::{Context, Render, Uncached};
use crate::data;
use crate::declaration::{RENDER_LIMIT, Revalidate};
use crate::engine::{
    Ancestry, Answer, Content, Failure, Keep, Key, Lifetime, RenderOutcome, TaggedOutcome,
};
use crate::identity::{self, NoIdentity};
use crate::owner::Owner;
use crate::revalidate::Revalidation;
use crate::store::Tag;
use crate::stored::Stored;
use crate::tags::{data_tag, usable_tag};
use crate::target;
use crate::threads::{DroppedApart, Threads};

/// The facts about a cached function that are known when it is compiled.
#[derive(Debug)]
pub struct Function {
    /// The path of the function.
    pub name: &'static str,
    /// The version of the function's body. Values of another version belong to another function.
    pub version: &'static str,
    /// The time for which a value is fresh.
    pub revalidate: Option<Revalidate>,
    /// Set unless the values stay out of stores.
    pub store: bool,
}

impl Function {
    /// Returns the part that a store has in keeping a value, which is made for content that is kept
    /// as `within` says.
    fn keep(&self, within: Keep, has_no_arguments: bool) -> Keep {
        match within {
            _ if !self.store => Keep::InMemory,
            _ if has_no_arguments => Keep::Listed,
            Keep::Listed => Keep::Listed,
            Keep::Unlisted | Keep::InMemory => Keep::Unlisted,
        }
    }
}

/// A call of a cached function, put together argument by argument.
///
/// The generated code is a chain of this type's methods. Each method accepts or rejects one type.
#[derive(Debug)]
pub struct CachedCall {
    function: &'static Function,
    arguments: Vec<KeyArgument>,
    tags: Vec<Tag>,
}

/// An argument that tells values apart, and so is part of the key.
#[derive(Debug)]
struct KeyArgument {
    name: &'static str,
    /// The argument's canonical text, which is all that the function sees of it.
    text: Result<String, NoIdentity>,
    /// The check that the argument's type reads the text as it writes it.
    check: fn(&str) -> Result<(), NoIdentity>,
}

/// The reason why a call shares nothing: an argument that is not its own identity.
#[derive(Debug)]
struct Unshared {
    argument: &'static str,
    why: NoIdentity,
}

impl fmt::Display for Unshared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "argument `{}` {}", self.argument, self.why)
    }
}

impl CachedCall {
    /// Begins a call of this function.
    pub fn of(function: &'static Function) -> Self {
        Self {
            function,
            arguments: Vec::new(),
            tags: Vec::new(),
        }
    }

    /// Adds the next argument that tells values apart.
    pub fn argument<A: CachedArgument, O: OrderOf<A>>(
        mut self,
        name: &'static str,
        argument: &A,
        _: O,
    ) -> Self {
        self.arguments.push(KeyArgument {
            name,
            text: identity::text(argument),
            check: identity::check::<A>,
        });
        self
    }

    /// Checks the type of an argument that is not part of the key.
    pub fn skipped<A: SkippedArgument>(self, _: &A) -> Self {
        self
    }

    /// Adds a tag to the value.
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        self.tags.extend(usable_tag(&tag.into()));
        self
    }

    /// Returns the value from the cache, or makes it, once for all callers.
    ///
    /// `shared` calls the function with arguments that are read back from the key, so a value that
    /// others get cannot contain anything that the key lacks. `own` calls the function with the
    /// caller's own arguments, for results that cannot be shared: an error, a value that cannot be
    /// read back, the result of arguments without an identity. The future is boxed, so that
    /// functions may call each other.
    ///
    /// Outside a handler there is no cache, and the function runs for each call. It is given the same
    /// arguments there, and its value is read back, so that a unit test sees what a handler sees.
    ///
    /// # Panics
    ///
    /// If the function panics, takes too long, or needs its own value.
    pub fn run<S, R, O, F>(self, _: S, shared: R, own: O) -> BoxFuture<'static, S::Returned>
    where
        S: Shape,
        S::Returned: ReturnedValue,
        S::Value: CachedValue,
        R: Fn(&mut KeyArguments<'_>) -> Option<F> + Clone + Send + 'static,
        O: FnOnce() -> F + Send + 'static,
        F: Future<Output = S::Returned> + Send + 'static,
    {
        let codec = Codec {
            encode: |returned| Some(identity::readable(S::value(returned)?)),
            decode: |bytes| serde_json::from_slice(bytes).ok().map(S::returned),
        };
        Box::pin(async move {
            let run = move |arguments: &[KeyArgument]| shared(&mut KeyArguments(arguments.iter()));
            match cached(self, codec, run).await {
                Some(value) => value,
                None => own().await,
            }
        })
    }

    /// Returns an invalidation of the value for these arguments, to be awaited.
    pub fn revalidate(self) -> Revalidation {
        let key = check(&self.arguments).and_then(|()| self.key());
        Revalidation::of_data(match key {
            Ok(key) => Ok(data_tag(&key)),
            Err(unshared) => {
                let function = self.function.name;
                Err(format!("`{function}` keeps nothing for this: {unshared}"))
            }
        })
    }

    fn key(&self) -> Result<Key, Unshared> {
        let mut hash = blake3::Hasher::new();
        for argument in &self.arguments {
            let text = argument.text()?;
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        let function = Key::new("cached")
            .with_part(self.function.name)
            .with_part(self.function.version);
        Ok(function.with_part(&hash.finalize().to_hex()))
    }
}

impl KeyArgument {
    fn text(&self) -> Result<&str, Unshared> {
        self.text
            .as_deref()
            .map_err(|why| self.unshared(why.clone()))
    }

    fn unshared(&self, why: NoIdentity) -> Unshared {
        Unshared {
            argument: self.name,
            why,
        }
    }
}

/// The arguments of a call, to be read back from its key in the order in which they were given.
#[derive(Debug)]
pub struct KeyArguments<'a>(std::slice::Iter<'a, KeyArgument>);

impl KeyArguments<'_> {
    /// Reads the next argument. Returns `None` if its type does not read what it writes.
    pub fn read<A: CachedArgument>(&mut self) -> Option<A> {
        identity::read(self.0.next()?.text.as_deref().ok()?).ok()
    }
}

/// Returns the value that is kept for a call, or one that is made now and may be kept. Returns
/// `None` if the caller must make its own.
async fn cached<T, R, F>(call: CachedCall, codec: Codec<T>, run: R) -> Option<T>
where
    T: Send + 'static,
    R: Fn(&[KeyArgument]) -> Option<F> + Clone + Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let function = call.function;
    let Some(context) = Context::current() else {
        check(&call.arguments).ok()?;
        let value = run(&call.arguments)?.await;
        return Some(codec.read_back(value));
    };
    let key = match call.key() {
        Ok(key) => key,
        Err(unshared) => {
            warn_unshared(function, &unshared);
            return None;
        }
    };
    let CachedCall {
        arguments, tags, ..
    } = call;
    let arguments: Arc<[KeyArgument]> = arguments.into();
    let limit = context.limit().max(RENDER_LIMIT);
    let keep = function.keep(context.keep, arguments.is_empty());
    let own: Own<T> = Own::default();
    // A value that another program has stored under another shape of the type is replaced, once.
    for _ in 0..2 {
        let declared: Vec<_> = tags.iter().cloned().chain([data_tag(&key)]).collect();
        let make = Make {
            function,
            limit,
            keep,
            context: context.clone(),
            declared: declared.into(),
            arguments: Arc::clone(&arguments),
            codec,
            run: run.clone(),
            own: own.clone(),
        };
        // What is skipped in the key need not be `Sync`, and may block when it is cloned or dropped.
        let make = Arc::new(DroppedApart::new(Mutex::new(make)));
        let (functions, owner) = (
            Arc::clone(context.home()?.functions()),
            Owner(function.name),
        );
        let make =
            move |ancestry| run_on(Arc::clone(&functions), owner, Arc::clone(&make), ancestry);
        match data::get(&context, &key, tags.clone(), limit, keep, make).await {
            Ok(Some(Answer {
                content: Content::Entry(entry),
                ..
            })) => {
                let bytes = entry.value().returned();
                if let Some(value) = bytes.and_then(|bytes| (codec.decode)(bytes)) {
                    return Some(value);
                }
                context.home()?.engine.discard(&key, &entry, keep).await;
            }
            Ok(Some(Answer {
                content: Content::Once(stored),
                ..
            })) => {
                let bytes = stored.returned();
                // A value that was made alone, because of a cycle, comes as bytes, like one that is
                // kept.
                let value = bytes.and_then(|bytes| (codec.decode)(bytes));
                return own.take().or(value);
            }
            Ok(_) => return None,
            // The panic's message was printed where it was thrown.
            Err(Failure::Panicked(message)) => resume_unwind(Box::new(message.to_string())),
            Err(Failure::Cycle) => panic!("`{}` needs its own value", function.name),
            // Otherwise all who waited would run the function again, each for as long as it takes.
            Err(Failure::TimedOut) => panic!("`{}` took too long", function.name),
            // The cache is going away.
            Err(Failure::Abandoned | Failure::Overloaded { .. }) => return None,
        }
    }
    None
}

/// Makes a value on one of the threads of cached functions. A panic of the function is passed on.
async fn run_on<T, R, F>(
    functions: Arc<Threads<()>>,
    owner: Owner,
    make: Arc<DroppedApart<Mutex<Make<T, R>>>>,
    ancestry: Ancestry<Key>,
) -> TaggedOutcome<Stored>
where
    T: Send + 'static,
    R: Fn(&[KeyArgument]) -> Option<F> + Clone + Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let made = functions.run(owner, move |_, reply| {
        let (make, ancestry) = (Arc::clone(&make), ancestry.clone());
        async move {
            let value = async {
                let locked = make.get().lock();
                let make = locked.unwrap_or_else(PoisonError::into_inner).clone();
                make.value(ancestry).await
            };
            reply.send(AssertUnwindSafe(value).catch_unwind().await);
        }
    });
    match made.await {
        Some(Ok(outcome)) => outcome,
        Some(Err(panic)) => resume_unwind(panic),
        None => RenderOutcome::ShareOnce(Stored::Returned(None)).into(),
    }
}

/// Everything that is needed to make one value.
struct Make<T, R> {
    function: &'static Function,
    limit: Duration,
    keep: Keep,
    context: Context,
    declared: Arc<[Tag]>,
    arguments: Arc<[KeyArgument]>,
    codec: Codec<T>,
    run: R,
    own: Own<T>,
}

impl<T, R: Clone> Clone for Make<T, R> {
    fn clone(&self) -> Self {
        Self {
            function: self.function,
            limit: self.limit,
            keep: self.keep,
            context: self.context.clone(),
            declared: Arc::clone(&self.declared),
            arguments: Arc::clone(&self.arguments),
            codec: self.codec,
            run: self.run.clone(),
            own: self.own.clone(),
        }
    }
}

impl<T, R, F> Make<T, R>
where
    T: Send + 'static,
    R: Fn(&[KeyArgument]) -> Option<F> + Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    /// Runs the function, and decides what may be done with the value that it returned.
    async fn value(self, ancestry: Ancestry<Key>) -> TaggedOutcome<Stored> {
        let nothing = || RenderOutcome::ShareOnce(Stored::Returned(None));
        // Only a new value is checked; a kept one has been checked already.
        if let Err(unshared) = check(&self.arguments) {
            warn_unshared(self.function, &unshared);
            return nothing().into();
        }
        let revalidate = self.function.revalidate.and_then(Revalidate::duration);
        let render = Render::new(revalidate, Uncached::Promised, self.limit);
        let render = Arc::new(render);
        let context = self
            .context
            .within(Arc::clone(&render), &self.declared, ancestry, self.keep);
        let (run, arguments) = (self.run, self.arguments);
        let value = context.scope(async move { Some(run(&arguments)?.await) });
        let Some(value) = value.await else {
            return nothing().into();
        };
        let used = render.used();
        let outcome = match (self.codec.encode)(&value) {
            Some(Ok(text)) => RenderOutcome::store(
                Stored::Returned(Some(text.into())),
                Lifetime {
                    revalidate: Lifetime::shorter(revalidate, used.revalidate),
                    expire: None,
                },
            ),
            unkept => {
                if let Some(Err(why)) = unkept {
                    warn_unkept(self.function, &why);
                }
                self.own.put(value);
                nothing()
            }
        };
        outcome.tagged(used.tags)
    }
}

/// Checks that each argument is its own identity: that it is read back as it was written.
fn check(arguments: &[KeyArgument]) -> Result<(), Unshared> {
    for argument in arguments {
        (argument.check)(argument.text()?).map_err(|why| argument.unshared(why))?;
    }
    Ok(())
}

fn warn_unshared(function: &Function, unshared: &Unshared) {
    let Unshared { argument, why } = unshared;
    if is_first(function, argument) {
        let function = function.name;
        tracing::warn!(
            target: target::DATA,
            function,
            argument,
            "runs for each call, because its argument {why}; later calls like it are not mentioned"
        );
    }
}

fn warn_unkept(function: &Function, why: &NoIdentity) {
    if is_first(function, "->") {
        let function = function.name;
        tracing::warn!(
            target: target::DATA,
            function,
            "runs for each call, because what it returns {why}; later calls like it are not mentioned"
        );
    }
}

/// Returns whether this is the first time that the log mentions this part of a function.
fn is_first(function: &Function, part: &'static str) -> bool {
    static LOGGED: Mutex<BTreeSet<(&str, &str)>> = Mutex::new(BTreeSet::new());
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    logged.insert((function.name, part))
}

/// The place where the caller that started a call finds its value, if no other call gets it.
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

/// The conversion of a function's values to bytes and back.
#[derive(Debug)]
struct Codec<T> {
    /// Writes a value. `None` for one that is not to be kept, `Some(Err(why))` for one that cannot
    /// be.
    encode: fn(&T) -> Option<Result<String, NoIdentity>>,
    decode: fn(&[u8]) -> Option<T>,
}

impl<T> Codec<T> {
    /// Returns a value as callers get it: read back, if it can be kept.
    fn read_back(&self, value: T) -> T {
        match (self.encode)(&value) {
            Some(Ok(text)) => (self.decode)(text.as_bytes()).unwrap_or(value),
            _ => value,
        }
    }
}

impl<T> Clone for Codec<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Codec<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_listed_if_it_has_no_arguments_or_is_made_for_listed_content() {
        let check = |store, within, [without, with]: [Keep; 2]| {
            let function = Function {
                name: "f",
                version: "1",
                revalidate: None,
                store,
            };
            assert_eq!(function.keep(within, true), without, "{within:?}");
            assert_eq!(function.keep(within, false), with, "{within:?}");
        };
        check(true, Keep::Listed, [Keep::Listed, Keep::Listed]);
        check(true, Keep::Unlisted, [Keep::Listed, Keep::Unlisted]);
        check(true, Keep::InMemory, [Keep::Listed, Keep::Unlisted]);
        for within in [Keep::Listed, Keep::Unlisted, Keep::InMemory] {
            check(false, within, [Keep::InMemory, Keep::InMemory]);
        }
    }
}
