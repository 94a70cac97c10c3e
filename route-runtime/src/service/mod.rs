//! actix glue: which requests are ours, and what becomes of them. HTTP is decided here.

mod answer;
mod body_limit;
mod cached;
mod call;
mod dispatch;
mod fault;
mod finish;
mod head;
mod matched;
mod mount;
mod replay;
mod wrap;

pub(crate) use answer::answer;
pub(crate) use call::Thunk;
pub use call::{Call, Reader, Readers, Response, call};
pub(crate) use fault::{Logged, unrenderable};
pub use matched::Matched;
pub(crate) use mount::app;
pub use wrap::Middleware;
pub(crate) use wrap::Wrap;
