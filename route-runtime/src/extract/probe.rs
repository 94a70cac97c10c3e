//! Asking a type what it is, at compile time, without requiring it to be anything.

use std::marker::PhantomData;

use actix_web::HttpRequest;

use super::{ReadsParams, StaticExtractor};

/// `Probe::<T>::IS_STATIC` is the inherent constant where `T` implements the trait, else the
/// trait's default: inherent items come first, and only where their bounds hold.
pub struct Probe<T>(PhantomData<T>);

/// The answers for a type that implements nothing.
pub trait ProbeDefaults {
    /// See [`StaticExtractor`].
    const IS_STATIC: bool = false;
    /// See [`StaticExtractor::missing`].
    const MISSING: fn(&HttpRequest) -> Option<String> = |_| None;
    /// See [`ReadsParams`].
    const READS_PARAMS: bool = false;
}

impl<T> ProbeDefaults for Probe<T> {}

impl<T: StaticExtractor> Probe<T> {
    /// See [`StaticExtractor`].
    pub const IS_STATIC: bool = true;
    /// See [`StaticExtractor::missing`].
    pub const MISSING: fn(&HttpRequest) -> Option<String> = T::missing;
}

impl<T: ReadsParams> Probe<T> {
    /// See [`ReadsParams`].
    pub const READS_PARAMS: bool = true;
}

/// An argument beside `revalidate = N` or `false`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` reads the request, so `revalidate` could have no effect",
    label = "a cached response cannot depend on a request",
    note = "write `dynamic = \"force-dynamic\"` to render for every request, \
            `dynamic = \"force-static\"` to run the handler with a blank one, or remove the \
            argument",
    note = "`web::Data`, `web::Path`, and types that implement `route_runtime::StaticExtractor` \
            read nothing of it"
)]
pub trait Cacheable {}

#[diagnostic::do_not_recommend]
impl<T: StaticExtractor> Cacheable for T {}

/// Holds for an argument that leaves `revalidate` its effect.
pub const fn must_be_cacheable<T: Cacheable>() {}

/// An argument beside `dynamic = "error"`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` reads the request, which `dynamic = \"error\"` forbids",
    label = "a cached response cannot depend on a request",
    note = "remove the argument, or the option",
    note = "`web::Data`, `web::Path`, and types that implement `route_runtime::StaticExtractor` \
            read nothing of it"
)]
pub trait Static {}

#[diagnostic::do_not_recommend]
impl<T: StaticExtractor> Static for T {}

/// Holds for an argument that `dynamic = "error"` allows.
pub const fn must_be_static<T: Static>() {}
