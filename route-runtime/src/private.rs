//! Exactly what generated code touches, and what errors in it name. Not public: it changes with the
//! macros.

pub use std::format;
pub use std::string::String;
pub use std::vec::Vec;

pub use futures_core::future::BoxFuture;
pub use inventory::submit;

pub use crate::cached::{
    CachedArgument, CachedCall, CachedValue, Function, KeyArguments, OrderIn, OrderOf, Ordered,
    RandomOrder, Returned, ReturnedValue, ReturnsValue, SkippedArgument, StableOrder,
};
pub use crate::config::{Cdn, Config, Dynamic, FetchCache, Revalidate, TagPart};
pub use crate::descriptor::{Argument, Kind, Method, RouteDescriptor, Segment, Source};
pub use crate::extract::{
    Cacheable, Extractor, IsExtractor, ManyParam, OptionalParam, Probe, ProbeDefaults, SingleParam,
    Static,
};
pub use crate::handle::{Many, One, ParamFunction, ParamList, PathBuilder, static_params};
pub use crate::revalidate::revalidate_route;
pub use crate::service::{Call, Middleware, Reader, Readers, Response, call};
pub use crate::source;

/// Where the attribute stands.
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
