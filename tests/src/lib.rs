//! Helpers that the tests share: a client that sends exactly the given bytes, a server for one
//! test, and programs as child processes.

mod connection;
mod counting;
mod directory;
mod gate;
pub mod log;
mod port;
mod program;
mod response;
mod server;
mod upstream;

pub use connection::{Connection, request};
pub use counting::{Runs, SECOND, next};
pub use directory::Directory;
pub use gate::Gate;
pub use port::free_port;
pub use program::{Ended, Program};
pub use response::Response;
pub use server::{Server, production};
pub use upstream::Upstream;
