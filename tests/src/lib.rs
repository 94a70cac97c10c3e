//! What the tests share: a client that sends exactly what it is told, a server for one test, and
//! programs as child processes.

mod connection;
mod gate;
pub mod log;
mod program;
mod response;
mod server;
mod upstream;

pub use connection::{Connection, request};
pub use gate::Gate;
pub use program::{Ended, Program};
pub use response::Response;
pub use server::Server;
pub use upstream::Upstream;
