//! The actix glue: which requests belong to the routes, and how they are answered. Only this module
//! and `handler` decide what goes over HTTP to clients.

mod boundary;
mod cached;
mod chain;
mod decided;
mod dispatch;
mod factory;
mod finish;
mod head;
mod matched;
mod replay;
mod visit;

pub(crate) use self::factory::Factory;
pub(crate) use self::matched::MatchGuard;
pub use self::matched::Matched;
