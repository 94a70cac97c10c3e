//! actix glue: which requests are ours, and what becomes of them. HTTP is decided here.

mod call;
mod dispatch;
mod fault;
mod head;
mod matched;
mod mount;
mod wrap;

pub(crate) use call::Thunk;
pub use call::{Call, Response, handle};
pub use matched::Matched;
pub use wrap::Middleware;
pub(crate) use wrap::Wrap;
