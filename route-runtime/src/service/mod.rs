//! actix glue: which requests are ours, and what becomes of them. HTTP is decided here and in `handler`.

mod cached;
mod dispatch;
mod factory;
mod finish;
mod head;
mod matched;
mod replay;
mod visit;

pub(crate) use self::factory::{Factory, nothing_here};
pub(crate) use self::matched::MatchGuard;
pub use self::matched::Matched;
