//! The app behind the proxies: the fixture `edge`.

use std::net::SocketAddr;

use tests::Program;

use crate::get;

/// The app as a program of its own, which ends when it is dropped.
pub(crate) struct Origin {
    _program: Program,
    pub(crate) address: SocketAddr,
}

impl Origin {
    /// Starts the app in production, with this value of `ROUTE_CDN`.
    pub(crate) fn start(cdn: &str) -> Self {
        let environment = [
            ("PORT", "0"),
            ("ROUTE_MODE", "production"),
            ("ROUTE_CDN", cdn),
            ("RUST_LOG", "error"),
        ];
        let mut program = Program::start(env!("CARGO_BIN_EXE_edge"), &[], &environment);
        let address = program.address();
        Self {
            _program: program,
            address,
        }
    }

    /// Returns how many requests for a path have reached the app.
    pub(crate) fn requests(&self, path: &str) -> u64 {
        let answer = get(self.address, &format!("/requests{path}"), &[]);
        answer.text().parse().expect("a number")
    }
}
