//! The items that generated code uses, or that compiler errors in it name, and no others. They are
//! no public API: they change with the macros.

pub use std::format;
pub use std::string::String;
pub use std::vec::Vec;

pub use futures_core::future::BoxFuture;
pub use inventory::submit;

pub use crate::data::cached::{
    CachedArgument, CachedCall, CachedValue, Function, KeyArguments, OrderIn, OrderOf, Ordered,
    RandomOrder, Returned, ReturnedValue, ReturnsValue, SkippedArgument, StableOrder,
};
pub use crate::declaration::{
    Argument, Cdn, Config, Dynamic, FetchCache, HandlerCall, HandlerFuture, Kind, Many, Method,
    One, ParamFunction, ParamList, PathBuilder, Reader, Readers, Response, Revalidate,
    RouteDescriptor, Source, TagPart, call, static_params,
};
pub use crate::extract::{
    Cacheable, Extractor, IsExtractor, ManyParam, OptionalParam, Probe, ProbeDefaults, SingleParam,
    Static,
};
pub use crate::middleware::{Middleware, Wrap};
pub use crate::pattern::Segment;
pub use crate::revalidate::revalidate_route;
pub use crate::source;

/// Makes the `Source` of an attribute: the place where it stands.
#[doc(hidden)]
#[macro_export]
macro_rules! source {
    () => {
        $crate::__private::Source {
            module: ::core::module_path!(),
            file: ::core::file!(),
            line: ::core::line!(),
            column: ::core::column!(),
        }
    };
}
