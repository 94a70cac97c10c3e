//! What the tests share: a client that sends exactly what it is told, a server for one test, and
//! programs as child processes.

mod client;
mod gate;
mod program;
mod server;
mod upstream;
pub mod wire;

pub use client::{Connection, Response, request};
pub use gate::Gate;
pub use program::{Ended, Program};
pub use server::Server;
pub use upstream::Upstream;
