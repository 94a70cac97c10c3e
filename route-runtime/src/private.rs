//! Exactly what generated code touches. Not public: it changes with the macros.

pub use std::string::String;
pub use std::vec::Vec;

pub use actix_web::middleware::from_fn;
pub use inventory::submit;

pub use crate::config::{Config, Dynamic, FetchCache, Revalidate, TagPart};
pub use crate::descriptor::{Argument, Kind, Method, RouteDescriptor, Segment, Source};
pub use crate::extract::{Probe, ProbeDefaults, must_be_cacheable, must_be_static};
pub use crate::handle::{Many, One, PathBuilder, static_params};
pub use crate::revalidate::revalidate_route;
pub use crate::service::{Call, handle, wrap};
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
