//! The declarations of routes, as the attributes leave them: const data, typed paths, and the
//! decision whether a route is dynamic or cached.

mod call;
mod config;
mod descriptor;
mod handle;
mod option;
mod rendering;
mod tag_header;

pub(crate) use self::call::Thunk;
pub use self::call::{HandlerCall, HandlerFuture, Reader, Readers, Response, call};
pub use self::config::{Cdn, Config, Dynamic, FetchCache, Revalidate, TagPart};
pub(crate) use self::config::{OPTIONS, RENDER_LIMIT, declared_tags};
pub use self::descriptor::{Argument, Kind, Method, RouteDescriptor, Source};
pub use self::handle::{
    Many, One, ParamFunction, ParamList, PathArg, PathArgs, PathBuilder, static_params,
};
pub(crate) use self::handle::{ParamTexts, StaticParams};
pub(crate) use self::option::{ShowFn, Shown};
pub(crate) use self::rendering::decide;
pub use self::rendering::{CachedReason, DynamicReason, Rendering};
pub use self::tag_header::TagHeader;
