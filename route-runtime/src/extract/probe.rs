//! Asking a type what it is, at compile time, without requiring it to be anything.

use std::marker::PhantomData;

use actix_web::HttpRequest;

use super::{Extractor, ReadsParams, StaticExtractor};

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
    /// See [`Extractor`].
    const EXTRACTOR: IsNoExtractor = IsNoExtractor;
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

impl<T: Extractor> Probe<T> {
    /// See [`Extractor`].
    pub const EXTRACTOR: IsExtractor = IsExtractor;
}

/// Of what is an extractor, an option may demand more.
pub struct IsExtractor;

/// What is none is reported where it is extracted, and only there.
///
/// The traits below hold for it, and for `()`: with one such implementation alone, the compiler
/// would take it before it has looked at the marker.
pub struct IsNoExtractor;

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
pub trait Cacheable<Is> {
    /// Never called: it compiles if the argument leaves `revalidate` its effect.
    fn demand(is: Is);
}

#[diagnostic::do_not_recommend]
impl<T: StaticExtractor> Cacheable<IsExtractor> for T {
    fn demand(_: IsExtractor) {}
}

#[diagnostic::do_not_recommend]
impl<T> Cacheable<IsNoExtractor> for T {
    fn demand(_: IsNoExtractor) {}
}

#[diagnostic::do_not_recommend]
impl<T> Cacheable<()> for T {
    fn demand((): ()) {}
}

/// An argument beside `dynamic = "error"`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` reads the request, which `dynamic = \"error\"` forbids",
    label = "a cached response cannot depend on a request",
    note = "remove the argument, or the option",
    note = "`web::Data`, `web::Path`, and types that implement `route_runtime::StaticExtractor` \
            read nothing of it"
)]
pub trait Static<Is> {
    /// Never called: it compiles if `dynamic = "error"` allows the argument.
    fn demand(is: Is);
}

#[diagnostic::do_not_recommend]
impl<T: StaticExtractor> Static<IsExtractor> for T {
    fn demand(_: IsExtractor) {}
}

#[diagnostic::do_not_recommend]
impl<T> Static<IsNoExtractor> for T {
    fn demand(_: IsNoExtractor) {}
}

#[diagnostic::do_not_recommend]
impl<T> Static<()> for T {
    fn demand((): ()) {}
}
