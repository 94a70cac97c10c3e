//! What an attribute leaves behind: const data, typed paths, and the decision that follows from it.

mod call;
mod config;
mod descriptor;
mod handle;
mod rendering;
mod wrap;

pub(crate) use self::call::Thunk;
pub use self::call::{Call, Reader, Readers, Response, call};
pub(crate) use self::config::RENDER_LIMIT;
pub use self::config::{Cdn, Config, Dynamic, FetchCache, Revalidate, TagPart};
pub use self::descriptor::{Argument, Kind, Method, RouteDescriptor, Source};
pub use self::handle::{
    Many, One, ParamFunction, ParamList, PathArg, PathArgs, PathBuilder, static_params,
};
pub(crate) use self::handle::{ParamTexts, StaticParams};
pub(crate) use self::rendering::decide;
pub use self::rendering::{CachedReason, DynamicReason, Rendering};
pub use self::wrap::Middleware;
pub(crate) use self::wrap::{Endpoint, Wrap};
