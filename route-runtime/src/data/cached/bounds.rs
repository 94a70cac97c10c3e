//! The types that a cached function may take and return, and the messages where others are.

use std::collections::HashSet;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The type that a function returns. Of a `Result`, only `Ok` is kept.
///
/// Type resolution decides which case applies: `Returned::<T>::SHAPE` is the inherent constant if
/// `T` is a `Result`, under whatever name, and otherwise that of [`ReturnsValue`].
#[derive(Debug)]
pub struct Returned<T>(PhantomData<T>);

/// The part of a returned value that is kept.
pub trait Shape {
    /// The type that the function returns.
    type Returned;
    /// The type of the part that is kept.
    type Value;

    /// Returns the part that is kept, if there is one.
    fn value(returned: &Self::Returned) -> Option<&Self::Value>;

    /// Returns the value that the function would have returned, made of the kept part.
    fn returned(value: Self::Value) -> Self::Returned;
}

/// The shape of a `Result`, of which `Ok` is kept.
#[derive(Debug)]
pub struct OkOf<T, E>(PhantomData<(T, E)>);

/// The shape of any other type, of which all is kept.
#[derive(Debug)]
pub struct Whole<T>(PhantomData<T>);

impl<T, E> Returned<Result<T, E>> {
    /// The shape of a `Result`.
    pub const SHAPE: OkOf<T, E> = OkOf(PhantomData);
}

/// The shape of a type that is no `Result`; see [`Returned`].
pub trait ReturnsValue {
    /// The type that the function returns.
    type Value;
    /// The shape of any other type.
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

/// A type that a cached function may return, whether or not its values are kept.
#[diagnostic::on_unimplemented(
    message = "a cached function cannot return `{Self}`",
    label = "is not `Send`",
    note = "it goes from thread to thread, and an error does, too: instead of `actix_web::Error`, \
            return an error of your own"
)]
pub trait ReturnedValue: Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> ReturnedValue for T {}

/// A type whose values a cached function can keep.
#[diagnostic::on_unimplemented(
    message = "a cached function cannot return `{Self}`",
    label = "is not both `Serialize` and `DeserializeOwned`",
    note = "a value is kept as JSON: derive `serde::Serialize` and `serde::Deserialize` for what \
            owns its data; of a `Result` only `Ok` is kept, and its error may be anything that is `Send`"
)]
pub trait CachedValue: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> CachedValue for T {}

/// A type that an argument of a cached function may have.
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

/// The question whether the elements of an argument have an order. `OrderIn::<T>::ORDER` is the
/// inherent constant if `T` is a `HashSet`, under whatever name, and otherwise that of [`Ordered`].
#[derive(Debug)]
pub struct OrderIn<T>(PhantomData<T>);

/// The order of a `HashSet`, which differs between equal sets.
#[derive(Debug)]
pub struct RandomOrder;

/// The order of any other type, as far as types can tell.
#[derive(Debug)]
pub struct StableOrder;

impl<T, S> OrderIn<HashSet<T, S>> {
    /// The order of a `HashSet`.
    pub const ORDER: RandomOrder = RandomOrder;
}

/// The order of a type that is no `HashSet`; see [`OrderIn`].
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

/// A type that an argument of a cached function may have if it is not part of the key.
#[diagnostic::on_unimplemented(
    message = "a cached function cannot take `{Self}`",
    label = "is not `Clone + Send + 'static`",
    note = "a value may be made on another thread, and again when it is stale: share what is needed \
            by `web::Data` or `Arc`"
)]
pub trait SkippedArgument: Clone + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + 'static> SkippedArgument for T {}
