//! Asking at compile time which traits a type implements, without requiring any of them.

use std::marker::PhantomData;

use actix_web::HttpRequest;

use super::{Extractor, ReadsParams, StaticExtractor};

/// A namespace of constants that say which traits `T` implements.
///
/// `Probe::<T>::IS_STATIC`, for example, is the inherent constant if `T` implements
/// [`StaticExtractor`], and otherwise the default in [`ProbeDefaults`]: the compiler prefers an
/// inherent item, but only if its bounds hold.
pub struct Probe<T>(PhantomData<T>);

/// The facts about app data that the type of an extractor tells.
#[derive(Clone, Copy)]
pub struct AppData {
    /// The constant [`StaticExtractor::READS_APP_DATA`]; `false` for any other extractor.
    pub is_read: bool,
    /// The function [`StaticExtractor::missing`]. For any other extractor, it returns `None`.
    pub missing: fn(&HttpRequest) -> Option<String>,
}

/// The constants for a type that implements none of the traits.
pub trait ProbeDefaults {
    /// Is `false`: the type is no [`StaticExtractor`].
    const IS_STATIC: bool = false;
    /// Is nothing: the type has no [`StaticExtractor::missing`], and what it reads is not known.
    const APP_DATA: AppData = AppData {
        is_read: false,
        missing: |_| None,
    };
    /// Is `false`: the type does not implement [`ReadsParams`].
    const READS_PARAMS: bool = false;
    /// Marks a type that is no [`Extractor`].
    const EXTRACTOR: IsNoExtractor = IsNoExtractor;
}

impl<T> ProbeDefaults for Probe<T> {}

impl<T: StaticExtractor> Probe<T> {
    /// Is `true`: the type is a [`StaticExtractor`].
    pub const IS_STATIC: bool = true;
    /// Is what the type says of app data, as a [`StaticExtractor`].
    pub const APP_DATA: AppData = AppData {
        is_read: T::READS_APP_DATA,
        missing: T::missing,
    };
}

impl<T: ReadsParams> Probe<T> {
    /// Is `true`: the type implements [`ReadsParams`].
    pub const READS_PARAMS: bool = true;
}

impl<T: Extractor> Probe<T> {
    /// Marks a type that is an [`Extractor`].
    pub const EXTRACTOR: IsExtractor = IsExtractor;
}

/// The marker of a type that is an extractor. An option may demand more of it.
pub struct IsExtractor;

/// The marker of a type that is no extractor. Such a type is reported where it is extracted, and
/// only there.
///
/// So [`Cacheable`] and [`Static`] hold for every type with this marker, and also with `()`. If
/// there were only one such implementation, the compiler would choose it before it looked at the
/// marker.
pub struct IsNoExtractor;

/// An argument that is allowed beside `revalidate = N` or `revalidate = false`.
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
    /// Compiles only if `revalidate` can have an effect with this argument. It is never called.
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

/// An argument that is allowed beside `dynamic = "error"`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` reads the request, which `dynamic = \"error\"` forbids",
    label = "a cached response cannot depend on a request",
    note = "remove the argument, or the option",
    note = "`web::Data`, `web::Path`, and types that implement `route_runtime::StaticExtractor` \
            read nothing of it"
)]
pub trait Static<Is> {
    /// Compiles only if `dynamic = "error"` allows the argument. It is never called.
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
