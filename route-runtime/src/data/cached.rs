//! Functions whose values are cached, by `#[cached]`: what their generated code calls.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::{Context, Render, Uncached};
use crate::data;
use crate::declaration::{RENDER_LIMIT, Revalidate};
use crate::engine::{Ancestry, Answer, Content, Failure, Key, Lifetime, Outcome, Rendered};
use crate::identity::{self, NoIdentity};
use crate::revalidate::Revalidation;
use crate::store::Tag;
use crate::stored::Stored;
use crate::tags::{data_tag, usable_tag};
use crate::target;

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
    arguments: Vec<Argument>,
    tags: Vec<Tag>,
}

/// An argument that tells values apart.
#[derive(Debug)]
struct Argument {
    name: &'static str,
    /// Its canonical text, which is all of it that the function sees.
    text: Result<String, NoIdentity>,
    /// Whether its type reads the text as it writes it.
    check: fn(&str) -> Result<(), NoIdentity>,
}

/// Why a call shares nothing: an argument that is not its own identity.
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
        self.arguments.push(Argument {
            name,
            text: identity::text(argument),
            check: identity::check::<A>,
        });
        self
    }

    /// Takes note of the type of an argument that is not part of the key.
    pub fn skipped<A: SkippedArgument>(self, _: &A) -> Self {
        self
    }

    /// Adds a tag of the value.
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        self.tags.extend(usable_tag(&tag.into()));
        self
    }

    /// Returns the value that is there, or makes it, once for all who ask.
    ///
    /// `shared` calls the function with arguments that are read back from the key: what the key lacks
    /// cannot be in a value that others are given. `own` calls it with the caller's own arguments,
    /// for what cannot be shared: an error, a value that cannot be read back, arguments without an
    /// identity. The future is boxed, so that functions may call each other.
    ///
    /// Outside of a handler there is no cache, and the function just runs, also with arguments that
    /// are read back.
    ///
    /// # Panics
    ///
    /// As the function does, or if it needs its own value.
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
            let run = move |arguments: &[Argument]| shared(&mut KeyArguments(arguments.iter()));
            match cached(self, codec, run).await {
                Some(value) => value,
                None => own().await,
            }
        })
    }

    /// Invalidates the value for these arguments, once awaited.
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

impl Argument {
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
pub struct KeyArguments<'a>(std::slice::Iter<'a, Argument>);

impl KeyArguments<'_> {
    /// Reads the next argument. `None` if its type does not read what it writes.
    pub fn read<A: CachedArgument>(&mut self) -> Option<A> {
        identity::read(self.0.next()?.text.as_deref().ok()?).ok()
    }
}

/// The value that is kept for a call, or is made now and may be kept. `None` if the caller is to make
/// its own.
async fn cached<T, R, F>(call: CachedCall, codec: Codec<T>, run: R) -> Option<T>
where
    T: Send + 'static,
    R: Fn(&[Argument]) -> Option<F> + Clone + Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let function = call.function;
    let Some(context) = Context::current() else {
        return Some(run(&call.arguments)?.await);
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
    let arguments: Arc<[Argument]> = arguments.into();
    let limit = context.limit().max(RENDER_LIMIT);
    let own: Own<T> = Own::default();
    // What another program has stored under another shape of the type is replaced, once.
    for _ in 0..2 {
        let declared: Vec<_> = tags.iter().cloned().chain([data_tag(&key)]).collect();
        let make = Make {
            function,
            limit,
            context: context.clone(),
            declared: declared.into(),
            arguments: Arc::clone(&arguments),
            codec,
            run: run.clone(),
            own: own.clone(),
        };
        let make = move |ancestry| make.clone().value(ancestry);
        match data::get(&context, &key, tags.clone(), limit, make).await {
            Ok(Some(Answer {
                content: Content::Entry(entry),
                ..
            })) => {
                let bytes = entry.value().returned();
                if let Some(value) = bytes.and_then(|bytes| (codec.decode)(bytes)) {
                    return Some(value);
                }
                context.home()?.engine.discard(&key, &entry).await;
            }
            Ok(Some(Answer {
                content: Content::Once(stored),
                ..
            })) => {
                let bytes = stored.returned();
                // What was run alone, because of a cycle, comes as bytes like what is kept.
                let value = bytes.and_then(|bytes| (codec.decode)(bytes));
                return own.take().or(value);
            }
            Ok(_) => return None,
            // Its message has been printed where it was thrown.
            Err(Failure::Panicked(message)) => resume_unwind(Box::new(message.to_string())),
            Err(Failure::Cycle) => panic!("`{}` needs its own value", function.name),
            // All who waited would run it again, each for as long as it takes.
            Err(Failure::TimedOut) => panic!("`{}` took too long", function.name),
            // The cache is going away.
            Err(Failure::Abandoned | Failure::Overloaded { .. }) => return None,
        }
    }
    None
}

/// Everything that making one value takes.
struct Make<T, R> {
    function: &'static Function,
    limit: Duration,
    context: Context,
    declared: Arc<[Tag]>,
    arguments: Arc<[Argument]>,
    codec: Codec<T>,
    run: R,
    own: Own<T>,
}

impl<T, R: Clone> Clone for Make<T, R> {
    fn clone(&self) -> Self {
        Self {
            function: self.function,
            limit: self.limit,
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
    R: Fn(&[Argument]) -> Option<F> + Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    /// Runs the function and says what may be done with what it returned.
    async fn value(self, ancestry: Ancestry<Key>) -> Rendered<Stored> {
        let nothing = || Outcome::ShareOnce(Stored::Returned(None));
        // Only what is made is checked: what is kept was.
        if let Err(unshared) = check(&self.arguments) {
            warn_unshared(self.function, &unshared);
            return nothing().into();
        }
        let revalidate = self.function.revalidate.and_then(Revalidate::duration);
        let render = Render::new(revalidate, Uncached::Promised, self.limit);
        let render = Arc::new(render);
        let context = self
            .context
            .within(Arc::clone(&render), &self.declared, ancestry);
        let (run, arguments) = (self.run, self.arguments);
        let value = context.scope(async move { Some(run(&arguments)?.await) });
        let Some(value) = value.await else {
            return nothing().into();
        };
        let used = render.used();
        let outcome = match (self.codec.encode)(&value) {
            Some(Ok(text)) => Outcome::store(
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
fn check(arguments: &[Argument]) -> Result<(), Unshared> {
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

/// Whether this is the first time that the log is told something of this part of a function.
fn is_first(function: &Function, part: &'static str) -> bool {
    static TOLD: Mutex<BTreeSet<(&str, &str)>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    told.insert((function.name, part))
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

/// How the values of a function become bytes and come back.
#[derive(Debug)]
struct Codec<T> {
    /// `None` for a value that is not to be kept, `Some(Err(why))` for one that cannot be.
    encode: fn(&T) -> Option<Result<String, NoIdentity>>,
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
    label = "is not `Serialize + DeserializeOwned + Send`",
    note = "its arguments tell values apart, and are all that a value may depend on: the function is \
            given what is read back from the key. What has no part in that, like a connection, is \
            named in `skip(…)`, and what a value depends on of a request is passed by itself"
)]
pub trait CachedArgument: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> CachedArgument for T {}

/// Asks the type of an argument whether its elements have an order: `OrderIn::<T>::ORDER` is the
/// inherent constant for a `HashSet`, whatever it is called, and else [`Ordered`]'s.
#[derive(Debug)]
pub struct OrderIn<T>(PhantomData<T>);

/// The order of a `HashSet`, which is another one for each equal set.
#[derive(Debug)]
pub struct RandomOrder;

/// The order of any other type, as far as types can tell.
#[derive(Debug)]
pub struct StableOrder;

impl<T, S> OrderIn<HashSet<T, S>> {
    /// The order of a `HashSet`.
    pub const ORDER: RandomOrder = RandomOrder;
}

/// See [`OrderIn`].
pub trait Ordered {
    /// The order of any other type.
    const ORDER: StableOrder = StableOrder;
}

impl<T> Ordered for OrderIn<T> {}

/// An order in which the elements of an argument may be written into a key.
#[diagnostic::on_unimplemented(
    message = "a cached function cannot take `{A}`",
    label = "is written in a random order",
    note = "equal sets would be told apart, and `revalidate` would not find what it is to reach: take \
            a `BTreeSet`"
)]
pub trait OrderOf<A> {}

impl<A> OrderOf<A> for StableOrder {}

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
